"""V1 checkpoints, written by TensorFlow itself."""

from __future__ import annotations

import numpy
import pytest

import graphmap
from graphmap.errors import CorruptArtifactError

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A V1 checkpoint with its .meta, and the values that it should hold."""
    import tensorflow.compat.v1 as tf

    folder = tmp_path_factory.mktemp("v1")
    random = numpy.random.default_rng(0)
    values = {
        "net/W": random.normal(size=(4, 3)).astype("float32"),
        "net/h": random.normal(size=5).astype("float16"),
        "net/d": random.normal(size=(2, 2)),
        "net/n": numpy.array([-7, 2**40]),
        "net/flags": numpy.array([True, False]),
        "net/empty": numpy.zeros((0, 3), "float32"),
        "step": numpy.array(12, dtype="int64"),
        "net/c": numpy.array([1 + 2j], dtype="complex64"),
    }
    with tf.Graph().as_default(), tf.Session() as session:
        made = [tf.Variable(value, name=name, use_resource=False) for name, value in values.items()]
        parts = tf.get_variable(
            "parted",
            initializer=tf.constant(random.normal(size=(7, 2)).astype("float32")),
            partitioner=tf.fixed_size_partitioner(3),
            use_resource=False,
        )
        session.run(tf.global_variables_initializer())
        values["parted"] = numpy.concatenate(session.run(list(parts)))
        saver = tf.train.Saver([*made, *parts], write_version=tf.train.SaverDef.V1)
        saver.save(session, str(folder / "model.ckpt"), global_step=3)
    return folder, values


def test_every_value_is_equal(written):
    folder, values = written
    artifact = graphmap.load(folder)
    assert artifact.kind == "checkpoint-v1" and artifact.has_graph
    stored = {v.name: v for v in artifact.variables if v.checkpoint_key}
    assert stored.keys() == values.keys()
    for name, value in values.items():
        read = artifact.read(name)
        assert read.dtype == value.dtype and read.shape == value.shape, name
        assert read.tobytes() == value.tobytes(), name
    assert artifact.verify_data() == ()


def test_values_are_views_of_the_file(written):
    """A checkpoint of gigabytes is mapped: nothing is copied, nor made into Python numbers."""
    artifact = graphmap.load(written[0])
    for name in ("net/W", "net/d"):
        value = artifact.read(name)
        assert not value.flags.owndata and not value.flags.writeable


def test_a_flipped_byte_is_one_error(written, tmp_path):
    folder, _ = written
    data = bytearray((folder / "model.ckpt-3").read_bytes())
    data[40] ^= 1
    (tmp_path / "model.ckpt-3").write_bytes(bytes(data))
    with pytest.raises(CorruptArtifactError):
        graphmap.load(tmp_path / "model.ckpt-3").read("net/W")


def test_shards_are_joined_and_a_missing_one_is_told(written, tmp_path):
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        parts = [tf.Variable(numpy.full((2,), n, "float32"), name=f"w{n}", use_resource=False)
                 for n in range(2)]  # fmt: skip
        session.run(tf.global_variables_initializer())
        for n, part in enumerate(parts):
            name = f"{tmp_path}/m.ckpt-{n:05d}-of-00002"
            tf.raw_ops.Save(filename=name, tensor_names=[f"w{n}"], data=[part])
        for op in session.graph.get_operations():
            if op.type == "Save":
                session.run(op)
    both = graphmap.load(tmp_path / "m.ckpt")
    assert [v.name for v in both.variables] == ["w0", "w1"]
    assert both.read("w1").tolist() == [1.0, 1.0]
    (tmp_path / "m.ckpt-00000-of-00002").unlink()
    one = graphmap.load(tmp_path / "m.ckpt")
    assert [v.name for v in one.variables] == ["w1"]
    assert "m.ckpt-00000-of-00002 is missing" in one.warnings[0]

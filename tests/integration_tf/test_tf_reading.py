"""What TensorFlow writes, we read: names, shapes, types and every value."""

import numpy
import pytest

from graphmap.formats.registry import read_artifact

pytestmark = pytest.mark.tf

TYPES = (
    "float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32",
    "int64", "uint32", "uint64", "bool", "complex64", "complex128", "float8_e5m2", "float8_e4m3fn",
)  # fmt: skip


def same_as_tensorflow(prefix):
    import tensorflow as tf

    model = read_artifact(prefix)
    wanted = [(name, tuple(shape)) for name, shape in tf.train.list_variables(prefix)]
    assert [(tensor.key, tensor.shape) for tensor in model.tensors] == wanted
    for tensor in model.tensors:
        value = tf.train.load_variable(prefix, tensor.key)
        read = model.values.read(tensor.key)
        assert read.tolist() == numpy.asarray(value, dtype=read.dtype).tolist(), tensor.key
    return model


def test_every_type(tmp_path):
    import tensorflow as tf

    numbers = tf.constant([[0.0, 1.0], [3.0, 2.0]])
    values = {f"of_{name}": tf.cast(numbers, name) for name in TYPES}
    values["words"] = tf.constant(["one", "", "drei ü"])
    values["empty"] = tf.zeros([0, 3])
    prefix = str(tmp_path / "types")
    names = sorted(values)
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[values[name] for name in names],
    )
    model = same_as_tensorflow(prefix)
    dtypes = {tensor.name: tensor.dtype for tensor in model.tensors}
    assert all(dtypes[f"of_{name}"] == name for name in TYPES)
    assert model.warnings == ()


def test_bits_of_odd_types_and_values(tmp_path):
    import tensorflow as tf

    values = {
        "of_int4": tf.cast(tf.constant([[-8, 7, 0], [1, -1, 3]], tf.int8), "int4"),
        "of_uint4": tf.cast(tf.constant([15, 0, 9], tf.int8), "uint4"),
        "of_qint8": tf.bitcast(tf.constant([-3, 5], tf.int8), "qint8"),
        "of_qint32": tf.bitcast(tf.constant([-3, 5]), "qint32"),
        "scalar": tf.constant(-0.0),
        "nan": tf.bitcast(tf.constant([0x7FC00001, 0x7F800000, 1], tf.int32), "float32"),
        "half_nan": tf.bitcast(tf.constant([0x7E01, 0x0001], tf.int16), "float16"),
    }
    prefix = str(tmp_path / "odd")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )
    model = read_artifact(prefix)
    for name, value in values.items():
        (wanted,) = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=[name], shape_and_slices=[""], dtypes=[value.dtype]
        )
        read = model.values.read(name)
        assert read.dtype == wanted.numpy().dtype and read.shape == wanted.shape, name
        assert read.tobytes() == wanted.numpy().tobytes(), name
    assert {tensor.dtype for tensor in model.tensors} >= {"int4", "uint4", "qint8", "qint32"}


def test_a_partitioned_variable_in_two_shards(tmp_path):
    import tensorflow as tf

    value = numpy.arange(104 * 3, dtype="float32").reshape(104, 3)
    parts = [str(tmp_path / "a"), str(tmp_path / "b")]
    for prefix, spec, piece in zip(parts, ("0,35", "35,69"), (value[:35], value[35:]), strict=True):
        tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=["emb"],
            shape_and_slices=[f"104 3 {spec}:0,3"],
            tensors=[tf.constant(piece)],
        )
    prefix = str(tmp_path / "joined")
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=parts, destination_prefix=prefix, delete_old_dirs=False
    )
    model = same_as_tensorflow(prefix)
    assert [(tensor.name, tensor.shape) for tensor in model.tensors] == [("emb", (104, 3))]
    assert numpy.array_equal(model.values.read("emb"), value)
    assert (tmp_path / "joined.data-00001-of-00002").exists()


def test_an_object_checkpoint(tmp_path):
    import tensorflow as tf

    made = tf.train.Checkpoint(w=tf.Variable([1.0, 2.0], name="weight"), step=tf.Variable(3))
    prefix = made.save(str(tmp_path / "ckpt"))
    model = read_artifact(prefix)
    assert model.kind == "object-checkpoint"
    assert "w/.ATTRIBUTES/VARIABLE_VALUE" in [tensor.key for tensor in model.tensors]
    assert list(model.values.read("w/.ATTRIBUTES/VARIABLE_VALUE")) == [1.0, 2.0]
    assert read_artifact(str(tmp_path)).prefix == prefix

"""Renaming what is no V2 checkpoint: V1, HDF5 of Keras, safetensors in several files."""

from __future__ import annotations

import json
import zipfile

import h5py
import numpy as np
import pytest

import graphmap

KERNEL = np.arange(12, dtype="float32").reshape(4, 3)


@pytest.fixture
def legacy(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.9.0"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
        file.attrs["layer_names"] = [b"dense", b"empty"]
        file.create_group("empty").attrs["weight_names"] = np.zeros(0, "S1")
        group = file.create_group("dense")
        group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        group.create_dataset("dense/kernel:0", data=KERNEL, compression="gzip", chunks=(2, 3))
        group["dense/bias:0"] = KERNEL[0]
    return path


def texts(words):
    """Return names as text: h5py tells fixed strings as bytes and others as str."""
    return [word.decode() if isinstance(word, bytes) else word for word in words]


def test_hdf5_names_change_in_lists_and_paths_and_layers_stay(legacy, tmp_path):
    out = tmp_path / "new.h5"
    report = graphmap.rename(legacy, {"net/kernel": "dense/kernel"}, out)
    assert report.renamed == {"dense/kernel": ("net/kernel",)} and report.kept == ("dense/bias",)
    with h5py.File(out) as file:
        assert texts(file.attrs["layer_names"]) == ["dense", "empty"]
        assert file.attrs["keras_version"] == "2.9.0"
        assert texts(file["dense"].attrs["weight_names"]) == ["net/kernel:0", "dense/bias:0"]
        assert len(file["empty"].attrs["weight_names"]) == 0
        assert np.array_equal(file["dense/net/kernel:0"], KERNEL)
        assert "dense/dense/kernel:0" not in file
    back = tmp_path / "back.h5"
    graphmap.rename(out, {"dense/kernel": "net/kernel"}, back)
    old, new = graphmap.load(legacy), graphmap.load(back)
    assert old.variables == new.variables
    assert all(np.array_equal(old.read(v.name), new.read(v.name)) for v in old.variables)


def test_hdf5_paths_without_lists_are_the_names(tmp_path):
    source, out = tmp_path / "m.weights.h5", tmp_path / "n.weights.h5"
    with h5py.File(source, "w") as file:
        file["layers/dense/vars/0"] = KERNEL
        file["layers/dense/vars"].attrs["name"] = "dense"
    graphmap.rename(source, {"layers/other/vars/0": "layers/dense/vars/0"}, out)
    with h5py.File(out) as file:
        assert np.array_equal(file["layers/other/vars/0"], KERNEL)


def test_hdf5_left_out_names_leave_the_list(legacy, tmp_path):
    graphmap.rename(legacy, {"k": "dense/kernel"}, tmp_path / "n.h5", only="kernel")
    with h5py.File(tmp_path / "n.h5") as file:
        assert texts(file["dense"].attrs["weight_names"]) == ["k:0"]


def test_a_damaged_hdf5_leaves_nothing(legacy, tmp_path):
    with h5py.File(legacy, "r+") as file:
        file["dense"].attrs["weight_names"] = [b"dense/kernel:0", b"dense/gone:0"]
    with pytest.raises(graphmap.UnsupportedArtifactError, match="is not whole"):
        graphmap.rename(legacy, {"k": "dense/kernel"}, tmp_path / "n.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


@pytest.fixture
def sharded(tmp_path):
    from safetensors.numpy import save_file

    folder = tmp_path / "sharded"
    folder.mkdir()
    save_file({"a": KERNEL, "b": KERNEL[0]}, folder / "m-00001-of-00002.safetensors")
    save_file({"c": KERNEL[1]}, folder / "m-00002-of-00002.safetensors")
    shards = {"a": 1, "b": 1, "c": 2}
    index = {
        "metadata": {"total_size": 72},
        "weight_map": {key: f"m-0000{n}-of-00002.safetensors" for key, n in shards.items()},
    }
    (folder / "m.safetensors.index.json").write_text(json.dumps(index))
    return folder / "m.safetensors.index.json"


def test_safetensors_of_several_files(sharded, tmp_path):
    out = tmp_path / "new" / "n.safetensors.index.json"
    report = graphmap.rename(sharded, {"x": "a", "y": "c"}, out)
    assert len(report.written) == 3 and report.written[-1] == str(out)
    found = graphmap.load(out)
    assert [v.name for v in found.variables] == ["b", "x", "y"] and not found.warnings
    assert np.array_equal(found.read("x"), KERNEL) and np.array_equal(found.read("y"), KERNEL[1])
    assert json.loads(out.read_text())["metadata"] == {"total_size": 72}


def test_an_index_needs_the_name_of_one(sharded, tmp_path):
    with pytest.raises(graphmap.UsageError, match="no name for the index"):
        graphmap.rename(sharded, {"x": "a"}, tmp_path / "n.safetensors")


@pytest.mark.tf
def test_a_v1_checkpoint_becomes_v2(tmp_path):
    tf = pytest.importorskip("tensorflow").compat.v1

    with tf.Graph().as_default(), tf.Session() as session:
        w = tf.Variable(KERNEL, name="w", use_resource=False)
        p = tf.get_variable(
            "p",
            [4, 3],
            initializer=lambda *_, **__: tf.constant(KERNEL[:2]),
            partitioner=tf.fixed_size_partitioner(2),
        )
        session.run(tf.global_variables_initializer())
        parts = {"w": w, "p": p}
        saver = tf.train.Saver(parts, write_version=tf.train.SaverDef.V1)
        source = saver.save(session, str(tmp_path / "v1.ckpt"))
    out = tmp_path / "v2.ckpt"
    graphmap.rename(source, {"x": "w"}, out)
    assert graphmap.load(out).kind == "checkpoint" and graphmap.load(out).has_graph
    assert sorted(name for name, _ in tf.train.list_variables(str(out))) == ["p", "x"]
    assert np.array_equal(tf.train.load_variable(str(out), "x"), KERNEL)
    twice = np.concatenate([KERNEL[:2], KERNEL[:2]])
    assert np.array_equal(tf.train.load_variable(str(out), "p"), twice)


def test_why_a_keras_file_keeps_its_names_is_told(tmp_path):
    weights = tmp_path / "model.weights.h5"
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = KERNEL
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.9.2"}))
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {}}))
        archive.write(weights, weights.name)
    with pytest.raises(graphmap.UnsupportedArtifactError, match="classes and the order"):
        graphmap.rename(tmp_path / "m.keras", None, tmp_path / "n.keras", prefix="a/")
    assert not (tmp_path / "n.keras").exists()

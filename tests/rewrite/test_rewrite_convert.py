"""Values in other containers, read by the libraries that own them, and back again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import graphmap
from graphmap.model.namemap import Decision

FIXTURES = Path(__file__).parents[2] / "fixtures"
ARTIFACTS = ["adam_saver", "partitioned", "object_checkpoint", "adam_saved_model"]


def numbers(path):
    """Return every value that is no string, by name."""
    tensors = graphmap.load(path).tensors()
    found = {name: tensors[name] for name in tensors}
    return {name: value for name, value in found.items() if value.dtype != object}


def same(one, other):
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


def load_safetensors(path):
    from safetensors.numpy import load_file

    return load_file(path)


def load_h5(path):
    import h5py

    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None
        )
    return found


def load_npz(path):
    with np.load(path) as archive:
        return dict(archive)


LOADERS = {"safetensors": load_safetensors, "h5": load_h5, "npz": load_npz}


@pytest.mark.parametrize("artifact", ARTIFACTS)
@pytest.mark.parametrize("suffix", LOADERS)
def test_every_value_arrives(tmp_path, artifact, suffix):
    source = numbers(FIXTURES / artifact)
    no_slots = suffix == "h5"
    if no_slots:
        roles = {v.name: v.role for v in graphmap.load(FIXTURES / artifact).variables}
        source = {n: v for n, v in source.items() if roles[n] not in ("slot", "optimizer")}
    out = tmp_path / f"model.{suffix}"
    report = graphmap.convert(FIXTURES / artifact, None, out, no_slots=no_slots)
    found = LOADERS[suffix](out)
    assert set(report.names) == set(source) == set(found)
    assert all(same(np.asarray(found[name]), value) for name, value in source.items())
    once = out.read_bytes()
    graphmap.convert(FIXTURES / artifact, None, out, no_slots=no_slots, force=True)
    assert out.read_bytes() == once


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_into_a_checkpoint(tmp_path, artifact):
    source = numbers(FIXTURES / artifact)
    graphmap.convert(FIXTURES / artifact, None, tmp_path / "model.ckpt-7")
    found = numbers(tmp_path / "model.ckpt-7")
    assert set(found) == set(source)
    assert all(same(found[name], value) for name, value in source.items())
    graphmap.convert(FIXTURES / artifact, None, tmp_path / "model.ckpt-7", force=True)
    assert set(numbers(tmp_path / "model.ckpt-7")) == set(source)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"model.ckpt-7{end}" for end in (".index", ".data-00000-of-00002", ".data-00001-of-00002")
    }


@pytest.mark.tf
def test_tensorflow_reads_it(tmp_path):
    tf = pytest.importorskip("tensorflow")
    source = numbers(FIXTURES / "adam_saver")
    graphmap.convert(FIXTURES / "adam_saver", None, tmp_path / "model.ckpt")
    reader = tf.train.load_checkpoint(str(tmp_path / "model.ckpt"))
    assert set(reader.get_variable_to_dtype_map()) == set(source)
    assert all(np.array_equal(reader.get_tensor(name), value) for name, value in source.items())


def decision(expected, actual, layout, shape=None, parts=()):
    return Decision(expected, "matched", shape, actual, layout=layout, parts=parts, confidence=1.0)


def test_layouts_and_joins(tmp_path):
    source = numbers(FIXTURES / "adam_saver")
    name, value = next((n, v) for n, v in source.items() if v.ndim == 2)
    rows, columns = value.shape
    name_map = graphmap.NameMap(
        (
            decision("t", name, "transpose", (columns, rows)),
            decision("flat", name, "reshape", (rows * columns,)),
            decision("first", name, "split:0:0:1", (1, columns)),
            decision("twice", None, "join:0", (2 * rows, columns), parts=(name, {"actual": name})),
            decision("gates", name, "gates:" + "abcd"[:columns] + "->" + "abcd"[:columns][::-1])
            if columns <= 4
            else decision("gates", name, "same"),
        )
    )
    report = graphmap.convert(FIXTURES / "adam_saver", name_map, tmp_path / "m.safetensors")
    found = load_safetensors(tmp_path / "m.safetensors")
    assert report.names == ("first", "flat", "gates", "t", "twice")
    assert np.array_equal(found["t"], value.T) and np.array_equal(found["first"], value[:1])
    assert np.array_equal(found["twice"], np.concatenate([value, value]))
    wanted = value[:, ::-1] if columns <= 4 else value
    assert np.array_equal(found["gates"], wanted)
    view = name_map.view(FIXTURES / "adam_saver")
    assert np.array_equal(view["flat"], value.reshape(-1)) and len(view) == 5


def test_the_source_is_told(tmp_path):
    weight = next(v.name for v in graphmap.load(FIXTURES / "adam_saver").variables)
    graphmap.convert(FIXTURES / "adam_saver", {"w": weight}, tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    assert size % 8 == 0 and header["__metadata__"]["format"] == "pt"
    assert json.loads(header["__metadata__"]["map"]) == {"w": [weight, "same"]}


def test_dtype(tmp_path):
    source = numbers(FIXTURES / "weights_only")
    graphmap.convert(FIXTURES / "weights_only", None, tmp_path / "m.npz", dtype="float16")
    found = load_npz(tmp_path / "m.npz")
    for name, value in source.items():
        wanted = value.astype(np.float16) if value.dtype.kind == "f" else value
        assert same(found[name], wanted)


def test_a_type_that_does_not_fit_leaves_nothing(tmp_path):
    with pytest.raises(graphmap.UnsupportedArtifactError, match="bfloat16"):
        graphmap.convert(FIXTURES / "weights_only", None, tmp_path / "m.npz", dtype="bfloat16")
    assert list(tmp_path.iterdir()) == []


def test_hdf5_cannot_hold_a_name_that_is_a_scope_too(tmp_path):
    with pytest.raises(graphmap.UnsupportedArtifactError, match="scope of other values"):
        graphmap.convert(FIXTURES / "adam_saver", None, tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["m", "m.txt"])
def test_an_unknown_container(tmp_path, name):
    with pytest.raises(graphmap.UsageError, match="suffix"):
        graphmap.convert(FIXTURES / "weights_only", None, tmp_path / name)


def test_existing_files_stay_without_force(tmp_path):
    out = tmp_path / "m.npz"
    out.write_bytes(b"mine")
    with pytest.raises(graphmap.UsageError, match="exists"):
        graphmap.convert(FIXTURES / "weights_only", None, out)
    assert out.read_bytes() == b"mine"


def test_safetensors_are_renamed_by_their_header(tmp_path):
    from safetensors.numpy import save_file

    from graphmap.rewrite.safetensors import stage_safetensors
    from graphmap.rewrite.staging import Staging

    values = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(4, dtype="int8"), "c": np.ones(2)}
    source, out = str(tmp_path / "old.safetensors"), str(tmp_path / "new.safetensors")
    save_file(values, source, metadata={"format": "pt"})
    new_names = {"a": ("x/é",), "b": (), "c": ("a",)}
    with Staging() as staging:
        stage_safetensors(staging, source, out, new_names.__getitem__)
        staging.commit()
    found = load_safetensors(out)
    assert set(found) == {"x/é", "a"}
    assert same(found["x/é"], values["a"]) and same(found["a"], values["c"])


DAMAGED = [b"\xff" * 8 + b"{}", b"\2" + b"\0" * 7 + b"[]", b"\1" + b"\0" * 7 + b"{"]


@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_safetensors_is_one_error(tmp_path, data):
    from graphmap.rewrite.safetensors import stage_safetensors
    from graphmap.rewrite.staging import Staging

    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(graphmap.CorruptArtifactError), Staging() as staging:
        stage_safetensors(staging, str(path), str(tmp_path / "n"), lambda key: (key,))
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def one_safetensors(tmp_path):
    """A folder that holds one safetensors file, and the file."""
    from safetensors.numpy import save_file

    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"a": np.ones(2)}, folder / "m.safetensors")
    return folder, folder / "m.safetensors"


def test_the_file_of_a_folder_is_renamed(tmp_path, one_safetensors):
    folder, _ = one_safetensors
    out = tmp_path / "new.safetensors"
    graphmap.rename(folder, {"b": "a"}, out)
    assert list(load_safetensors(out)) == ["b"]


def test_the_file_of_a_folder_is_never_written_in_place(one_safetensors):
    folder, file = one_safetensors
    before = file.read_bytes()
    for write in (graphmap.rename, graphmap.convert):
        with pytest.raises(graphmap.UsageError, match="source itself"):
            write(folder, {"b": "a"}, file, force=True)
    assert file.read_bytes() == before

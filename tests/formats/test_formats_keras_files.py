"""HDF5 and zip files as Keras writes them, made with h5py."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress

import h5py
import numpy
import pytest

import graphmap
from graphmap.errors import ArtifactError

KERNEL = numpy.arange(12, dtype="float32").reshape(4, 3)


@pytest.fixture
def legacy(tmp_path):
    """Weights and Adam's slots under the layout of Keras 2."""
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.9.0"
        weights = file.create_group("model_weights/dense")
        weights.attrs["weight_names"] = [b"dense/kernel:0"]
        weights["dense/kernel:0"] = KERNEL
        slots = file.create_group("optimizer_weights")
        slots.attrs["weight_names"] = [b"Adam/iter:0", b"Adam/m/dense/kernel:0"]
        slots["Adam/iter:0"] = numpy.int64(5)
        slots.create_dataset(
            "Adam/m/dense/kernel:0", data=KERNEL + 1, chunks=(2, 3), compression="gzip"
        )
    return path


def test_names_roles_and_values_of_keras_2(legacy):
    artifact = graphmap.load(legacy)
    assert (artifact.kind, artifact.producer) == ("keras-h5", "keras 2.9.0")
    rows = {v.name: (v.role, v.slot_of, v.slot, v.checkpoint_key) for v in artifact.variables}
    assert rows == {
        "dense/kernel": ("weight", None, None, "model_weights/dense/dense/kernel:0"),
        "Adam/iter": ("step", None, None, "optimizer_weights/Adam/iter:0"),
        "Adam/m/dense/kernel": (
            "slot", "dense/kernel", "m", "optimizer_weights/Adam/m/dense/kernel:0"
        ),
    }  # fmt: skip
    assert numpy.array_equal(artifact.read("dense/kernel"), KERNEL)
    assert numpy.array_equal(artifact.read("Adam/m/dense/kernel"), KERNEL + 1)
    assert artifact.read("optimizer_weights/Adam/iter:0") == 5


def test_a_keras_archive(tmp_path):
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = KERNEL
        file["optimizer/vars/0"] = numpy.int64(3)
        file["optimizer/vars/2"] = KERNEL
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", "{}")
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
    artifact = graphmap.load(tmp_path / "m.keras")
    assert (artifact.kind, artifact.producer) == ("keras-zip", "keras 3.5.0")
    assert [(v.name, v.role, v.slot_of) for v in artifact.variables] == [
        ("layers/dense/vars/0", "weight", None),
        ("optimizer/vars/0", "step", None),
        ("optimizer/vars/2", "slot", "layers/dense/vars/0"),
    ]
    assert numpy.array_equal(artifact.read("layers/dense/vars/0"), KERNEL)


def test_an_archive_that_blows_up_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"\0" * (32 << 20))
    with pytest.raises(ArtifactError, match="packed into"):
        graphmap.load(tmp_path / "m.keras")


def test_an_archive_without_weights_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ArtifactError, match=r"holds no model\.weights\.h5"):
        graphmap.load(tmp_path / "m.keras")


def test_a_circle_of_groups_is_walked_once(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        group = file.create_group("a")
        group["w"] = KERNEL
        group["again"] = group
    (variable,) = graphmap.load(tmp_path / "m.h5").variables
    assert numpy.array_equal(graphmap.load(tmp_path / "m.h5").read(variable.name), KERNEL)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_that_breaks_off_is_told(legacy, part):
    data = legacy.read_bytes()
    legacy.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ArtifactError):
        graphmap.load(legacy)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"config.json": "{"}, "no JSON"),
        ({"config.json": "[]"}, "no object"),
        ({"config.json": "[" * 100_000}, "nested too deeply"),
        ({"config.json": " " * (20 << 20)}, "packed into"),
    ],
)
def test_a_config_that_cannot_be_read_is_one_error(legacy, tmp_path, members, said):
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(legacy, "model.weights.h5")
        for name, text in members.items():
            archive.writestr(name, text)
    with pytest.raises(ArtifactError, match=said):
        graphmap.load(tmp_path / "m.keras")


def test_members_that_lead_out_and_code_in_a_config_are_told(legacy, tmp_path):
    layer = {"class_name": "Lambda", "config": {"name": "f", "function": ["4wEA", None, None]}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.write(legacy, "model.weights.h5")
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("../evil", "")
    out, code = graphmap.load(tmp_path / "m.keras").warnings
    assert "unpacked elsewhere: ../evil" in out and code.startswith("Lambda")


def test_values_that_lie_elsewhere_are_refused(tmp_path):
    """pyfive would return memory as it finds it for the first, zeros for the second."""
    path = tmp_path / "m.h5"
    (tmp_path / "raw.bin").write_bytes(KERNEL.tobytes())
    with h5py.File(path, "w") as file:
        file["own"] = KERNEL
        layout = h5py.VirtualLayout(shape=KERNEL.shape, dtype="float32")
        layout[...] = h5py.VirtualSource("other.h5", "w", shape=KERNEL.shape)
        file.create_virtual_dataset("virtual", layout)
        outside = [(str(tmp_path / "raw.bin"), 0, KERNEL.nbytes)]
        file.create_dataset("external", shape=KERNEL.shape, dtype="float32", external=outside)
    artifact = graphmap.load(path)
    assert numpy.array_equal(artifact.read("own"), KERNEL)
    assert len(artifact.warnings) == 2
    for name in ("virtual", "external"):
        with pytest.raises(ArtifactError, match="elsewhere"):
            artifact.read(name)
    assert len(artifact.verify_data()) >= 1


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_link_to_another_file_costs_its_entry_only(tmp_path, libver):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["w"] = KERNEL
    with h5py.File(tmp_path / "m.h5", "w", libver=libver) as file:
        file["layer/own"] = KERNEL
        file["layer/far"] = h5py.ExternalLink("other.h5", "w")
        file["layer/near"] = h5py.SoftLink("/layer/own")
        file["far"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/w")
    artifact = graphmap.load(tmp_path / "m.h5")
    assert {v.name for v in artifact.variables} == {"layer/own", "layer/near"}
    far, inner = artifact.warnings
    assert far.startswith("far: is a link to another file") and inner.startswith("layer/far")
    assert numpy.array_equal(artifact.read("layer/own"), KERNEL)


def test_flipped_bytes_never_crash(legacy):
    data = legacy.read_bytes()
    random = numpy.random.default_rng(7)
    for at in random.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[at] ^= int(random.integers(1, 256))
        legacy.write_bytes(bytes(damaged))
        try:
            artifact = graphmap.load(legacy)
            for variable in artifact.variables:
                artifact.read(variable.name)
        except ArtifactError:
            continue


FLOAT32 = bytes.fromhex("11201f000400000000002000170800177f000000")  # IEEE, little-endian


@pytest.mark.parametrize(
    ("mark", "at", "change"),
    [
        pytest.param(b"HEAP", 16, 0x40, id="free list of a heap of names"),
        pytest.param(b"HEAP", 24, 0x80, id="place of a heap of names"),
        pytest.param(b"SNOD", 6, 0x20, id="number of members"),
        pytest.param(b"SNOD", 24, 0x40, id="kind of a member"),
        pytest.param(b"TREE", 4, 0x01, id="kind of a tree"),
        pytest.param(FLOAT32, 13, 0x10, id="size of an exponent"),
        pytest.param(FLOAT32, 14, 0x08, id="place of a mantissa"),
        pytest.param(FLOAT32, 2, 0x08, id="place of a sign"),
    ],
)
def test_a_flipped_bit_that_h5py_refuses_is_told(legacy, mark, at, change):
    data = bytearray(legacy.read_bytes())
    data[data.index(mark) + at] ^= change
    legacy.write_bytes(bytes(data))
    with pytest.raises((OSError, KeyError, RuntimeError, ValueError, TypeError)):
        walk_with_h5py(legacy)
    try:
        artifact = graphmap.load(legacy)
        for variable in artifact.variables:
            artifact.read(variable.name)
    except ArtifactError:
        return
    assert artifact.warnings


@pytest.mark.parametrize("mark", [b"\x89HDF", b"OHDR", b"BTHD", b"BTLF", b"FRHP", b"FHDB", b"FHIB"])
def test_checksums_of_newer_files(tmp_path, mark):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["layer/w"] = KERNEL
        file["layer"].attrs["weight_names"] = [b"w"]
        for number in range(400):  # enough for a tree of links and a heap of several blocks
            file[f"many/{number}"] = numpy.float32(number)
    assert graphmap.load(path).warnings == ()
    data = bytearray(path.read_bytes())
    data[data.rindex(mark) + 12] ^= 1
    path.write_bytes(bytes(data))
    with suppress(ArtifactError):
        assert any("checksum" in warning for warning in graphmap.load(path).warnings)


def walk_with_h5py(path):
    def visit(group):
        list(group.attrs.items())
        for name in group:
            if isinstance(group[name], h5py.Group):
                visit(group[name])
            else:
                group[name][()]

    with h5py.File(path) as file:
        visit(file)

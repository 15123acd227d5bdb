"""safetensors files made by hand, byte by byte, as the format's description has it."""

from __future__ import annotations

import json
import struct

import numpy
import pytest

import graphmap
from graphmap.errors import ArtifactError


def file_bytes(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


W = numpy.arange(6, dtype="<f4").reshape(2, 3)
GOOD = {"__metadata__": {"format": "pt"}, "w": entry("F32", [2, 3], 0, 24)}


def test_values_and_types(tmp_path):
    header = {**GOOD, "n": entry("I64", [], 24, 32), "h": entry("BF16", [2], 32, 36)}
    data = W.tobytes() + struct.pack("<q", 7) + b"\x80\x3f\x00\x40"
    (tmp_path / "m.safetensors").write_bytes(file_bytes(header, data))
    artifact = graphmap.load(tmp_path / "m.safetensors")
    assert artifact.kind == "safetensors" and artifact.warnings == ()
    assert [(v.name, v.shape, v.dtype, v.bytes) for v in artifact.variables] == [
        ("h", (2,), "bfloat16", 4),
        ("n", (), "int64", 8),
        ("w", (2, 3), "float32", 24),
    ]
    assert numpy.array_equal(artifact.read("w"), W)
    assert artifact.read("n") == 7


def test_shards_by_their_index(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(file_bytes(GOOD, W.tobytes()))
    (tmp_path / "b.safetensors").write_bytes(file_bytes({"v": entry("U8", [2], 0, 2)}, b"ab"))
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(
        json.dumps(
            {"weight_map": {"w": "a.safetensors", "v": "b.safetensors", "x": "c.safetensors"}}
        )
    )
    (tmp_path / "config.json").write_text("{}")
    for path in (index, tmp_path):  # the folder holds one artifact: the index and its shards
        artifact = graphmap.load(path)
        assert [v.name for v in artifact.variables] == ["v", "w"]
        assert bytes(artifact.read("v")) == b"ab"
    lost, unplaced = artifact.warnings
    assert "c.safetensors: no such file" in lost and "no shard holds x" in unplaced


def test_a_value_that_two_shards_hold_is_that_of_the_index(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(file_bytes({"v": entry("U8", [2], 0, 2)}, b"ab"))
    (tmp_path / "b.safetensors").write_bytes(file_bytes({"v": entry("U8", [2], 0, 2)}, b"cd"))
    index = tmp_path / "m.safetensors.index.json"
    for shard, value in (("a.safetensors", b"ab"), ("b.safetensors", b"cd")):
        index.write_text(json.dumps({"weight_map": {"v": shard}}))
        artifact = graphmap.load(index)
        assert bytes(artifact.read("v")) == value
    (tmp_path / "other.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes())
    with pytest.raises(ArtifactError, match="holds 3 artifacts"):
        graphmap.load(tmp_path)  # a.safetensors is no shard of this index


@pytest.mark.parametrize("text", ['{"weight_map": {"a": 5}}', '{"weight_map": []}', "[]", "{"])
def test_a_broken_index_is_one_error(tmp_path, text):
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(text)
    for path in (index, tmp_path):
        with pytest.raises(ArtifactError):
            graphmap.load(path)


@pytest.mark.parametrize("shard", ["../a.safetensors", "/etc/passwd", "", "."])
def test_a_shard_elsewhere_is_refused(tmp_path, shard):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": shard}}))
    with pytest.raises(ArtifactError, match="names a shard outside its folder"):
        graphmap.load(index)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"w": entry("Q9", [2, 3], 0, 24)}, "unknown type 'Q9'"),
        ({"w": entry("F32", [2, 3], 0, 24), "v": entry("U8", [4], 20, 24)}, "overlaps"),
        ({"a": entry("U8", [4], 0, 4), "v": entry("U8", [4], 20, 24)}, "leaves a hole"),
        ({"v": entry("U8", [4], 20, 24)}, "a hole before the first"),
        ({"a": entry("U8", [4], 0, 4)}, "belong to no value"),
        ({**GOOD, "__metadata__": {"format": 3}}, "__metadata__"),
    ],
)
def test_a_defect_is_told_and_the_rest_listed(tmp_path, header, said):
    (tmp_path / "m.safetensors").write_bytes(file_bytes(header, W.tobytes()))
    (warning,) = graphmap.load(tmp_path / "m.safetensors").warnings
    assert said in warning


@pytest.mark.parametrize(
    "header",
    [
        b"{}}",
        b'{"w": 1, "w": 2}',
        b'{"w": 3}',
        json.dumps({"\ud800": entry("F32", [2, 3], 0, 24)}).encode(),
        b'{"w": ' + b"[" * 50_000,
        json.dumps({"w": entry("F32", [-1], 0, 4)}).encode(),
        json.dumps({"w": entry("F32", [1 << 40, 1 << 40], 0, 4)}).encode(),
        json.dumps({"w": entry("F32", [True], 0, 4)}).encode(),
        json.dumps({"w": entry("F32", [1], 4, 0)}).encode(),
        json.dumps({"w": entry("F32", [2, 3], 0, 20)}).encode(),
        json.dumps({"w": entry("F32", [2, 3], 8, 32)}).encode(),
        json.dumps({"w": {**entry("F32", [2, 3], 0, 24), "dtype": 1}}).encode(),
    ],
)
def test_a_broken_header_is_one_error(tmp_path, header):
    (tmp_path / "m.safetensors").write_bytes(file_bytes(header, W.tobytes()))
    with pytest.raises(ArtifactError):
        graphmap.load(tmp_path / "m.safetensors")


def test_a_file_that_breaks_off_is_one_error(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(file_bytes(GOOD, W.tobytes()[:-1]))
    with pytest.raises(ArtifactError, match="too short"):
        graphmap.load(tmp_path / "m.safetensors")

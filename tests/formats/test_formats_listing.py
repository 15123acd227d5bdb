"""Listings: every form that people write."""

import io
import json
import sys

import pytest

from graphmap.errors import CorruptArtifactError
from graphmap.formats.registry import read_artifact

W = ("w", (3, None), "float32")
B = ("b", (), "int64")
PLAIN = ("v", None, None)

FORMS = {
    "text": ("n.txt", "# mine\n\nw:0 [3,?] float32\nb [] int64\nv\n", [W, B, PLAIN]),
    "tab separated": ("n.tsv", "w\t[3,?]\tfloat32\nb\t[]\tint64\nv\n", [W, B, PLAIN]),
    "CRLF and a byte order mark": (
        "n.txt",
        "\ufeffw [3, None] float32\r\nb () int64\r\nv\r\n",
        [W, B, PLAIN],
    ),
    "spaces anywhere": (
        "n.txt",
        "w   [3, ?]  float32 \n  b [] int64\n \n\nv \n  # mine\n",
        [W, B, PLAIN],
    ),
    "names of other scripts": ("n.txt", "\u00e9\u3000[3,?] float32\n", [("\u00e9", *W[1:])]),
    "another suffix": ("names.lst", "w [3,?] float32\n", [W]),
    "JSON rows": (
        "n.json",
        json.dumps([{"name": "w:0", "shape": [3, None], "dtype": "float32"}, {"name": "v"}]),
        [W, PLAIN],
    ),
    "JSON names": ("n.json", '["v"]', [PLAIN]),
    "JSON shapes": ("n.json", '{"w": [3, null], "v": null}', [("w", (3, None), None), PLAIN]),
    "a map made by hand": ("map.json", '{"v": "net/v"}', [PLAIN]),
    "a map": (
        "map.json",
        json.dumps({"schema": "graphmap.name-map/1", "entries": [{"expected": "w", "shape": [1]}]}),
        [("w", (1,), None)],
    ),
    "a dtype without a shape": ("n.txt", "b int64\n", [("b", None, "int64")]),
    "names that look like text protos": ("n.txt", "node:0 [1]\n", [("node", (1,), None)]),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(tmp_path, form):
    name, text, wanted = FORMS[form]
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    model = read_artifact(str(tmp_path / name))
    assert model.kind == "listing"
    assert [(t.name, t.shape, t.dtype) for t in model.tensors] == wanted


@pytest.mark.parametrize("odd", ["", "# mine", "w:0", "w [3] float32", "  w\t[3]", "w [3]  "])
def test_long_listings_are_read_as_short_ones(tmp_path, odd):
    lines = [f"layer_{at}/kernel [{at % 7},?]" for at in range(9_000)]
    lines.insert(7_000, odd)
    (tmp_path / "n.txt").write_text("\n".join(lines) + "\n")
    found = read_artifact(str(tmp_path / "n.txt")).tensors
    others = [t for t in found if not t.name.startswith("layer_")]
    assert [(t.name, t.shape) for t in found if t not in others] == [
        (f"layer_{at}/kernel", (at % 7, None)) for at in range(9_000)
    ]
    assert [t.name for t in others] == ["w"] * odd.strip().startswith("w")


def test_long_listings_name_the_line_of_a_fault(tmp_path):
    lines = [f"layer_{at}/kernel [3]" for at in range(9_000)]
    lines[8_000] = "w [3 float32"
    (tmp_path / "n.txt").write_text("\n".join(lines))
    with pytest.raises(CorruptArtifactError, match="line 8001"):
        read_artifact(str(tmp_path / "n.txt"))


def test_standard_input(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(b"w [3,?] float32\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert [tensor.name for tensor in read_artifact("-").tensors] == ["w"]

"""A drawn difference says what differs, of both sides, and nothing that does not."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

import graphmap
from graphmap.api.artifact import Artifact
from graphmap.api.diff_drawing import draw_diff
from graphmap.model.graph import GraphModel, Node, ShapeValue
from graphmap.model.stored import StoredModel
from graphmap.opening import OpenedModel

ROOT = Path(__file__).parents[2]


def dense(made: list[Node], top: str, scope: str, sizes: tuple[int, int]) -> str:
    for name, shape in (("kernel", sizes), ("bias", sizes[1:])):
        made.append(Node(f"{scope}/{name}", "VariableV2", (), "",
                         {"shape": ShapeValue(shape), "dtype": "float32"}))  # fmt: skip
        made.append(Node(f"{scope}/{name}/read", "Identity", (f"{scope}/{name}",), "", {}))
    made.append(Node(f"{scope}/MatMul", "MatMul", (top, f"{scope}/kernel/read"), "", {}))
    inputs = (f"{scope}/MatMul", f"{scope}/bias/read")
    made.append(Node(f"{scope}/BiasAdd", "BiasAdd", inputs, "", {}))
    return f"{scope}/BiasAdd"


def net(path: str, last: str, width: int, *, dropout: bool = False, layers: int = 3) -> Artifact:
    made = [Node("x", "Placeholder", (), "", {"dtype": "float32"})]
    top = "x"
    for number in range(layers):
        top = dense(made, top, f"layer_{number}", (8, 8))
        made.append(Node(f"layer_{number}/Relu", "Relu", (top,), "", {}))
        top = f"layer_{number}/Relu"
    if dropout:
        made.append(Node("noise/Tanh", "Tanh", (top,), "", {}))
        top = "noise/Tanh"
    top = dense(made, top, last, (8, width))
    made.append(Node("loss", "Mean", (top,), "", {}))
    stored = StoredModel(path, "graphdef", graph=GraphModel(tuple(made), producer=27))
    return Artifact(OpenedModel(stored))


def words(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")]


def test_each_side_says_what_the_other_has():
    drawn = draw_diff(graphmap.diff(net("old", "head", 4), net("new", "head", 6, dropout=True)))
    told = words(drawn.data)
    assert {"A: old", "B: new"} <= set(told)
    text = "\n".join(told)
    assert "changed: now 8×6, now 6" in text and "changed: was 8×4, was 4" in text
    assert any("added" in line for line in told) and "dropped" not in told
    assert b'class="k-changed"' in drawn.data and b'class="k-added"' in drawn.data
    assert drawn.data == draw_diff(
        graphmap.diff(net("old", "head", 4), net("new", "head", 6, dropout=True))
    ).data  # fmt: skip


def test_renamed_parts_tell_the_other_name():
    drawn = draw_diff(graphmap.diff(net("old", "head", 4), net("new", "top", 4)))
    text = "\n".join(words(drawn.data))
    assert "renamed" in text and "dropped" not in text and "added" not in text


def test_equal_artifacts_mark_nothing():
    drawn = draw_diff(graphmap.diff(net("old", "head", 4), net("new", "head", 4)))
    text = "\n".join(words(drawn.data))
    assert "the same" in text
    assert not [word for word in ("changed", "renamed", "added", "dropped") if word in text]


def test_a_changed_block_is_not_folded_with_its_equals():
    one, other = net("old", "head", 4, layers=6), net("new", "head", 4, layers=6)
    stored = other.opened.stored
    nodes = [replace_device(n) if n.name == "layer_3/Relu" else n for n in stored.graph.nodes]
    changed = stored._replace(graph=GraphModel(tuple(nodes), producer=27))
    drawn = draw_diff(graphmap.diff(one, Artifact(OpenedModel(changed))))
    lines = words(drawn.data)
    assert any("changed: device" in line for line in lines)
    assert not [line for line in lines if "×6" in line]


def replace_device(node: Node) -> Node:
    return replace(node, device="/gpu:1") if not hasattr(node, "_replace") else node._replace(
        device="/gpu:1"
    )  # fmt: skip


def test_weights_without_a_graph_are_trees_side_by_side(tmp_path):
    for name, width in (("a", 4), ("b", 5)):
        (tmp_path / f"{name}.txt").write_text(f"net/W [3,{width}] float32\nnet/b [4] float32\n")
    found = graphmap.diff(tmp_path / "a.txt", tmp_path / "b.txt")
    told = "\n".join(words(draw_diff(found).data))
    assert "now 3×5" in told and "was 3×4" in told


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "dot", "html"])
def test_command_writes_every_format(tmp_path, suffix):
    out = tmp_path / f"d.{suffix}"
    sides = (ROOT / "fixtures/cnn_training", ROOT / "fixtures/weights_only")
    done = subprocess.run(
        [sys.executable, "-m", "graphmap", "diff", *map(str, sides), "-o", str(out), "-q"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    begin = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "html": b"<!"}
    assert out.read_bytes().startswith(begin[suffix])


def test_a_format_that_draws_no_pair_is_refused_before_the_work(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "graphmap", "diff", "gone", "gone", "-o", str(tmp_path / "d.txt")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "suffix" in done.stderr

"""A part of the graph: what is near a node, and the way between two."""

from __future__ import annotations

import re
from typing import Any

import pytest

from graphmap.errors import RenderError
from graphmap.model.stored import StoredModel
from graphmap.render import Selection, build_picture, render_artifact
from graphmap.render.scene import Scene


def drawn(stored: StoredModel, **chosen: Any) -> Scene:
    scene, _ = build_picture(stored, (), (), chosen=Selection(**chosen))
    total = sum(row.nodes for card in scene.cards for row in card.rows)
    assert total + sum(item.nodes for item in scene.omitted) == scene.nodes
    return scene


def words(scene: Scene) -> str:
    return " ".join(f"{c.header} {row.title} {row.ops}" for c in scene.cards for row in c.rows)


def test_focus_shows_what_is_near_and_no_training(training: StoredModel) -> None:
    scene = drawn(training, focus="dense_0/MatMul", hops=1)
    assert "x placeholder" in words(scene)
    assert "dense_1" not in words(scene)
    assert "gradients" not in words(scene)
    assert scene.title.endswith("dense_0/MatMul and 1 hop around")


def test_more_hops_show_more(training: StoredModel) -> None:
    near, far = (
        sum(row.nodes for card in drawn(training, focus="x", hops=hops).cards for row in card.rows)
        for hops in (1, 4)
    )
    assert near < far


@pytest.mark.parametrize("name", ["dense_0/kernel", "dense_0/kernel:0"])
def test_focus_on_a_variable_shows_its_users(training: StoredModel, name: str) -> None:
    assert "MatMul" in words(drawn(training, focus=name, hops=1))


def test_focus_outside_the_model_shows_the_stored_nodes(training: StoredModel) -> None:
    assert training.graph is not None
    name = next(node.name for node in training.graph.nodes if node.op == "SaveV2")
    assert "SaveV2" in words(drawn(training, focus=name, hops=1))


def test_path_shows_what_lies_between(training: StoredModel) -> None:
    scene = drawn(training, path=("x", "dense_0"))
    assert "dense_0" in words(scene)
    assert "dense_1" not in words(scene)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"focus": "dense_0/MatMull"}, "Did you mean dense_0/MatMul"),
        ({"path": ("dense_1", "x")}, "--path x dense_1"),
        ({"scope": "dense_1", "focus": "x"}, "Give one of them"),
    ],
)
def test_refusals_say_what_to_do(training: StoredModel, chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(RenderError, match=re.escape(said)):
        render_artifact(training, (), (), **chosen)

"""What no engine can lay out legibly is drawn more coarsely, and soon."""

from __future__ import annotations

import importlib
import random
import time
import xml.etree.ElementTree as ElementTree

import pytest
from render_graphs import GraphWriter

from graphmap.model.stored import StoredModel
from graphmap.render import build_picture, render_artifact
from graphmap.render.engine import EngineFailedError
from graphmap.render.scene import Scene


def counted(scene: Scene) -> int:
    drawn = sum(row.nodes for card in scene.cards for row in card.rows)
    return drawn + sum(item.nodes for item in scene.omitted)


def thicket(writer: GraphWriter, nodes: int) -> StoredModel:
    """Scopes that all take from one another."""
    chance = random.Random(7)
    names = [writer.placeholder("x", None, 4)]
    for number in range(nodes):
        name = f"s{chance.randrange(40)}/n{number}"
        names.append(writer.add("Add", name, *chance.choices(names[-60:], k=2)))
    return writer.stored()


def test_a_thicket_becomes_boxes_without_arrows(writer: GraphWriter) -> None:
    scene, layout = build_picture(thicket(writer, 3000), (), ())
    assert counted(scene) == scene.nodes
    assert layout.width <= 1960
    assert "arrows would be no picture" in scene.facts
    assert scene.edges == ()


@pytest.mark.parametrize("shape", ["fan-out", "fan-in"])
def test_a_hub_of_20_000_edges_takes_no_time(writer: GraphWriter, shape: str) -> None:
    if shape == "fan-out":
        writer.add("Placeholder", "hub")
        for number in range(20_000):
            writer.add("Relu", f"a/n{number}", "hub")
    else:
        inputs = [writer.add("Placeholder", f"a/n{number}") for number in range(20_000)]
        writer.add("AddN", "hub", *inputs)
    start = time.process_time()
    scene, _ = build_picture(writer.stored(), (), ())
    assert time.process_time() - start < 15  # 1 measured; a quadratic step takes 100
    assert counted(scene) == scene.nodes


def test_a_failing_engine_still_gives_a_picture(
    training: StoredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise EngineFailedError("the drawing engine did not finish in 20 s", where="engine")

    module = importlib.import_module("graphmap.render.layout")
    monkeypatch.setattr(module, "run_engine", fail)
    scene, _ = build_picture(training, (), ())
    assert counted(scene) == scene.nodes
    assert "did not finish in 20 s: boxes only" in scene.facts
    ElementTree.fromstring(render_artifact(training, (), ()))


def test_a_cycle_and_a_name_of_10_000_levels_are_drawn(writer: GraphWriter) -> None:
    deep = "/".join(["s"] * 10_000)
    writer.placeholder("x", None, 4)
    for number in range(5):
        writer.add("Add", f"{deep}/n{number}", "x", f"{deep}/n{(number + 1) % 5}")
    scene, _ = build_picture(writer.stored(), (), ())
    assert counted(scene) == scene.nodes
    assert len(render_artifact(writer.stored(), (), ())) < 200_000

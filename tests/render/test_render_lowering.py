"""Loops and conditions of functions are frames, and what leads through them stays connected."""

from __future__ import annotations

import pytest

from graphmap.model.graph import Function, FunctionRef, GraphModel, Node
from graphmap.model.stored import StoredModel
from graphmap.render import build_picture
from graphmap.render.lowering import has_control_flow, lower_control_flow


def node(name: str, op: str, *inputs: str, **attrs) -> Node:
    return Node(name, op, inputs, "", attrs)


def function(name: str, inputs: str, returns: dict[str, str], *nodes: Node) -> Function:
    arguments = tuple((one, "float32") for one in inputs)
    return Function(name, arguments, tuple((k, "float32") for k in returns), nodes, returns, {})


BODY = function(
    "body", "hw", {"a": "act:activations:0", "b": "w"},
    node("mul", "MatMul", "h", "w"), node("act", "Tanh", "mul:product:0"),
)  # fmt: skip
COND = function("cond", "hw", {"go": "less:z:0"}, node("less", "Less", "h", "h"))
THEN = function("then", "x", {"y": "r:activations:0"}, node("r", "Relu", "x"))
ELSE = function("other", "x", {"y": "x"})


def looped() -> GraphModel:
    return GraphModel(
        (
            node("x", "Placeholder", dtype="float32"),
            node("w", "VariableV2", dtype="float32"),
            node("net/while", "While", "x", "w", body=FunctionRef("body"),
                 cond=FunctionRef("cond")),
            node("out", "Sigmoid", "net/while:0"),
            node("also", "Sigmoid", "net/while:1"),
        ),
        (BODY, COND),
    )  # fmt: skip


def test_a_loop_keeps_its_state_and_passes_on_what_does_not_change():
    lowered = lower_control_flow(looped(), {"net/while"})
    found = {one.name: one for one in lowered.nodes}
    assert found["out"].inputs == ("net/while/act:0",) or found["out"].inputs == ("net/while/act",)
    assert found["also"].inputs == ("w",)
    assert found["net/while/mul"].inputs == ("net/while/Merge", "w")
    assert found["net/while/Merge"].inputs[0] == "x"
    assert found["net/while/NextIteration"].inputs[0].startswith("net/while/act")
    assert not has_control_flow(lowered)


def test_a_loop_is_told_with_its_ops():
    stored = StoredModel("run/loop.pb", "graphdef", graph=looped())
    scene, _ = build_picture(stored, (), ())
    told = [frame.title for frame in scene.frames] + [card.header for card in scene.cards]
    told += [word for card in scene.cards for row in card.rows for word in (row.title, row.ops)]
    assert "net/while (loop)" in told
    assert any("MatMul" in word for word in told) and any("loop state" in word for word in told)
    counted = sum(row.nodes for card in scene.cards for row in card.rows)
    assert counted + sum(one.nodes for one in scene.omitted) == scene.nodes


@pytest.mark.parametrize("op", ["If", "StatelessIf"])
def test_a_condition_joins_its_branches(op):
    graph = GraphModel(
        (
            node("p", "Placeholder", dtype="bool"),
            node("x", "Placeholder", dtype="float32"),
            node("c", op, "p", "x", then_branch=FunctionRef("then"),
                 else_branch=FunctionRef("other")),
            node("out", "Sigmoid", "c"),
        ),
        (THEN, ELSE),
    )  # fmt: skip
    found = {one.name: one for one in lower_control_flow(graph, {"c"}).nodes}
    assert found["out"].inputs == ("c/Merge",)
    assert found["c/Merge"].inputs in (("c/then/r", "x"), ("c/then/r:0", "x"))


def test_bodies_that_call_themselves_end():
    endless = function(
        "body", "hw", {"a": "again:0", "b": "w"},
        node("again", "While", "h", "w", body=FunctionRef("body"), cond=FunctionRef("cond")),
    )  # fmt: skip
    graph = GraphModel(looped().nodes, (endless, COND))
    assert len(lower_control_flow(graph, {"net/while"}).nodes) < 40


def test_a_missing_function_stays_an_op():
    graph = GraphModel(looped().nodes, (BODY,))
    assert not has_control_flow(graph)
    assert lower_control_flow(graph, {"net/while"}).nodes == graph.nodes

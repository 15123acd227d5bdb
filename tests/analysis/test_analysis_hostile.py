"""Graphs that no TensorFlow would write: analysis may find nothing, but it must end."""

from __future__ import annotations

import random

import pytest

from graphmap.analysis.train_ops import find_train_ops
from graphmap.analysis.variables import find_variables
from graphmap.model.graph import Function, FunctionRef, GraphModel, Node
from graphmap.model.stored import StoredModel

OPS = (
    "Identity", "Switch", "Merge", "Mul", "AddV2", "Const", "VariableV2", "Assign", "ApplyAdam",
    "ApplyFtrl", "AssignSub", "Fill", "Sub", "RealDiv", "Sqrt", "If", "While", "PartitionedCall",
    "SaveV2", "NextIteration", "NoOp", "ScatterSub", "ReadVariableOp", "Pow", "Minimum", "body",
)  # fmt: skip
SCOPES = ("", "gradients/", "a/b/gradients/")
LEAVES = ("grad_ys_0", "Fill", "x_grad/y", "w", "loss_grad/z")


def random_nodes(chance: random.Random, count: int) -> tuple[Node, ...]:
    """Nodes with missing, repeated and circular inputs of any number, and doubled names."""
    names = [chance.choice(SCOPES) + chance.choice(LEAVES) + chance.choice(("", "1", str(i)))
             for i in range(count)]  # fmt: skip
    functions = {attr: FunctionRef("body") for attr in ("then_branch", "body", "f")}
    return tuple(
        Node(
            name,
            chance.choice(OPS),
            tuple(
                chance.choice(("", "", "^")) + chance.choice([*names, "missing"])
                + chance.choice(("", ":1"))
                for _ in range(chance.randint(0, 10))
            ),
            "",
            functions if chance.random() < 0.5 else {},
        )
        for name in names
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_analysis_ends_on_any_graph(seed: int) -> None:
    chance = random.Random(seed)
    inner = random_nodes(chance, 6)
    body = Function("body", (("w", "resource"),), (("o", "float32"),), inner, {"o": "w:o:0"}, {})
    graph = GraphModel(random_nodes(chance, 25), (body,))
    stored = StoredModel("m", "graphdef", graph=graph)
    names = {node.name for node in graph.nodes}
    assert {train_op.name for train_op in find_train_ops(stored)} <= names
    assert {variable.name for variable in find_variables(stored)} <= names


def test_a_long_chain_does_not_recurse() -> None:
    nodes = [Node("n0", "VariableV2", (), "", {})]
    nodes += [Node(f"n{i}", "Mul", (f"n{i - 1}", f"n{i - 1}"), "", {}) for i in range(1, 5000)]
    nodes.append(Node("gradients/grad_ys_0", "Identity", ("n4999",), "", {}))
    nodes.append(
        Node("update", "ApplyGradientDescent", ("n0", "n4999", "gradients/grad_ys_0"), "", {})
    )
    stored = StoredModel("m", "graphdef", graph=GraphModel(tuple(nodes)))
    (train_op,) = find_train_ops(stored)
    assert train_op.name == "update"


def _chain_with_updates(length: int, updates: int) -> GraphModel:
    """A chain of nodes from a variable, and updates that each depend on all of it."""
    nodes = [Node("n0", "VariableV2", (), "", {})]
    nodes += [Node(f"n{i}", "Mul", (f"n{i - 1}", f"n{i - 1}"), "", {}) for i in range(1, length)]
    last = nodes[-1].name
    nodes.append(Node("gradients/grad_ys_0", "Identity", (last,), "", {}))
    inputs = ("n0", last, "gradients/grad_ys_0")
    nodes += [Node(f"u{i}", "ApplyGradientDescent", inputs, "", {}) for i in range(updates)]
    return GraphModel(tuple(nodes))


def test_many_train_ops_over_one_large_graph_are_counted_not_all_walked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("graphmap.analysis.train_ops._WORK", 1000)
    stored = StoredModel("m", "graphdef", graph=_chain_with_updates(300, 9))
    found = find_train_ops(stored)
    assert [train_op.name for train_op in found] == [f"u{i}" for i in range(9)]
    assert [bool(train_op.optimizers) for train_op in found] == [True] * 4 + [False] * 5
    assert "too many train ops" in found[-1].unrecovered[0]


def test_copies_of_a_graph_in_one_file_are_no_further_train_ops() -> None:
    """A file that holds its graph a thousand times: an input by name means the first one."""
    nodes = _chain_with_updates(20, 1).nodes
    stored = StoredModel("m", "graphdef", graph=GraphModel(nodes * 50))
    assert [train_op.name for train_op in find_train_ops(stored)] == ["u0"]

"""What runs before what: branches that exclude each other, loops turn by turn, races."""

from __future__ import annotations

import pytest

from graphmap.analysis.updates import upstream
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel, Node
from graphmap.tf.ordering import Order
from graphmap.tf.transplant_races import order_or_decline


def graph_of(*rows: tuple[str, str, str]) -> GraphModel:
    """Rows of (name, op, inputs with blanks between)."""
    return GraphModel(
        tuple(Node(name, op, tuple(inputs.split()), "", {}) for name, op, inputs in rows)
    )


BRANCHES = (
    ("w", "VarHandleOp", ""),
    ("p", "Placeholder", ""),
    ("one", "Const", ""),
    ("switch", "Switch", "w p"),
    ("no", "AssignSubVariableOp", "switch:0 one"),
    ("yes", "ReadVariableOp", "switch:1"),
    ("merge", "Merge", "one yes"),
    ("root", "NoOp", "^merge ^no"),
)


def order_of(graph: GraphModel, root: str) -> Order:
    return Order(graph, upstream(graph, [graph.index[root]]))


def test_ops_of_two_branches_never_both_run() -> None:
    graph = graph_of(*BRANCHES)
    order = order_of(graph, "root")
    at = graph.index

    assert order.never_both(at["no"], at["yes"])
    assert not order.never_both(at["no"], at["one"])
    assert order.branches(at["merge"]) == frozenset()
    assert order_or_decline(graph, ["root"], [], []) == []


def loop(gate: str) -> GraphModel:
    """A loop whose turn reads and then writes w; the next turn waits for `gate`."""
    return graph_of(
        ("w", "VarHandleOp", ""),
        ("start", "Const", ""),
        ("enter", "Enter", "start"),
        ("handle", "Enter", "w"),
        ("merge", "Merge", "enter next"),
        ("limit", "Less", "merge"),
        ("cond", "LoopCond", "limit"),
        ("switch", "Switch", "merge cond"),
        ("body", "Identity", "switch:1"),
        ("read", "ReadVariableOp", "handle ^body"),
        ("write", "AssignSubVariableOp", "handle read"),
        ("next", "NextIteration", f"body {gate}".strip()),
        ("exit", "Exit", "switch:0"),
        ("keep", "Identity", "body ^write"),
    )


def test_a_turn_that_waits_for_the_write_is_in_order() -> None:
    graph = loop("^write")

    assert order_or_decline(graph, ["exit"], [], []) == []


def test_a_turn_that_does_not_wait_races_with_the_next_one() -> None:
    graph = loop("")

    with pytest.raises(ReconstructionError, match="races: nothing orders read"):
        order_or_decline(graph, ["keep"], [], [])


def test_a_reader_in_a_branch_is_ordered_by_what_lives_behind_it() -> None:
    """An edge from the branch itself would kill the writer where it is not taken."""
    graph = graph_of(
        ("w", "VariableV2", ""),
        ("p", "Placeholder", ""),
        ("one", "Const", ""),
        ("switch", "RefSwitch", "w p"),
        ("reader", "Square", "switch:1"),
        ("other", "Identity", "one"),
        ("merge", "Merge", "reader other"),
        ("write", "AssignSub", "w one"),
        ("root", "NoOp", "^merge ^write"),
    )
    at = graph.index

    edges = order_or_decline(graph, ["root"], ["w"], ["reader", "write"])

    assert edges == [(at["merge"], at["write"])]


def test_an_unordered_reader_of_a_stored_ref_is_declined() -> None:
    graph = graph_of(
        ("w", "VariableV2", ""),
        ("reader", "Square", "w"),
        ("write", "AssignSub", "w reader"),
        ("late", "Square", "w"),
        ("root", "NoOp", "^late ^write"),
    )

    with pytest.raises(ReconstructionError, match="nothing orders late, which reads w"):
        order_or_decline(graph, ["root"], [], [])
    assert order_or_decline(graph, ["root"], ["w"], []) == [
        (graph.index["late"], graph.index["write"])
    ]

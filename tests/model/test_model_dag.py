"""A stored graph as an acyclic networkx graph."""

import networkx
import pytest

from graphmap.model.dag import to_networkx
from graphmap.model.graph import BackEdge, GraphModel, Node
from graphmap.model.graph_check import find_defects


def graph(*rows):
    return GraphModel(tuple(Node(name, op, tuple(inputs), "", {}) for name, op, *inputs in rows))


def edges(result):
    return sorted((u, v, d["output"], d["input"]) for u, v, d in result.edges(data=True))


def test_parallel_and_control_edges_are_kept():
    result, back = to_networkx(graph(("a", "Const"), ("b", "Mul", "a", "a:1", "^a")))
    assert back == ()
    assert edges(result) == [("a", "b", -1, 2), ("a", "b", 0, 0), ("a", "b", 1, 1)]
    assert result.nodes["b"]["op"] == "Mul"
    assert list(result.nodes) == ["a", "b"]


LOOP = graph(
    ("enter", "Enter"), ("merge", "Merge", "enter", "next"), ("add", "Add", "merge"),
    ("next", "NextIteration", "add"),
)  # fmt: skip


def test_a_while_loop_is_no_defect():
    result, back = to_networkx(LOOP)
    assert back == (BackEdge("next", "merge", 0, 1),)
    assert networkx.is_directed_acyclic_graph(result)
    assert find_defects(LOOP) == ()


CYCLE = graph(
    ("e", "X"), ("a", "X", "c", "e"), ("b", "X", "a"), ("c", "X", "b"), ("after", "X", "c")
)


def test_another_cycle_is_broken_the_same_way_every_time_and_named():
    result, back = to_networkx(CYCLE)
    assert back == (BackEdge("c", "a", 0, 0),)
    assert networkx.is_directed_acyclic_graph(result)
    assert find_defects(CYCLE) == ("the graph has a cycle that is no while loop, through a, b, c",)


def test_a_node_that_feeds_itself():
    result, back = to_networkx(graph(("a", "X", "a")))
    assert back == (BackEdge("a", "a", 0, 0),)
    assert len(result.edges) == 0


def test_missing_producers_and_names_that_stand_twice_are_kept_and_named():
    damaged = graph(("a", "X", "gone:2", "^gone"), ("a", "Y"), ("b", "Z", "a"))
    result, _ = to_networkx(damaged)
    assert result.nodes["gone"]["op"] == "missing"
    assert result.nodes["a#2"]["op"] == "Y"
    assert ("a", "b", 0, 0) in edges(result)
    assert find_defects(damaged) == (
        "the graph has node names that stand twice: a",
        "the graph lacks nodes that are inputs of a",
    )


@pytest.mark.parametrize("closed", [False, True])
def test_long_chains_need_no_recursion(closed):
    size = 20_000
    rows = [(f"n{i}", "X", f"n{i - 1}") for i in range(1, size)]
    chain = graph(("n0", "X", *([f"n{size - 1}"] if closed else [])), *rows)
    result, back = to_networkx(chain)
    assert len(back) == closed
    assert len(result.edges) == size - 1
    assert len(find_defects(chain)) == closed


def test_the_graph_is_what_networkx_itself_would_build():
    rows = [("a", "X"), ("b", "Y", "a", "a", "gone:1", "^a"), ("a", "Z", "b"), ("a#2", "W", "a")]
    result, _ = to_networkx(graph(*rows))
    built = networkx.MultiDiGraph()
    for name, op in (("a", "X"), ("b", "Y"), ("a#3", "Z"), ("a#2", "W"), ("gone", "missing")):
        built.add_node(name, op=op, device="", attrs={})
    for source, target, output, place in (
        ("a", "b", 0, 0), ("a", "b", 0, 1), ("gone", "b", 1, 2), ("a", "b", -1, 3),
        ("b", "a#3", 0, 0), ("a", "a#2", 0, 0),
    ):  # fmt: skip
        built.add_edge(source, target, output=output, input=place)
    assert networkx.utils.graphs_equal(result, built)
    assert list(result.in_edges("b", keys=True)) == list(built.in_edges("b", keys=True))
    result.add_edge("b", "gone")
    assert result.has_edge("b", "gone") and "b" in result.pred["gone"]

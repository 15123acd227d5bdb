"""Which node writes which variable, through control flow and function bodies."""

from __future__ import annotations

import pytest
from analysis_graphs import GraphBuilder, call, function, node

from graphmap.analysis.writes import find_writes, trace_variable


def written(build: GraphBuilder) -> dict[str, list[str]]:
    graph = build.graph()
    return {
        graph.nodes[at].name: [graph.nodes[variable].name for variable in write.variables]
        for at, write in find_writes(graph).by_node.items()
    }


@pytest.mark.parametrize("between", ["Identity", "RefSwitch", "RefEnter", "Switch", "Enter"])
def test_a_write_is_traced_through(between: str) -> None:
    build = GraphBuilder()
    build.add("VariableV2", "w")
    build.add(between, "between", "w")
    build.add("AssignAdd", "write", "between:0", "value")
    assert written(build) == {"write": ["w"]}


def test_a_write_of_what_an_earlier_write_gave_back() -> None:
    build = GraphBuilder()
    build.add("VariableV2", "m")
    build.add("Assign", "first", "m", "value")
    build.add("ScatterAdd", "second", "first", "indices", "updates")
    assert written(build) == {"first": ["m"], "second": ["m"]}


def test_a_fused_update_writes_its_slots_too() -> None:
    build = GraphBuilder()
    for name in ("w", "w/Adam", "w/Adam_1"):
        build.add("VarHandleOp", name)
    build.add("ResourceApplyAdam", "update", "w", "w/Adam", "w/Adam_1")
    assert written(build) == {"update": ["w", "w/Adam", "w/Adam_1"]}


def test_a_branch_that_writes_its_argument() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "kept")
    build.add("VarHandleOp", "written")
    branches = {"then_branch": call("then"), "else_branch": call("no")}
    build.add("If", "cond", "which", "kept", "written", **branches)
    build.functions = [
        function("then", ["a", "b"], node("AssignVariableOp", "assign", "b", "value:output:0")),
        function("no", ["a", "b"], node("ReadVariableOp", "read", "a")),
    ]
    assert written(build) == {"cond": ["written"]}


def test_a_call_in_a_call() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "w")
    build.add("StatefulPartitionedCall", "call", "x", "w", f=call("outer"))
    build.functions = [
        function("outer", ["x", "h"], node("PartitionedCall", "inner", "h", f=call("inner"))),
        function("inner", ["r"], node("ResourceApplyGradientDescent", "apply", "r", "l", "g")),
    ]
    graph = build.graph()
    (write,) = find_writes(graph).by_node.values()
    assert write.applies and written(build) == {"call": ["w"]}


def test_a_recursive_function_ends() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "w")
    build.add("PartitionedCall", "call", "w", f=call("again"))
    build.functions = [function("again", ["h"], node("PartitionedCall", "c", "h", f=call("again")))]
    assert written(build) == {}


def test_no_variable_at_the_end() -> None:
    build = GraphBuilder()
    build.add("Placeholder", "x")
    build.add("Identity", "y", "x")
    graph = build.graph()
    assert trace_variable(graph, graph.index["y"]) == -1


def test_a_ring_of_merges_ends() -> None:
    build = GraphBuilder()
    build.add("Merge", "merge", "next", "start")
    build.add("NextIteration", "next", "merge")
    assert trace_variable(build.graph(), 0) == -1

"""Roles come from structure, and every node has one."""

from __future__ import annotations

import pytest
from render_graphs import GraphWriter

from graphmap.model.stored import StoredModel
from graphmap.render.forward import find_forward
from graphmap.render.optable import is_parameter_input
from graphmap.render.roles import find_roles


@pytest.mark.parametrize(
    ("node", "role"),
    [
        ("x", "input"),
        ("dense_0/MatMul", "model"),
        ("loss/Mean", "model"),
        ("dense_0/kernel", "variable"),
        ("dense_0/kernel/Adam", "slot"),
        ("dense_0/kernel/Initializer/zeros", "init"),
        ("dense_0/kernel/Assign", "init"),
        ("train/gradients/dense_0/kernel_grad/Mul", "gradients"),
        ("train/gradients/Shape", "gradients"),
        ("train/Adam/update_dense_0/kernel/ApplyAdam", "optimizer"),
        ("train/Adam/lr", "optimizer"),
        ("train/Adam", "group"),
        ("save/filename", "save"),
        ("save/control_dependency", "save"),
        ("save/Assign_0", "save"),
        ("summary", "summary"),
        ("tag", "summary"),
        ("loss/axes", "parameter"),
    ],
)
def test_role(training: StoredModel, node: str, role: str) -> None:
    graph = training.graph
    assert graph is not None
    assert find_roles(graph).role[graph.index[node]] == role


def test_loss_is_found_from_the_gradient_scope(training: StoredModel) -> None:
    graph = training.graph
    assert graph is not None
    roles = find_roles(graph)
    assert [graph.nodes[position].name for position in roles.losses] == ["loss/Mean"]
    assert roles.scopes == ("train/gradients",)


def test_model_is_what_remains(training: StoredModel) -> None:
    graph = training.graph
    assert graph is not None
    forward = find_forward(training, graph, find_roles(graph))
    shown = {graph.nodes[op].name for op in forward.ops}
    layers = {f"dense_{n}/{op}" for n in (0, 1) for op in ("MatMul", "BiasAdd", "Relu")}
    assert shown == {"x", "loss/Mean", *layers}
    used = forward.weights[graph.index["dense_1/MatMul"]]
    assert [graph.nodes[weight].name for weight in used] == ["dense_1/kernel"]


@pytest.mark.parametrize(
    ("op", "place", "count"),
    [("Reshape", 1, 2), ("ConcatV2", 2, 3), ("StridedSlice", 3, 4), ("TensorArrayReadV3", 1, 3)],
)
def test_parameters_of_ops(op: str, place: int, count: int) -> None:
    assert is_parameter_input(op, place, count)


@pytest.mark.parametrize(
    ("op", "place", "count"),
    [("Reshape", 0, 2), ("ConcatV2", 1, 3), ("TensorArrayReadV3", 2, 3), ("MatMul", 1, 2)],
)
def test_data_of_ops(op: str, place: int, count: int) -> None:
    assert not is_parameter_input(op, place, count)


def test_loops_and_self_references_end() -> None:
    """A while loop, and a malformed circle: every node still gets a role."""
    writer = GraphWriter()
    x = writer.placeholder("x", 4)
    writer.add("Enter", "w/Enter", x)
    writer.add("Merge", "w/Merge", "w/Enter", "w/Next")
    writer.add("Add", "w/add", "w/Merge", "w/Merge")
    writer.add("NextIteration", "w/Next", "w/add")
    writer.add("Add", "a", "b", x)
    writer.add("Add", "b", "a", "missing")
    graph = writer.stored().graph
    assert graph is not None
    roles = find_roles(graph)
    assert sorted(roles.order) == list(range(len(graph.nodes)))

"""Which variable a raw gradient is of, and where it leaves the gradient scope."""

from __future__ import annotations

import pytest

from graphmap.analysis.gradients import TensorRef
from graphmap.analysis.loops import loop_frames, loop_nodes
from graphmap.analysis.raw_gradients import raw_gradients
from graphmap.analysis.updates import find_training
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel, Node


def graph_of(*rows: tuple[str, str, str]) -> GraphModel:
    return GraphModel(
        tuple(Node(name, op, tuple(inputs.split()), "", {}) for name, op, inputs in rows)
    )


FORWARD = (
    ("a", "VariableV2", ""),
    ("b", "VariableV2", ""),
    ("a/read", "Identity", "a"),
    ("b/read", "Identity", "b"),
    ("loss", "Mul", "a/read b/read"),
    ("gradients/Shape", "Const", ""),
    ("gradients/grad_ys_0/Const", "Const", ""),
    ("gradients/grad_ys_0", "Fill", "gradients/Shape gradients/grad_ys_0/Const"),
    ("gradients/loss_grad/Mul", "Mul", "gradients/grad_ys_0 b/read"),
    ("gradients/loss_grad/Mul_1", "Mul", "gradients/grad_ys_0 a/read"),
    ("rate", "Const", ""),
)


def test_a_norm_does_not_mix_the_owners() -> None:
    graph = graph_of(
        *FORWARD,
        ("l2_a", "L2Loss", "gradients/loss_grad/Mul"),
        ("l2_b", "L2Loss", "gradients/loss_grad/Mul_1"),
        ("both", "Pack", "l2_a l2_b"),
        ("sum", "Sum", "both rate"),
        ("clip_a", "Mul", "gradients/loss_grad/Mul sum"),
        ("clip_b", "Mul", "gradients/loss_grad/Mul_1 sum"),
        ("step_a", "ApplyGradientDescent", "a rate clip_a"),
        ("step_b", "ApplyGradientDescent", "b rate clip_b"),
        ("train", "NoOp", "^step_a ^step_b"),
    )
    at = graph.index
    training = find_training(graph)

    found = {
        raw.variable: (raw.tensor, raw.indices) for raw in raw_gradients(training, [at["train"]])
    }

    assert found == {
        at["a"]: (TensorRef(at["gradients/loss_grad/Mul"], 0), None),
        at["b"]: (TensorRef(at["gradients/loss_grad/Mul_1"], 0), None),
    }


def test_a_gradient_of_two_variables_is_declined() -> None:
    graph = graph_of(
        *FORWARD,
        ("mixed", "Add", "gradients/loss_grad/Mul gradients/loss_grad/Mul_1"),
        ("step_a", "ApplyGradientDescent", "a rate mixed"),
        ("step_b", "ApplyGradientDescent", "b rate mixed"),
        ("train", "NoOp", "^step_a ^step_b"),
    )

    with pytest.raises(ReconstructionError, match="several variables"):
        raw_gradients(find_training(graph), [graph.index["train"]])


def test_a_leaf_inside_a_loop_is_no_train_op() -> None:
    graph = graph_of(
        *FORWARD,
        ("enter", "Enter", "rate"),
        ("inside", "Identity", "enter"),
        ("step_a", "ApplyGradientDescent", "a inside gradients/loss_grad/Mul"),
        ("look", "Mul", "step_a rate"),
        ("exit", "Exit", "step_a"),
    )
    training = find_training(graph)

    assert [graph.nodes[at].name for at in training.train_ops] == ["exit"]
    assert graph.index["look"] in loop_nodes(graph)
    assert graph.index["exit"] not in loop_frames(graph)

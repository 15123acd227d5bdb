"""Gradients that a stored graph clips or scales before an update, or only hands on."""

from __future__ import annotations

import pytest

from graphmap.analysis.changed_gradients import changed_gradient
from graphmap.analysis.updates import find_training
from graphmap.model.graph import GraphModel, Node

FORWARD = (
    ("a", "VarHandleOp", ""),
    ("acc", "VarHandleOp", ""),
    ("a/read", "ReadVariableOp", "a"),
    ("loss", "Square", "a/read"),
    ("gradients/Shape", "Const", ""),
    ("gradients/grad_ys_0/Const", "Const", ""),
    ("gradients/grad_ys_0", "Fill", "gradients/Shape gradients/grad_ys_0/Const"),
    ("gradients/loss_grad/Mul", "Mul", "gradients/grad_ys_0 a/read"),
    ("rate", "Const", ""),
    ("limit", "Const", ""),
)


def found(*rows: tuple[str, str, str]) -> str | None:
    nodes = tuple(
        Node(name, op, tuple(inputs.split()), "", {}) for name, op, inputs in (*FORWARD, *rows)
    )
    return changed_gradient(find_training(GraphModel(nodes)), "train")


def update(gradient: str) -> tuple[tuple[str, str, str], ...]:
    apply = ("train/update_a/Apply", "ResourceApplyAdagrad", f"a acc rate {gradient}")
    return (apply, ("train", "NoOp", "^train/update_a/Apply"))


@pytest.mark.parametrize(
    ("between", "gradient", "changed"),
    [
        ((("clip/Mul", "Mul", "gradients/loss_grad/Mul limit"),), "clip/Mul", "clip/Mul"),
        (
            (
                ("scaled", "RealDiv", "gradients/loss_grad/Mul limit"),
                ("tuple", "Identity", "scaled"),
            ),
            "tuple",
            "scaled",
        ),
    ],
)
def test_ops_between_gradient_and_update_are_told(between, gradient, changed) -> None:
    assert found(*between, *update(gradient)) == changed


@pytest.mark.parametrize(
    "between",
    [
        (),
        (("hold", "Identity", "gradients/loss_grad/Mul"),),
        (("train/update_a/sum", "UnsortedSegmentSum", "gradients/loss_grad/Mul limit limit"),),
        (("train/update_a/mul", "Mul", "gradients/loss_grad/Mul rate"),),
    ],
)
def test_what_the_optimizer_itself_does_is_no_change(between) -> None:
    last = between[-1][0] if between else "gradients/loss_grad/Mul"
    assert found(*between, *update(last)) is None


def test_another_train_op_is_not_asked_about() -> None:
    assert found(("clip", "Mul", "gradients/loss_grad/Mul limit"), *update("clip"))
    rows = (("clip", "Mul", "gradients/loss_grad/Mul limit"), ("train", "NoOp", ""))
    assert found(*rows) is None

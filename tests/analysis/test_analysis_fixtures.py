"""What analysis says of files that TensorFlow itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmap.opening import open_model

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize("folder", ["adam_saver", "adam_saved_model"])
def test_adam(folder: str) -> None:
    opened = open_model(str(FIXTURES / folder))
    (train_op,) = opened.train_ops
    assert (train_op.name, train_op.loss, train_op.global_step) == (
        "train_op", "loss:0", "global_step",
    )  # fmt: skip
    assert [feed.tensor for feed in train_op.feeds] == ["x:0", "y:0"]
    (optimizer,) = train_op.optimizers
    assert optimizer.kind == "Adam"
    assert optimizer.hyperparameters == {
        "learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
    }  # fmt: skip
    roles = {variable.name: variable.role for variable in opened.variables}
    weights = {name for name, role in roles.items() if role == "weight"}
    assert weights == set(optimizer.slots) == {"my_model/W", "my_model/b", "my_model/V"}
    assert roles["global_step"] == "step" and roles["beta1_power"] == "optimizer"
    assert {variable.basis for variable in opened.variables} == {"confirmed"}


def test_a_schedule_and_dropout() -> None:
    (train_op,) = open_model(str(FIXTURES / "cnn_training")).train_ops
    (optimizer,) = train_op.optimizers
    rate = optimizer.hyperparameters["learning_rate"]
    assert optimizer.kind == "Momentum" and len(optimizer.slots) == 8
    assert rate["schedule"] == {
        "kind": "exponential_decay", "initial": 0.01, "decay_rate": 0.9, "decay_steps": 1000,
        "staircase": True,
    }  # fmt: skip
    assert any("random numbers without a seed" in line for line in train_op.unrecovered)


def test_weights_alone_have_no_train_op() -> None:
    opened = open_model(str(FIXTURES / "weights_only"))
    assert opened.train_ops == ()
    assert {variable.role for variable in opened.variables} == {"weight"}

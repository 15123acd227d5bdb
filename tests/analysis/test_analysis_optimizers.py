"""Kinds, hyper-parameters and slots, read off the update ops' own inputs."""

from __future__ import annotations

from typing import Any

import pytest
from analysis_graphs import GraphBuilder, call, function, node, sgd_graph

from graphmap.analysis.train_ops import find_train_ops
from graphmap.model.graph import ShapeValue
from graphmap.model.training import OptimizerSpec, TrainOp


def train_op(build: GraphBuilder) -> TrainOp:
    (found,) = find_train_ops(build.stored())
    return found


def optimizer(build: GraphBuilder) -> OptimizerSpec:
    (found,) = train_op(build).optimizers
    return found


def adam(build: GraphBuilder) -> list[str]:
    """The scalars of Adam, and its two powers; returns the names of m and v of w."""
    build.variable("w/Adam", 2, 2)
    build.variable("w/Adam_1", 2, 2)
    build.variable("beta1_power")
    build.variable("beta2_power")
    for name, value in (("lr", 0.01), ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)):
        build.const(name, value)
    return ["w/Adam", "w/Adam_1"]


ADAM = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
POWERS = {"beta1_power": "beta1_power", "beta2_power": "beta2_power"}


def test_dense_adam() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    inputs = ["w", *adam(build), "beta1_power/read", "beta2_power/read"]
    build.add("ApplyAdam", "update", *inputs, "lr", "beta1", "beta2", "epsilon", gradient)
    found = optimizer(build)
    assert (found.kind, found.hyperparameters, found.non_slots) == ("Adam", ADAM, POWERS)
    assert found.slots == {"w": {"m": "w/Adam", "v": "w/Adam_1"}}
    assert found.sparse == ()


def sparse_adam(
    build: GraphBuilder, gradient: str, w: str, m: str, v: str, powers: list[str]
) -> None:
    """AdamOptimizer._apply_sparse_shared of TF 1.15, over ref variables."""
    build.const("one", 1.0)
    build.add("Sub", "s/root", "one", powers[1])
    build.add("Sqrt", "s/sqrt", "s/root")
    build.add("Mul", "s/lr_root", "lr", "s/sqrt")
    build.add("Sub", "s/rest", "one", powers[0])
    build.add("RealDiv", "s/lr", "s/lr_root", "s/rest")
    for slot, beta, scaled in ((m, "beta1", gradient), (v, "beta2", "s/square")):
        if scaled == "s/square":
            build.add("Mul", "s/square", gradient, gradient)
        build.add("Sub", f"s/{beta}_rest", "one", beta)
        build.add("Mul", f"s/{beta}_scaled", scaled, f"s/{beta}_rest")
        build.add("Mul", f"s/{beta}_kept", f"{slot}/read", beta)
        build.add("Assign", f"s/{beta}_assign", slot, f"s/{beta}_kept")
        build.add("ScatterAdd", f"s/{beta}_t", f"s/{beta}_assign", "indices", f"s/{beta}_scaled")
    build.add("Sqrt", "s/v_sqrt", "s/beta2_t")
    build.add("AddV2", "s/denominator", "s/v_sqrt", "epsilon")
    build.add("Mul", "s/lr_m", "s/lr", "s/beta1_t")
    build.add("RealDiv", "s/delta", "s/lr_m", "s/denominator")
    build.add("AssignSub", "update", w, "s/delta")


def test_sparse_adam_has_no_fused_op() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    m, v = adam(build)
    sparse_adam(build, gradient, "w", m, v, ["beta1_power/read", "beta2_power/read"])
    found = optimizer(build)
    assert (found.kind, found.hyperparameters, found.non_slots) == ("Adam", ADAM, POWERS)
    assert found.slots == {"w": {"m": "w/Adam", "v": "w/Adam_1"}}
    assert found.sparse == ("w",)


def test_dense_and_sparse_adam_are_one_optimizer() -> None:
    build = GraphBuilder()
    build.loss("e", "w")
    gradients = build.gradients("e", "w")
    adam(build)
    build.variable("e/Adam", 2, 2)
    build.variable("e/Adam_1", 2, 2)
    powers = ["beta1_power/read", "beta2_power/read"]
    sparse_adam(build, gradients[0], "e", "e/Adam", "e/Adam_1", powers)
    inputs = ["w", "w/Adam", "w/Adam_1", *powers, "lr", "beta1", "beta2", "epsilon", gradients[1]]
    build.add("ApplyAdam", "dense", *inputs)
    build.add("NoOp", "both", "^update", "^dense")
    found = optimizer(build)
    assert set(found.slots) == {"e", "w"} and found.sparse == ("e",)


def weight_decay(build: GraphBuilder, *, decay: bool = True) -> None:
    """BERT's AdamWeightDecayOptimizer over w."""
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("w/adam_m", 2, 2)
    build.variable("w/adam_v", 2, 2)
    scalars = {"lr": 0.02, "b1": 0.9, "r1": 0.1, "b2": 0.999, "r2": 0.001, "eps": 1e-6, "wd": 0.01}
    for name, value in scalars.items():
        build.const(name, value)
    build.add("Square", "square", gradient)
    for slot, kept, rest, source in (("m", "b1", "r1", gradient), ("v", "b2", "r2", "square")):
        build.add("Mul", f"{slot}/kept", kept, f"w/adam_{slot}/read")
        build.add("Mul", f"{slot}/new", rest, source)
        build.add("AddV2", f"next_{slot}", f"{slot}/kept", f"{slot}/new")
        build.add("Assign", f"assign_{slot}", f"w/adam_{slot}", f"next_{slot}")
    build.add("Sqrt", "sqrt", "next_v")
    build.add("AddV2", "denominator", "sqrt", "eps")
    update = build.add("RealDiv", "ratio", "next_m", "denominator")
    if decay:
        build.add("Mul", "decay", "wd", "w/read")
        update = build.add("AddV2", "decayed", "ratio", "decay")
    build.add("Mul", "scaled", "lr", update)
    build.add("Sub", "next_w", "w/read", "scaled")
    build.add("Assign", "assign_w", "w", "next_w")
    build.add("NoOp", "train", "^assign_w", "^assign_m", "^assign_v")


@pytest.mark.parametrize(("decay", "rate"), [(True, 0.01), (False, 0.0)])
def test_adam_weight_decay(decay: bool, rate: float) -> None:
    build = GraphBuilder()
    weight_decay(build, decay=decay)
    found = optimizer(build)
    assert found.kind == "AdamWeightDecay"
    assert found.slots == {"w": {"m": "w/adam_m", "v": "w/adam_v"}}
    assert found.hyperparameters == {
        "learning_rate": 0.02, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6,
        "weight_decay_rate": rate,
    }  # fmt: skip


def test_momentum_by_hand() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("buf", 2, 2)
    build.const("mu", 0.9)
    build.const("lr", 0.05)
    build.add("Mul", "kept", "mu", "buf/read")
    build.add("AddV2", "next", "kept", gradient)
    build.add("Assign", "assign", "buf", "next")
    build.add("Mul", "delta", "lr", "assign")
    build.add("AssignSub", "step", "w", "delta")
    found = optimizer(build)
    assert (found.kind, found.slots) == ("Momentum", {"w": {"momentum": "buf"}})
    assert found.hyperparameters == {"learning_rate": 0.05, "momentum": 0.9}


def test_an_unknown_rule_keeps_its_state() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("w/mystery", 2, 2)
    build.add("Sign", "sign", gradient)
    build.add("Maximum", "next", "w/mystery/read", "sign")
    build.add("Assign", "assign", "w/mystery", "next")
    build.add("Cos", "delta", "next")
    build.add("AssignSub", "step", "w", "delta")
    build.add("NoOp", "train", "^step", "^assign")
    found = optimizer(build)
    assert (found.kind, found.slots) == ("custom", {"w": {"mystery": "w/mystery"}})


def test_sparse_gradient_descent() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.const("lr", 0.13)
    build.add("Mul", "values", gradient, "lr")
    build.add("ScatterSub", "update", "w", "indices", "values")
    found = optimizer(build)
    assert (found.kind, found.sparse) == ("GradientDescent", ("w",))
    assert found.hyperparameters == {"learning_rate": 0.13}


def test_ftrl_takes_its_l2_apart() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    for slot, initial in (("w/Ftrl", 0.1), ("w/Ftrl_1", 0.0)):
        build.add("VariableV2", slot, shape=ShapeValue((2, 2)), dtype="float32")
        build.const(f"{slot}/initial", [[initial] * 2] * 2)
        build.add("Assign", f"{slot}/Assign", slot, f"{slot}/initial")
    for name, value in (("lr", 0.2), ("l1", 0.001), ("l2", 0.004), ("beta", 0.5), ("power", -0.5)):
        build.const(name, value)
    build.const("two", 2.0)
    build.add("Mul", "twice", "two", "lr")
    build.add("RealDiv", "share", "beta", "twice")
    build.add("AddV2", "l2_all", "l2", "share")
    build.add("ApplyFtrl", "u", "w", "w/Ftrl", "w/Ftrl_1", gradient, "lr", "l1", "l2_all", "power")
    assert optimizer(build).hyperparameters == {
        "learning_rate": 0.2, "l1_regularization_strength": 0.001,
        "l2_regularization_strength": 0.004, "learning_rate_power": -0.5, "beta": 0.5,
        "initial_accumulator_value": 0.1,
    }  # fmt: skip


def rate(build: GraphBuilder) -> Any:
    return optimizer(build).hyperparameters["learning_rate"]


def with_rate(build: GraphBuilder, source: str) -> GraphBuilder:
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.add("ApplyGradientDescent", "train", "w", source, gradient)
    return build


def test_a_rate_from_a_placeholder() -> None:
    build = GraphBuilder()
    build.add("Placeholder", "lr", dtype="float32", shape=ShapeValue(()))
    with_rate(build, "lr")
    assert rate(build) == {"tensor": "lr:0", "source": "placeholder", "schedule": None}
    assert train_op(build).unrecovered == ("learning_rate is fed through placeholder lr:0",)
    assert [feed.tensor for feed in train_op(build).feeds] == ["lr:0"]


def test_a_rate_from_a_variable() -> None:
    build = GraphBuilder()
    read = build.variable("hyper/lr")
    with_rate(build, read)
    assert rate(build) == {"tensor": "hyper/lr:0", "source": "variable", "schedule": None}


def test_a_constant_of_another_dtype_keeps_its_shortest_form() -> None:
    build = GraphBuilder()
    build.const("lr", 0.021)
    build.add("Cast", "lr64", "lr")
    with_rate(build, "lr64")
    assert rate(build) == 0.021


def test_an_update_in_a_branch() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "w", shape=ShapeValue((2, 2)), dtype="float32")
    build.add("VarHandleOp", "a", shape=ShapeValue((2, 2)), dtype="float32")
    build.add("ReadVariableOp", "w/Read", "w")
    build.add("Mean", "loss", "w/Read")
    (gradient,) = build.gradients("w")
    build.const("lr", 0.3)
    inputs = ["now", "w", "a", "lr", gradient]
    build.add("If", "cond", *inputs, then_branch=call("then"), else_branch=call("else"))
    update = node("ResourceApplyAdagrad", "apply", "v", "s", "r", "g")
    build.functions = [function("then", ["v", "s", "r", "g"], update), function("else", ["v"])]
    found = optimizer(build)
    assert train_op(build).name == "cond"
    assert (found.kind, found.slots) == ("Adagrad", {"w": {"accumulator": "a"}})
    assert found.hyperparameters["learning_rate"] == 0.3


def test_keras_words() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    for name in ("RMSprop/iter", "RMSprop/learning_rate", "RMSprop/rho", "RMSprop/momentum"):
        build.variable(name)
    build.variable("RMSprop/w/rms", 2, 2)
    build.variable("RMSprop/w/momentum", 2, 2)
    build.const("epsilon", 1e-7)
    scalars = [f"RMSprop/{name}/read" for name in ("learning_rate", "rho", "momentum")]
    slots = ["RMSprop/w/rms", "RMSprop/w/momentum"]
    build.add("ResourceApplyRMSProp", "update", "w", *slots, *scalars, "epsilon", gradient)
    found = optimizer(build)
    assert found.kind == "keras.RMSprop"
    assert found.hyperparameters["rho"]["tensor"] == "RMSprop/rho:0"
    assert found.slots == {"w": {"rms": slots[0], "momentum": slots[1]}}


def test_the_step_and_the_loss() -> None:
    found = train_op(sgd_graph("w"))
    assert (found.name, found.loss, found.global_step) == ("train", "loss:0", "global_step")


def test_a_gradient_penalty_is_not_the_loss() -> None:
    build = GraphBuilder()
    build.loss("w")
    (inner,) = build.gradients("w")
    build.add("Sum", "penalty", inner)
    build.add("AddV2", "total", "loss", "penalty")
    (outer,) = build.gradients("w", scope="gradients_1", loss="total")
    build.add("AddN", "both", outer, inner)
    build.const("lr", 0.1)
    build.add("ApplyGradientDescent", "train", "w", "lr", "both")
    assert train_op(build).loss == "total:0"


def test_the_last_weights_of_a_heavy_ball_are_its_state() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("last", 2, 2)
    build.add("Sub", "way", "w/read", "last/read")
    build.add("Sub", "down", "w/read", gradient)
    build.add("AddV2", "next", "down", "way")
    build.add("Assign", "keep", "last", "w/read")
    build.add("Assign", "step", "w", "next", "^keep")
    found = optimizer(build)
    assert (found.kind, found.slots) == ("custom", {"w": {"last": "last"}})


def test_a_squared_gradient_with_its_factor_in_between() -> None:
    build = GraphBuilder()
    weight_decay(build)
    nodes = {node.name: node for node in build.nodes}
    gradient = nodes["square"].inputs[0]
    half = node("Mul", "half", "r2", gradient)
    whole = node("Mul", "v/new", "half", gradient)
    kept = [n for n in build.nodes if n.name not in {"square", "v/new"}]
    build.nodes = [*kept, half, whole]
    assert optimizer(build).kind == "AdamWeightDecay"


def test_two_losses_of_one_call() -> None:
    build = sgd_graph("w")
    build.add("Identity", "gradients/grad_ys_1", "given")
    build.add("Neg", "gradients/other_grad/Neg", "gradients/grad_ys_1")
    build.add("AddN", "gradients/AddN", "gradients/grad_ys_0", "gradients/other_grad/Neg")
    build.add("Tile", "gradients/loss_grad/again", "gradients/AddN")
    assert train_op(build).loss == "loss:0"


def test_a_step_that_lies_whole_in_a_function() -> None:
    build = GraphBuilder()
    build.add("VarHandleOp", "w", shape=ShapeValue((2, 2)), dtype="float32")
    build.add("StatefulPartitionedCall", "call", "w", f=call("step"))
    build.add("NoOp", "train", "^call")
    inner = GraphBuilder()
    inner.add("ReadVariableOp", "read", "h")
    inner.add("Mean", "loss", "read:value:0")
    (gradient,) = inner.gradients("w")
    inner.const("rate", 0.1)
    inner.add("Mul", "scaled", "rate", gradient)
    inner.add("AssignSubVariableOp", "down", "h", "scaled")
    inner.add("Identity", "out", "loss", "^down")
    body = function("step", ["h"], *inner.nodes)
    build.functions = [body._replace(outputs=(("o", "float32"),), returns={"o": "out:output:0"})]
    assert (train_op(build).name, train_op(build).loss) == ("train", "call:0")
    assert optimizer(build).slots == {"w": {}}
    assert optimizer(build).hyperparameters == {"learning_rate": 0.1}

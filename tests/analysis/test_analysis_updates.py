"""What counts as an update, and which op is the outermost."""

from __future__ import annotations

from analysis_graphs import GraphBuilder, sgd_graph

from graphmap.analysis.updates import Training, find_training


def names(training: Training, positions: tuple[int, ...]) -> list[str]:
    return [training.graph.nodes[at].name for at in positions]


def test_the_step_increment_is_the_train_op() -> None:
    training = find_training(sgd_graph("w", "v").graph())
    assert names(training, training.train_ops) == ["train"]
    assert names(training, training.updates) == ["train/update_w", "train/update_v"]


def test_what_waits_for_the_step_is_the_train_op() -> None:
    build = sgd_graph("w")
    build.add("NoOp", "averaged", "^train")
    training = find_training(build.graph(), kept=["train"])
    assert names(training, training.train_ops) == ["averaged"]


def test_looking_at_the_step_is_not_training() -> None:
    build = sgd_graph("w")
    build.add("Identity", "seen", "train")
    build.add("ScalarSummary", "summary", "tag", "seen")
    build.add("Shape", "shape", "train")
    training = find_training(build.graph())
    assert names(training, training.train_ops) == ["train"]


def test_a_loss_returned_behind_the_update_is_the_train_op() -> None:
    build = sgd_graph("w")
    build.add("Identity", "train_tensor", "loss", "^train")
    training = find_training(build.graph())
    assert names(training, training.train_ops) == ["train_tensor"]


def test_two_losses_two_train_ops() -> None:
    build = sgd_graph("w")
    (gradient,) = build.gradients("w", scope="gradients_1")
    build.add("ApplyGradientDescent", "other", "w", "rate", gradient)
    training = find_training(build.graph())
    assert names(training, training.train_ops) == ["train", "other"]


def test_copying_weights_is_not_training() -> None:
    build = sgd_graph("w")
    build.variable("target", 2, 2)
    build.add("Assign", "sync", "target", "w/read")
    build.add("AssignSub", "decay", "w", "w/read")
    training = find_training(build.graph())
    assert names(training, training.updates) == ["train/update_w"]


def test_gradients_pass_through_an_accumulator() -> None:
    build = GraphBuilder()
    build.loss("w")
    (gradient,) = build.gradients("w")
    build.variable("sum", 2, 2)
    build.add("AssignAdd", "accumulate", "sum", gradient)
    build.add("Assign", "zero", "sum", "sum/zeros")
    build.const("rate", 0.1)
    build.add("Mul", "scaled", "sum/read", "rate")
    build.add("AssignSub", "apply", "w", "scaled")
    training = find_training(build.graph())
    assert names(training, training.train_ops) == ["apply"]
    assert names(training, tuple(sorted(training.forward_variables))) == ["w"]


def test_without_gradients_there_is_no_train_op() -> None:
    build = GraphBuilder()
    build.loss("w")
    build.add("Assign", "save/Assign", "w", "save/RestoreV2")
    training = find_training(build.graph())
    assert training.updates == () and training.train_ops == ()


def test_a_fused_update_counts_even_where_no_seed_is_known() -> None:
    build = GraphBuilder()
    build.loss("w")
    build.add("ApplyGradientDescent", "update", "w", "rate", "fed_gradient")
    training = find_training(build.graph())
    assert names(training, training.train_ops) == ["update"]


def test_trainable_weights_that_no_loss_reads_are_trained_too() -> None:
    build = sgd_graph("w")
    build.variable("shared", 2, 2)
    (gradient,) = build.gradients("w", scope="gradients_1")
    build.add("ApplyGradientDescent", "move", "shared", "rate", gradient)
    build.add("Assign", "pull", "w", "shared/read")
    training = find_training(build.graph(), trainable=["w", "shared"])
    graph = training.graph
    assert [graph.nodes[at].name for at in training.beside] == ["shared"]
    assert names(training, training.updates) == ["train/update_w", "move"]
    assert names(training, training.train_ops) == ["train", "move"]

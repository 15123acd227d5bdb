"""A stored train op over a graph with other names: the next losses, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models as models

import graphmap.tf as gmtf
from graphmap.errors import GraphmapError, ReconstructionError

pytestmark = pytest.mark.tf

NAMES = ("kernel", "offset")
MAP = {"student/kernel": "W", "student/offset": "b", "student/kernel_out": "W_out"}


def resumed_losses(path: str, resource: bool, **told: Any) -> tuple[list[float], Any, Any]:
    """Build the same model under other names, rebuild, restore and train on."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        model = models.build("student", resource, NAMES)
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"], **told)
        with models.session_for(graph) as session:
            report = rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)
    return losses, rebuilt, report


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("optimizer", ["Adam", "Momentum"])
def test_next_losses_equal_the_run_that_went_on(
    tmp_path: Path, optimizer: str, stored: bool, new: bool
) -> None:
    scope = {"scope": "old", "resource": True} if stored else {}
    run = models.train(tmp_path, optimizer, **scope)

    losses, rebuilt, report = resumed_losses(run.checkpoint, new)

    assert losses == run.losses_after
    assert rebuilt.report.how == "transplant"
    assert rebuilt.report.forward_equal is True
    assert set(rebuilt.state_map) == set(run.values_before)
    assert len(report.restored) == len(run.values_before)
    assert report.untouched == report.mismatched == ()


def test_a_true_map_gives_the_same(tmp_path: Path) -> None:
    run = models.train(tmp_path)

    losses, _, _ = resumed_losses(run.checkpoint, False, name_map=MAP)

    assert losses == run.losses_after


def test_another_loss_is_declined_with_the_first_difference(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        other = tf.reduce_mean(tf.abs(model["prediction"] - model["y"]))
        size = len(graph.get_operations())

        with pytest.raises(ReconstructionError, match="Square is not Abs"):
            gmtf.reconstruct_train_op(run.checkpoint, other)

        assert len(graph.get_operations()) == size


def test_a_map_that_swaps_variables_is_declined(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    wrong = {"student/kernel": "W_out", "student/kernel_out": "W", "student/offset": "b"}
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)

        with pytest.raises(GraphmapError):
            gmtf.reconstruct_train_op(run.checkpoint, model["loss"], name_map=wrong)


@pytest.mark.parametrize("told", ["dict", "optimizer"])
def test_by_class_without_a_graph(tmp_path: Path, told: str) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    Path(run.checkpoint + ".meta").unlink()
    adam = {"kind": "Adam", "hyperparameters": {"learning_rate": 0.03}}
    optimizer = adam if told == "dict" else tf.compat.v1.train.AdamOptimizer(0.03)

    losses, rebuilt, _ = resumed_losses(run.checkpoint, False, name_map=MAP, optimizer=optimizer)

    assert losses == run.losses_after
    assert rebuilt.report.how == "by class"
    assert {"beta1_power", "beta2_power", "global_step"} <= set(rebuilt.state_map)


def test_by_class_has_to_be_told_the_optimizer(tmp_path: Path) -> None:
    run = models.train(tmp_path)
    Path(run.checkpoint + ".meta").unlink()

    with pytest.raises(ReconstructionError, match="cannot tell which optimizer"):
        resumed_losses(run.checkpoint, False, name_map=MAP)


def test_saver_writes_under_the_stored_names(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        rebuilt = gmtf.reconstruct_train_op(run.checkpoint, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            saver = rebuilt.saver(names="stored")
            path = saver.save(session, str(tmp_path / "again"), write_meta_graph=False)

    reader = tf.train.load_checkpoint(path)
    assert set(reader.get_variable_to_shape_map()) == set(run.values_before)
    for name, value in run.values_before.items():
        assert np.asarray(reader.get_tensor(name)).tobytes() == np.asarray(value).tobytes()


def test_another_number_of_partitions_by_class(tmp_path: Path) -> None:
    """`optimizer={}`: all of it is in the files; the stored update has other pieces."""
    import tensorflow as tf

    run = models.train(tmp_path, partitions=4)
    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES, partitions=2)

        with pytest.raises(ReconstructionError):
            gmtf.reconstruct_train_op(run.checkpoint, model["loss"], name_map=MAP)
        rebuilt = gmtf.reconstruct_train_op(
            run.checkpoint, model["loss"], name_map=MAP, optimizer={}
        )
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)

    assert losses == run.losses_after
    assert rebuilt.report.how == "by class"
    assert "could not be copied" in rebuilt.report.assumed[0]


def test_by_class_needs_an_update_that_is_only_the_optimizer(tmp_path: Path) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build(partitions=4)
        optimizer = tf1.train.AdamOptimizer(0.03)
        gradients, variables = zip(*optimizer.compute_gradients(model["loss"]), strict=True)
        clipped, _ = tf.clip_by_global_norm(gradients, 0.1)
        optimizer.apply_gradients(zip(clipped, variables, strict=True))
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "clipped"))
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES, partitions=2)

        with pytest.raises(ReconstructionError, match="changes a gradient on its way"):
            gmtf.reconstruct_train_op(path, model["loss"], name_map=MAP, optimizer={})


def test_the_report_says_on_what_ground(tmp_path: Path) -> None:
    _, rebuilt, _ = resumed_losses(models.train(tmp_path).checkpoint, False)

    facts = {fact.basis for fact in rebuilt.report.facts}
    assert facts == {"confirmed"}
    assert "confirmed: the forward pass is the stored computation, op by op" in str(rebuilt.report)
    assert "Adam is Adam over 3 variables (learning_rate=0.03" in str(rebuilt.report)

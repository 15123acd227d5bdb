"""What the caller tells: a loss taken as given, other gradients, which variables to train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models as models

import graphmap.tf as gmtf
from graphmap.errors import ReconstructionError, UsageError

pytestmark = pytest.mark.tf

NAMES = ("kernel", "offset")


def other_words(model: dict[str, Any]) -> Any:
    """The same loss by other ops."""
    import tensorflow as tf

    away = model["prediction"] - model["y"]
    return tf.reduce_mean(away * away)


@pytest.mark.parametrize("resource", [False, True])
def test_a_loss_under_a_stored_name_is_taken_as_given(tmp_path: Path, resource: bool) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default() as graph:
        model = models.build("student", resource, NAMES)
        rebuilt = gmtf.reconstruct_train_op(run.checkpoint, {"loss": other_words(model)})
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)

    assert losses == run.losses_after
    assert rebuilt.report.forward_equal[:2] == ("Square", "mul")
    assert "made anew" in rebuilt.report.gradients_equal.why
    assert "taken as given" in rebuilt.report.assumed[0]


def test_the_same_loss_under_a_stored_name_is_proved(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)
        rebuilt = gmtf.reconstruct_train_op(run.checkpoint, {"Adam": model["loss"]})

    assert rebuilt.report.forward_equal is True
    assert rebuilt.report.gradients_equal is True


def test_an_unknown_stored_name_lists_the_known_ones(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)

        with pytest.raises(ReconstructionError, match="Stored are: Adam, loss:0"):
            gmtf.reconstruct_train_op(run.checkpoint, {"los": model["loss"]})


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_gradient_transform_sees_raw_gradients(tmp_path: Path, factor: float) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    seen: list[str] = []

    def halve(pairs: list[Any]) -> list[Any]:
        seen.extend(variable.op.name for _, variable in pairs)
        return [(gradient * factor, variable) for gradient, variable in pairs]

    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        rebuilt = gmtf.reconstruct_train_op(run.checkpoint, model["loss"], gradient_transform=halve)
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)

    assert sorted(seen) == ["student/kernel", "student/kernel_out", "student/offset"]
    assert (losses == run.losses_after) == (factor == 1.0)


def test_a_gradient_transform_has_to_return_as_many(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)

        with pytest.raises(UsageError, match="returned 1 gradients, not 3"):
            gmtf.reconstruct_train_op(
                run.checkpoint, model["loss"], gradient_transform=lambda pairs: pairs[:1]
            )


def test_var_list_leaves_the_other_updates_out(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        kernel = [v for v in tf.compat.v1.trainable_variables() if v.op.name == "student/kernel"]
        rebuilt = gmtf.reconstruct_train_op(run.checkpoint, model["loss"], var_list=kernel)
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            before = {v.op.name: session.run(v) for v in tf.compat.v1.trainable_variables()}
            models.steps(session, model, rebuilt.train_op, models.STEPS)
            after = {v.op.name: session.run(v) for v in tf.compat.v1.trainable_variables()}

    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"student/kernel"}
    assert "W_out, b were left out" in rebuilt.report.assumed[0]
    assert not any(name.startswith("b/") for name in rebuilt.state_map)


def test_a_variable_that_is_not_trained_cannot_be_asked_for(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)
        extra = tf.compat.v1.get_variable("extra", [2])

        with pytest.raises(ReconstructionError, match="extra: is not trained"):
            gmtf.reconstruct_train_op(run.checkpoint, model["loss"], var_list=[extra])
        with pytest.raises(UsageError, match="no variable of a graph"):
            gmtf.reconstruct_train_op(run.checkpoint, model["loss"], var_list=[model["loss"]])


def test_a_race_is_declined_before_the_graph_is_changed(tmp_path: Path) -> None:
    """Ungated gradients over ref variables: the stored run itself was not the same twice."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build()
        pairs = zip(
            tf.gradients(model["loss"], tf1.trainable_variables()),
            tf1.trainable_variables(),
            strict=True,
        )
        tf1.train.MomentumOptimizer(0.1, 0.9).apply_gradients(list(pairs))
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "raced"))

    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        size = len(graph.get_operations())

        with pytest.raises(ReconstructionError, match="races: nothing orders"):
            gmtf.reconstruct_train_op(path, model["loss"])

        assert len(graph.get_operations()) == size

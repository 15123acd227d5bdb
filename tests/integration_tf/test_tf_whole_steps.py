"""Train ops that are more than an optimizer: a step inside a function, metrics in one op."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small_models as models

import graphmap
import graphmap.tf as gmtf

pytestmark = pytest.mark.tf

NAMES = ("kernel", "offset")


def step_in_a_function(model: dict[str, Any]) -> Any:
    """Momentum by hand, with the gradients of a tape; the loss is known inside only."""
    import tensorflow as tf

    w, b, u = tf.compat.v1.trainable_variables()
    options = {"initializer": 0.0, "trainable": False, "use_resource": True}
    moments = [
        tf.compat.v1.get_variable(f"m{at}", **(options | {"initializer": tf.zeros(v.shape)}))
        for at, v in enumerate((w, b, u))
    ]

    @tf.function
    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            predicted = tf.matmul(tf.tanh(tf.matmul(x, w) + b), u)
            loss = tf.reduce_mean(tf.square(predicted - y))
        for g, v, m in zip(tape.gradient(loss, [w, b, u]), (w, b, u), moments, strict=True):
            m.assign(0.9 * m + g)
            v.assign_sub(0.01 * m)
        return loss

    return train(model["x"], model["y"]).op


def metrics_beside_it(model: dict[str, Any]) -> Any:
    import tensorflow as tf

    tf1 = tf.compat.v1
    train_op = tf1.train.AdamOptimizer(0.03).minimize(model["loss"])
    _, update = tf1.metrics.mean(model["loss"])
    return tf.group(train_op, update, name="train")


def trained(folder: Path, make: Any) -> tuple[str, list[float]]:
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build("old", True)
        train_op = make(model)
        with models.session_for(graph) as session:
            session.run([tf1.global_variables_initializer(), tf1.local_variables_initializer()])
            models.steps(session, model, train_op, 0)
            path = str(tf1.train.Saver().save(session, str(folder / "model")))
            return path, models.steps(session, model, train_op, models.STEPS)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("make", [step_in_a_function, metrics_beside_it])
def test_next_losses_equal_the_run_that_went_on(tmp_path: Path, make: Any, new: bool) -> None:
    import tensorflow as tf

    path, expected = trained(tmp_path, make)
    with tf.Graph().as_default() as graph:
        model = models.build("student", new, NAMES)
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)

    assert losses == expected


def test_the_rule_in_a_function_is_told(tmp_path: Path) -> None:
    path, _ = trained(tmp_path, step_in_a_function)

    (train_op,) = graphmap.load(path).train_ops

    (spec,) = train_op.optimizers
    assert spec.kind == "Momentum"
    assert dict(spec.slots["old/W"]) == {"momentum": "m0"}
    assert train_op.loss is None
    assert any("loss" in sentence for sentence in train_op.unrecovered)


def test_metrics_begin_anew_and_the_report_says_so(tmp_path: Path) -> None:
    import tensorflow as tf

    path, _ = trained(tmp_path, metrics_beside_it)
    with tf.Graph().as_default() as graph:
        model = models.build("student", True, NAMES)
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            report = rebuilt.restore(session)

    assert "mean/total begins anew: it is a local variable, not stored" in str(rebuilt.report)
    assert {"resumed/mean/total", "resumed/mean/count"} <= set(report.initialized)

"""A ref variable's value is its buffer: who looks later sees more. Over resources the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models as models

import graphmap.tf as gmtf

pytestmark = pytest.mark.tf

NAMES = ("kernel", "offset")
UPDATES: dict[str, Callable[[dict[str, Any]], Any]] = {}


def update(make: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    UPDATES[make.__name__] = make
    return make


def gated(loss: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    import tensorflow as tf

    opt = tf.compat.v1.train.GradientDescentOptimizer(0.02)
    return opt, opt.compute_gradients(loss, gate_gradients=opt.GATE_GRAPH)


@update
def reshaped_before_and_used_after(model: dict[str, Any]) -> Any:
    import tensorflow as tf

    tf1 = tf.compat.v1
    opt, pairs = gated(model["loss"])
    flat = [tf.reshape(v, [-1]) for _, v in pairs]
    with tf.control_dependencies([*flat, *(g for g, _ in pairs)]):
        apply = opt.apply_gradients(pairs)
    with tf.control_dependencies([apply]):
        norms = [tf.reduce_sum(f * f) for f in flat]
    with tf.control_dependencies(norms):
        smaller = [tf1.assign_sub(v, 0.01 * n * v) for n, (_, v) in zip(norms, pairs, strict=True)]
    return tf.group(*smaller, name="train")


@update
def written_and_read_in_a_branch(model: dict[str, Any]) -> Any:
    import tensorflow as tf

    tf1 = tf.compat.v1
    opt, pairs = gated(model["loss"])
    with tf.control_dependencies([opt.apply_gradients(pairs)]):
        due = tf.reduce_sum(pairs[0][1]) < 1e6

    def shrink() -> Any:
        done = []
        for _, v in pairs:
            with tf.control_dependencies([tf1.assign(v, 0.99 * v)]):
                done.append(tf1.assign_sub(v, 0.1 * v * v))
        with tf.control_dependencies(done):
            return tf.constant(1)

    return tf.group(tf1.cond(due, shrink, lambda: tf.constant(0)), name="train")


@update
def read_in_every_turn_of_a_loop(model: dict[str, Any]) -> Any:
    import tensorflow as tf

    tf1 = tf.compat.v1
    opt, pairs = gated(model["loss"])

    def turn(i: Any) -> Any:
        moved = [tf1.assign_sub(v, 0.05 * v + 0.01 * v * v).op for _, v in pairs]
        with tf.control_dependencies(moved):
            return i + 1

    with tf.control_dependencies([opt.apply_gradients(pairs)]):
        start = tf.constant(0)
    end = tf1.while_loop(lambda i: i < 3, turn, [start], parallel_iterations=1)
    return tf.group(end, name="train")


@pytest.mark.parametrize("name", UPDATES)
def test_next_losses_over_resources(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    monkeypatch.setattr(control_flow_util, "ENABLE_CONTROL_FLOW_V2", False)
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build()
        train_op = UPDATES[name](model)
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            models.steps(session, model, train_op, 0)
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            expected = models.steps(session, model, train_op, models.STEPS)
    with tf.Graph().as_default() as graph:
        model = models.build("student", True, NAMES)
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)

    assert np.isfinite(expected).all()
    assert losses == expected

"""Weights that are trained without being read by the loss, and reads that nothing orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small_models as models

import graphmap.tf as gmtf
from graphmap.errors import ReconstructionError, UnresolvedNameError

pytestmark = pytest.mark.tf


def shared_network(scope: str) -> dict[str, Any]:
    """A worker's copy is differentiated; what it pulls from is not read by its loss."""
    import tensorflow as tf

    with tf.compat.v1.variable_scope(scope):
        models.build("shared", names=("A", "B"))
        return models.build("worker", names=("C", "D"))


def trained(prefix: str) -> list[Any]:
    import tensorflow as tf

    found = tf.compat.v1.trainable_variables()
    return [v for v in found if f"{prefix}/" in v.op.name]


def test_a_network_moved_by_gradients_of_its_copy_is_the_callers_own(tmp_path: Path) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = shared_network("old")
        shared, worker = trained("shared"), trained("worker")
        pairs = zip(tf1.gradients(model["loss"], worker), shared, strict=True)
        train_op = tf1.train.RMSPropOptimizer(0.01).apply_gradients(pairs)
        pull = tf.group(
            *[tf1.assign(w, s) for w, s in zip(worker, shared, strict=True)], name="pull"
        )
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            models.steps(session, model, train_op, 0)
            expected = session.run(shared)
            session.run(pull)
            losses = models.steps(session, model, train_op, 0)
    with tf.Graph().as_default() as graph:
        model = shared_network("new")
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"], train_op=[train_op.name, "pull"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            models.steps(session, model, rebuilt.train_ops[train_op.name], 0)
            found = session.run(trained("shared"))
            session.run(rebuilt.train_ops["pull"])
            again = models.steps(session, model, rebuilt.train_ops[train_op.name], 0)
    assert [a.tobytes() for a in found] == [b.tobytes() for b in expected]
    assert again == losses


@pytest.mark.parametrize("resource", [False, True])
def test_a_write_that_nothing_orders_with_a_read_is_declined(
    tmp_path: Path, resource: bool
) -> None:
    """The decay may come before or after the forward pass reads the weight."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build("old", resource=True)
        apply = tf1.train.AdamOptimizer(0.03).minimize(model["loss"])
        decay = [v.assign_sub(0.01 * v) for v in trained("old")]
        tf.group(apply, *decay, name="train")
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
    with tf.Graph().as_default() as graph:
        model = models.build("new", resource=resource)
        before = len(graph.get_operations())
        with pytest.raises(ReconstructionError, match="the stored update races"):
            gmtf.reconstruct_train_op(path, model["loss"])
        assert len(graph.get_operations()) == before


def normalised(scope: str) -> dict[str, Any]:
    """Batch normalization by a condition, as layers had it: the mean is moved by UPDATE_OPS."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    model = models.build(scope, names=("A", "B") if scope == "old" else ("C", "D"))
    with tf1.variable_scope(f"{scope}_norm"):
        moving = tf1.get_variable("mean", [1], trainable=False)
        training = tf1.placeholder(tf.bool, [], name="training")
        mean = tf.reduce_mean(model["prediction"], 0)
        used = tf1.cond(training, lambda: tf.identity(mean), lambda: tf.identity(moving))
        step = 0.1 * (mean - tf.identity(moving))
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.assign_add(moving, step))
    loss = tf.reduce_mean(tf.square(model["prediction"] - used - model["y"]))
    return {**model, "loss": loss, "training": training, "moving": moving}


def test_what_is_read_behind_a_condition_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    monkeypatch.setattr(control_flow_util, "ENABLE_CONTROL_FLOW_V2", False)
    tf1 = tf.compat.v1

    def moved(session: Any, model: dict[str, Any], train_op: Any) -> list[float]:
        x, y = models.batch(1)
        feed = {model["x"]: x, model["y"]: y, model["training"]: True}
        for _ in range(models.STEPS):
            session.run(train_op, feed)
        return [float(session.run(model["loss"], feed)), *session.run(model["moving"])]

    with tf.Graph().as_default() as graph:
        model = normalised("old")
        with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
            train_op = tf1.train.MomentumOptimizer(0.01, 0.9).minimize(model["loss"])
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            expected = moved(session, model, train_op)
    with tf.Graph().as_default() as graph:
        model = normalised("new")
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            assert moved(session, model, rebuilt.train_op) == expected


def test_trainable_state_that_could_be_the_callers_is_asked_for(tmp_path: Path) -> None:
    """A rule by hand tells no weight from a slot; with a map the caller's network is moved."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = shared_network("old")
        shared, worker = trained("shared"), trained("worker")
        gradients = tf1.gradients(model["loss"], worker)
        moved = [tf1.assign_sub(s, 0.1 * g) for s, g in zip(shared, gradients, strict=True)]
        train_op = tf.group(*moved, name="train")
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            models.steps(session, model, train_op, 0)
            expected = session.run(shared)
        names = [v.op.name for v in tf1.trainable_variables()]
    with tf.Graph().as_default() as graph:
        model = shared_network("new")
        with pytest.raises(UnresolvedNameError, match="it could be new/shared/A"):
            gmtf.reconstruct_train_op(path, model["loss"], train_op="train")
        pairs = {f"new/{name.removeprefix('old/')}": name for name in names}
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"], pairs, "train")
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            models.steps(session, model, rebuilt.train_op, 0)
            found = session.run(trained("shared"))
    assert [a.tobytes() for a in found] == [b.tobytes() for b in expected]


def looked_at_behind_a_merge(model: dict[str, Any], late: bool) -> Any:
    """What a condition returned is a weight's buffer; it is used before or after the update."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    weight = trained("old")[0]
    opt = tf1.train.GradientDescentOptimizer(0.02)
    pairs = opt.compute_gradients(model["loss"], gate_gradients=opt.GATE_GRAPH)
    with tf.control_dependencies([g for g, _ in pairs]):
        due = tf.reduce_sum(pairs[0][0]) < 1e6
    held = tf1.cond(due, lambda: tf.identity(weight), lambda: 0.5 * weight)
    held.set_shape(weight.shape)
    kept = tf1.get_variable("kept", weight.shape, trainable=False)
    if late:
        with tf.control_dependencies([held]), tf.control_dependencies([opt.apply_gradients(pairs)]):
            return tf.group(tf1.assign(kept, held * 2.0), name="train")
    with tf.control_dependencies([tf1.assign(kept, held * 2.0)]):
        return tf.group(opt.apply_gradients(pairs), name="train")


@pytest.mark.parametrize("late", [False, True])
def test_a_buffer_behind_a_merge(
    tmp_path: Path, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over resources it is the value of one moment: right if it is used before the update."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    monkeypatch.setattr(control_flow_util, "ENABLE_CONTROL_FLOW_V2", False)
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build("old")
        train_op = looked_at_behind_a_merge(model, late)
        kept = tf1.global_variables()[-1]
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            models.steps(session, model, train_op, 0)
            expected = session.run(kept)
    with tf.Graph().as_default() as graph:
        model = models.build("new", resource=True)
        if late:
            with pytest.raises(ReconstructionError, match="hands the buffer on"):
                gmtf.reconstruct_train_op(path, model["loss"])
            return
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            models.steps(session, model, rebuilt.train_op, 0)
            found = session.run(rebuilt.state_map["kept"])
    assert found.tobytes() == expected.tobytes()

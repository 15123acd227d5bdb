"""What cannot be gone on with exactly: declined in one sentence, and the graph stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small_models as models

import graphmap.tf as gmtf
from graphmap.errors import (
    GraphmapError,
    ReconstructionError,
    RestoreError,
    UnsafeGraphError,
    UsageError,
)

pytestmark = pytest.mark.tf

NAMES = ("kernel", "offset")
MAP = {"student/kernel": "W", "student/offset": "b", "student/kernel_out": "W_out"}
ADAM = {"kind": "Adam", "hyperparameters": {"learning_rate": 0.03}}


def declined(
    path: str, error: type[GraphmapError], said: str, told: Any = None, loss_of: Any = None
) -> None:
    """Rebuild over a new graph; it has to be declined with `said`, and no node added."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        model = models.build("student", False, NAMES)
        loss = loss_of(model) if loss_of else model["loss"]
        size = len(graph.get_operations())
        with pytest.raises(error, match=said) as caught:
            gmtf.reconstruct_train_op(path, loss, **(told or {}))
        assert len(graph.get_operations()) == size
    assert caught.value.remedy


def saved(folder: Path, change: Any, resource: bool = False) -> str:
    """Train nothing, save; change(graph, saver-making function) may do both otherwise."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = models.build(resource=resource)
        train_op = tf1.train.AdamOptimizer(0.03).minimize(model["loss"])
        saver = change(model, train_op) or tf1.train.Saver()
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            return str(saver.save(session, str(folder / "model")))


def test_a_checkpoint_without_slots(tmp_path: Path) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    path = saved(tmp_path, lambda model, train_op: tf1.train.Saver(tf1.trainable_variables()))

    declined(path, RestoreError, "8 variables that a training step needs are not stored: W/Adam")


def test_slots_of_another_shape(tmp_path: Path) -> None:
    import tensorflow as tf

    tf1 = tf.compat.v1
    run = models.train(tmp_path)
    with tf.Graph().as_default() as graph:
        for name, value in run.values_before.items():
            wrong = value.ravel()[:2] if name == "W/Adam" else value
            tf1.get_variable(name, initializer=wrong)
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, run.checkpoint, write_meta_graph=False)

    declined(run.checkpoint, RestoreError, r"W/Adam: the graph has shape \[4, 6\], the files \[2\]")
    with (
        tf.Graph().as_default() as graph,
        models.session_for(graph) as session,
        pytest.raises(RestoreError, match=r"W/Adam: the graph has shape \[4, 6\]"),
    ):
        gmtf.resume(run.checkpoint, session)
    assert not graph.get_operations()


def test_an_inference_export(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        model = models.build()
        with models.session_for(graph) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            ends = {"x": model["x"]}, {"p": model["prediction"]}
            tf.compat.v1.saved_model.simple_save(session, str(tmp_path / "sm"), *ends)

    declined(str(tmp_path / "sm"), ReconstructionError, "without a train op")


def test_a_step_that_is_a_weight(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)
        step = tf.compat.v1.get_variable("epoch", [], tf.float32)

        with pytest.raises(ReconstructionError, match="global_step epoch: is float32"):
            gmtf.reconstruct_train_op(run.checkpoint, model["loss"], global_step=step)


def test_a_step_of_another_graph(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        other = tf.compat.v1.train.get_or_create_global_step()

    declined(run.checkpoint, UsageError, "another graph than the loss", {"global_step": other})
    declined(run.checkpoint, UsageError, "is no variable", {"global_step": "global_step"})


def test_a_step_that_the_stored_op_does_not_count(tmp_path: Path) -> None:
    import tensorflow as tf

    path = saved(tmp_path, lambda model, train_op: None)  # minimize() without a step
    with tf.Graph().as_default():
        model = models.build("student", False, NAMES)
        step = tf.compat.v1.train.get_or_create_global_step()

        with pytest.raises(ReconstructionError, match=r"is not the step .* which counts none"):
            gmtf.reconstruct_train_op(path, model["loss"], global_step=step)


def test_what_is_no_optimizer(tmp_path: Path) -> None:
    run = models.train(tmp_path)

    declined(run.checkpoint, UsageError, "optimizer: is a str", {"optimizer": "Adam"})


def test_a_given_loss_that_does_not_reach_a_variable(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    with tf.Graph().as_default():
        models.build("student", False, NAMES)
        only = tf.reduce_sum(tf.compat.v1.trainable_variables()[0] ** 2)

        with pytest.raises(ReconstructionError, match="given loss does not reach it"):
            gmtf.reconstruct_train_op(run.checkpoint, {"loss": only}, name_map=MAP)


def test_a_map_that_leaves_a_trained_variable_out(tmp_path: Path) -> None:
    """Over a stored graph the computation completes it; by class nothing could."""
    run = models.train(tmp_path)
    short = {name: stored for name, stored in MAP.items() if stored != "b"}
    Path(run.checkpoint + ".meta").unlink()

    told = {"name_map": short, "optimizer": ADAM}
    declined(run.checkpoint, ReconstructionError, "b: was trained in the stored run", told)


def test_two_train_ops_and_one_loss(tmp_path: Path) -> None:
    import tensorflow as tf

    def second(model: Any, train_op: Any) -> Any:
        extra = tf.compat.v1.get_variable("other", [3])
        tf.compat.v1.train.AdamOptimizer(0.1).minimize(
            tf.reduce_sum(extra**2), var_list=[extra], name="second"
        )

    declined(saved(tmp_path, second), ReconstructionError, "trains other, which the new graph has")


def broken(path: str, change: Any) -> str:
    """Change the stored GraphDef."""
    import tensorflow as tf

    meta = tf.compat.v1.MetaGraphDef()
    meta.ParseFromString(Path(path + ".meta").read_bytes())
    change(meta.graph_def)
    Path(path + ".meta").write_bytes(meta.SerializeToString())
    return path


def test_functions_that_call_themselves(tmp_path: Path) -> None:
    """TensorFlow's import ends the process on them."""
    import tensorflow as tf

    def recurse(graph_def: Any) -> None:
        function = graph_def.library.function.add()
        function.signature.name = "again"
        function.node_def.add(name="call", op="again")

    path = broken(saved(tmp_path, lambda model, train_op: None), recurse)

    declined(path, ReconstructionError, "holds a broken graph: functions call themselves")
    with (
        tf.Graph().as_default() as graph,
        models.session_for(graph) as session,
        pytest.raises(ReconstructionError, match="holds a broken graph"),
    ):
        gmtf.resume(path, session)


def test_an_op_that_is_not_registered(tmp_path: Path) -> None:
    import tensorflow as tf

    def rename(graph_def: Any) -> None:
        for node in graph_def.node:
            node.op = "MyOwnSquare" if node.op == "Square" else node.op

    path = broken(saved(tmp_path, lambda model, train_op: None), rename)

    with (
        tf.Graph().as_default() as graph,
        models.session_for(graph) as session,
        pytest.raises(UnsafeGraphError, match="MyOwnSquare: unknown to this TensorFlow"),
    ):
        gmtf.resume(path, session)
    declined(path, GraphmapError, "MyOwnSquare")


def test_a_seeded_dropout_is_rebuilt_on_request_only(tmp_path: Path) -> None:
    import tensorflow as tf

    def noisy(model: Any) -> Any:
        dropped = tf.compat.v1.nn.dropout(model["prediction"], rate=0.5, seed=3)
        return tf.reduce_mean(tf.square(dropped - model["y"]))

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        tf1.train.AdamOptimizer(0.03).minimize(noisy(models.build()))
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            path = tf1.train.Saver().save(session, str(tmp_path / "noisy"))

    declined(path, ReconstructionError, "RandomUniform", loss_of=noisy)
    with tf.Graph().as_default():
        loss = noisy(models.build("student", False, NAMES))
        rebuilt = gmtf.reconstruct_train_op(path, loss, allow_inexact=True)
    assert any(fact.basis == "impossible" for fact in rebuilt.report.facts)

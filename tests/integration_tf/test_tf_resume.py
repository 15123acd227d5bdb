"""Situation (a), first half: a checkpoint with its .meta goes on training, hands off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_models

from graphmap.errors import (
    GraphmapError,
    MissingDataError,
    ReconstructionError,
    RestoreError,
    UnsafeGraphError,
)

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
tf1 = tf.compat.v1
from tensorflow.core.framework.variable_pb2 import VariableDef  # noqa: E402

pytestmark = pytest.mark.tf


def inputs_of(graph, prefix=""):
    names = {"x": "x:0", "y": "y:0", "loss": "loss:0"}
    return {key: graph.get_tensor_by_name(prefix + name) for key, name in names.items()}


def run_on(resumed, session):
    model = inputs_of(session.graph, resumed.prefix)
    return small_models.steps(session, model, resumed.train_op, small_models.STEPS)


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("optimizer", ["Adam", "Momentum"])
def test_next_losses_are_those_of_the_run_that_never_stopped(tmp_path, resource, optimizer):
    run = small_models.train(tmp_path, optimizer, scope="my_model", resource=resource)
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(str(tmp_path), session)
        assert run_on(resumed, session) == run.losses_after
        assert resumed.loss.name == "loss:0"
        assert session.run(resumed.global_step) == 10
        assert sorted(resumed.feeds) == ["x:0", "y:0"]
    assert sorted(resumed.report.restored) == sorted(run.values_before)
    assert resumed.report.untouched == resumed.report.mismatched == ()
    total = len(run.values_before)
    facts = [str(fact.text) for fact in resumed.report.facts if fact.basis == "confirmed"]
    assert facts[0] == f"{total} of {total} variables restored, read back"
    assert facts[1].startswith(f"{optimizer} is {optimizer} over 3 variables (learning_rate=")


def test_a_graph_that_is_already_imported_gets_no_node(tmp_path):
    run = small_models.train(tmp_path)
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.train.import_meta_graph(run.checkpoint + ".meta", import_scope="old/run")
        before = len(graph.get_operations())
        resumed = gmtf.resume(run.checkpoint, session, import_scope="old/run")
        assert len(graph.get_operations()) == before
        assert resumed.train_op.name.startswith("old/run/")
        assert run_on(resumed, session) == run.losses_after


def test_the_scope_of_an_imported_graph_is_found(tmp_path):
    run = small_models.train(tmp_path)
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.train.import_meta_graph(run.checkpoint + ".meta", import_scope="somewhere")
        assert gmtf.resume(run.checkpoint, session).prefix == "somewhere/"


def test_a_graph_def_without_collections_is_enough(tmp_path):
    run = small_models.train(tmp_path, resource=True)
    meta = tf1.MetaGraphDef.FromString(Path(run.checkpoint + ".meta").read_bytes())
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.import_graph_def(meta.graph_def, name="bare")
        before = len(graph.get_operations())
        resumed = gmtf.resume(run.checkpoint, session, import_scope="bare")
        assert run_on(resumed, session) == run.losses_after
        assert len(graph.get_operations()) == before
        assert session.run(resumed.global_step) == 10


def test_import_beside_other_names_needs_a_scope(tmp_path):
    run = small_models.train(tmp_path)
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.placeholder(tf.float32, [], name="x")
        with pytest.raises(GraphmapError, match="import_scope"):
            gmtf.resume(run.checkpoint, session)
        resumed = gmtf.resume(run.checkpoint, session, import_scope="stored")
        assert run_on(resumed, session) == run.losses_after


def test_a_graph_rebuilt_by_the_same_code_is_used(tmp_path):
    run = small_models.train(tmp_path, scope="my_model")
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build("my_model")
        step = tf1.train.get_or_create_global_step()
        tf1.train.AdamOptimizer(0.03).minimize(model["loss"], global_step=step)
        before = len(graph.get_operations())
        assert run_on(gmtf.resume(run.checkpoint, session), session) == run.losses_after
        assert len(graph.get_operations()) == before


def test_a_graph_of_the_same_names_and_another_rate_is_not_taken_for_it(tmp_path):
    run = small_models.train(tmp_path, scope="my_model")
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build("my_model")
        step = tf1.train.get_or_create_global_step()
        tf1.train.AdamOptimizer(0.5).minimize(model["loss"], global_step=step)
        with pytest.raises(GraphmapError, match="import_scope"):
            gmtf.resume(run.checkpoint, session)


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_partitioned_variables(tmp_path, resource):
    run = small_models.train(tmp_path, partitions=2, resource=resource)
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(run.checkpoint, session)
        assert "W/part_1" in resumed.report.restored
        assert run_on(resumed, session) == run.losses_after
        path = resumed.saver().save(session, str(tmp_path / "on.ckpt"))
    assert tf.train.load_checkpoint(path).get_tensor("W").shape == (4, 6)


def test_saver_writes_under_the_stored_keys(tmp_path):
    run = small_models.train(tmp_path)
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(run.checkpoint, session, import_scope="a/b")
        path = resumed.saver().save(session, str(tmp_path / "on.ckpt"))
    assert dict(tf.train.list_variables(path)) == dict(tf.train.list_variables(run.checkpoint))
    again = tf.train.load_checkpoint(path)
    for name, value in run.values_before.items():
        assert np.array_equal(again.get_tensor(name), value)


def damage(meta):
    """What old files bring: stale shapes, a train op that is no node, a device of elsewhere."""
    for node in meta.graph_def.node:
        if node.op == "Tanh":
            shape = node.attr["_output_shapes"].list.shape.add()
            shape.dim.add().size = 99
            node.device = "/job:worker/replica:0/task:3/device:GPU:7"
            node.attr["_class"].list.s.append(b"loc:@gone")
    meta.collection_def["train_op"].node_list.value.append("cond/then/Adam")
    stale = meta.collection_def["trainable_variables"].bytes_list.value
    entry = VariableDef.FromString(stale[0])
    entry.initializer_name = "gone/Assign"
    stale.append(entry.SerializeToString())


def test_defects_of_old_files_are_survived(tmp_path):
    run = small_models.train(tmp_path)
    path = Path(run.checkpoint + ".meta")
    meta = tf1.MetaGraphDef.FromString(path.read_bytes())
    damage(meta)
    path.write_bytes(meta.SerializeToString())
    with small_models.session_for(tf.Graph()) as session:
        assert run_on(gmtf.resume(run.checkpoint, session), session) == run.losses_after


def test_missing_slots_are_refused_before_anything_is_assigned(tmp_path):
    run = small_models.train(tmp_path)
    meta = run.checkpoint + ".meta"
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        saver = tf1.train.import_meta_graph(meta)
        saver.restore(session, run.checkpoint)
        weights = list(tf1.trainable_variables())
        only = tf1.train.Saver(weights).save(session, str(tmp_path / "only" / "weights"))
    Path(only + ".meta").write_bytes(Path(meta).read_bytes())
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        with pytest.raises(RestoreError, match="not stored"):
            gmtf.resume(only, session)
        assert graph.get_operations() == []


def test_local_variables_get_their_initial_value(tmp_path):
    """No Saver writes them: they are made anew in each process, and the report says so."""
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()
        locals_only = [tf1.GraphKeys.LOCAL_VARIABLES]
        scale = tf1.get_variable(
            "scale", initializer=0.5, collections=locals_only, trainable=False, use_resource=False
        )
        train_op = tf1.train.GradientDescentOptimizer(0.1 * scale).minimize(model["loss"])
        session.run([tf1.global_variables_initializer(), tf1.local_variables_initializer()])
        path = tf1.train.Saver().save(session, str(tmp_path / "local"))
        losses = small_models.steps(session, model, train_op, small_models.STEPS)
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(path, session)
        assert resumed.report.initialized == ("scale",)
        assert run_on(resumed, session) == losses


def test_a_graph_without_its_checkpoint(tmp_path):
    run = small_models.train(tmp_path)
    for path in tmp_path.glob("model.ckpt-5.[id]*"):
        path.unlink()
    with (
        small_models.session_for(tf.Graph()) as session,
        pytest.raises(MissingDataError, match="without values"),
    ):
        gmtf.resume(run.checkpoint + ".meta", session)


def test_no_train_op(tmp_path):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build()
        session.run(tf1.global_variables_initializer())
        path = tf1.train.Saver().save(session, str(tmp_path / "infer"))
    with (
        small_models.session_for(tf.Graph()) as session,
        pytest.raises(ReconstructionError, match="without a train op"),
    ):
        gmtf.resume(path, session)


def test_what_runs_python_is_refused(tmp_path):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()
        odd = tf1.py_func(lambda v: v, [model["loss"]], tf.float32)
        odd.set_shape([])
        total = model["loss"] + 0.0 * tf.stop_gradient(odd)
        train_op = tf1.train.AdamOptimizer(0.1 + 0.0 * odd).minimize(total)
        assert train_op is not None
        session.run(tf1.global_variables_initializer())
        path = tf1.train.Saver().save(session, str(tmp_path / "code"))
    with small_models.session_for(tf.Graph()) as session:
        with pytest.raises(UnsafeGraphError, match="PyFunc"):
            gmtf.resume(path, session)
        assert gmtf.resume(path, session, allow_unsafe=True).train_ops


def test_what_a_function_body_does_counts(tmp_path):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()

        @tf.function
        def from_file(value):
            return value + tf.strings.to_number(tf.io.read_file(str(tmp_path / "rate.txt")))

        rate = from_file(tf.constant(0.1))
        tf1.train.GradientDescentOptimizer(rate).minimize(model["loss"])
        session.run(tf1.global_variables_initializer())
        path = tf1.train.Saver().save(session, str(tmp_path / "hidden"))
    with (
        small_models.session_for(tf.Graph()) as session,
        pytest.raises(UnsafeGraphError, match="ReadFile"),
    ):
        gmtf.resume(path, session)


def test_several_train_ops_are_never_chosen_among(tmp_path):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()
        for name in ("first", "second"):
            tf1.train.GradientDescentOptimizer(0.1).minimize(model["loss"], name=name)
        session.run(tf1.global_variables_initializer())
        path = tf1.train.Saver().save(session, str(tmp_path / "two"))
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(path, session)
        assert sorted(resumed.train_ops) == ["first", "second"]
        with pytest.raises(ReconstructionError, match="first, second"):
            _ = resumed.train_op
        assert resumed.loss.name == "loss:0"


def test_a_short_data_file_leaves_the_graph_as_it_was(tmp_path):
    run = small_models.train(tmp_path)
    data = Path(run.checkpoint + ".data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:20])
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        with pytest.raises(MissingDataError):
            gmtf.resume(run.checkpoint, session)
        assert graph.get_operations() == []


def test_saved_model_by_simple_save(tmp_path):
    """Situation (b), first half: load, ask by the expected name, and train on."""
    folder = tmp_path / "export"
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build("my_model")
        train_op = tf1.train.AdamOptimizer(0.03).minimize(model["loss"])
        session.run(tf1.global_variables_initializer())
        small_models.steps(session, model, train_op, 0)
        expected = session.run("my_model/W:0")
        tf1.saved_model.simple_save(
            session, str(folder), {"x": model["x"]}, {"prediction": model["prediction"]}
        )
        losses = small_models.steps(session, model, train_op, small_models.STEPS)
    with small_models.session_for(tf.Graph()) as session:
        resumed = gmtf.resume(folder, session)
        assert np.array_equal(session.run(gmtf.get_tensor(session.graph, "W:0")), expected)
        assert run_on(resumed, session) == losses
        assert resumed.global_step is None

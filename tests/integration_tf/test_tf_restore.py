"""Weights into a graph of other names: checked first, assigned, read back, reported."""

from __future__ import annotations

import numpy as np
import pytest
import small_models

from graphmap.errors import NameMapError, RestoreError, UnresolvedNameError
from graphmap.model.namemap import Decision, NameMap

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
tf1 = tf.compat.v1
pytestmark = pytest.mark.tf


@pytest.fixture
def run(tmp_path):
    return small_models.train(tmp_path, scope="my_model")


def values_of(session):
    return {v.op.name: session.run(v) for v in tf1.global_variables()}


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_names_are_resolved_without_a_map(run, resource):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build(resource=resource)
        before = len(graph.get_operations())
        report = gmtf.restore(session, run.checkpoint)
        assert len(graph.get_operations()) == before
        for name, value in values_of(session).items():
            assert value.tobytes() == run.values_before[f"my_model/{name}"].tobytes()
    assert sorted(report.restored) == ["W", "W_out", "b"]
    assert report.untouched == report.mismatched == ()
    assert "restored 3 of 3" in str(report)


def test_slots_and_step_follow_their_weights(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()
        step = tf1.train.get_or_create_global_step()
        train_op = tf1.train.AdamOptimizer(0.03, name="Again").minimize(model["loss"], step)
        report = gmtf.restore(session, run.checkpoint)
        assert report.untouched == ()
        assert small_models.steps(session, model, train_op, 5) == run.losses_after


def test_another_optimizer_keeps_its_own_state_whole(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        model = small_models.build()
        tf1.train.MomentumOptimizer(0.03, 0.9).minimize(model["loss"])
        session.run(tf1.global_variables_initializer())
        report = gmtf.restore(session, run.checkpoint)
    assert sorted(report.restored) == ["W", "W_out", "b"]
    assert len(report.untouched) == 3
    assert "keeps its own state" in str(report)


def test_map_decides(run):
    name_map = {"kernel": "my_model/W", "kernel_out": "my_model/W_out", "bias": "my_model/b"}
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build(names=("kernel", "bias"))
        gmtf.restore(session, run.checkpoint, name_map)
        assert np.array_equal(session.run("kernel:0"), run.values_before["my_model/W"])


def test_new_head_stays_as_it_is(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build("my_model")
        kernel = tf1.get_variable("head/kernel", [6, 3])
        session.run(tf1.global_variables_initializer())
        head = session.run(kernel)
        with pytest.raises(UnresolvedNameError, match="head/kernel"):
            gmtf.restore(session, run.checkpoint)
        report = gmtf.restore(session, run.checkpoint, allow_missing=True)
        assert report.untouched == ("head/kernel",)
        assert np.array_equal(session.run(kernel), head)


def test_head_of_another_size_is_told(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.get_variable("my_model/W", [4, 6])
        tf1.get_variable("my_model/b", [6])
        head = tf1.get_variable("my_model/W_out", [6, 5])
        session.run(head.initializer)
        report = gmtf.restore(session, run.checkpoint, allow_missing=True)
    assert report.mismatched == ("my_model/W_out",)
    assert report.restored == ("my_model/W", "my_model/b")
    assert "1 mismatched (my_model/W_out)" in str(report)


def test_the_stored_graph_under_a_scope_is_restored_whole(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.train.import_meta_graph(run.checkpoint + ".meta", import_scope="somewhere")
        assert gmtf.restore(session, run.checkpoint).untouched == ()
        value = session.run("somewhere/my_model/W/Adam_1:0")
        assert np.array_equal(value, run.values_before["my_model/W/Adam_1"])


def test_var_list_restores_only_that(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build("my_model")
        bias = next(v for v in tf1.global_variables() if v.op.name.endswith("/b"))
        assert gmtf.restore(session, run.checkpoint, var_list=[bias]).restored == ("my_model/b",)


def test_var_list_by_checkpoint_keys(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        w = tf1.get_variable("anything", [4, 6])
        report = gmtf.restore(session, run.checkpoint, var_list={"my_model/W/Adam": w})
        assert report.restored == ("anything",)
        assert np.array_equal(session.run(w), run.values_before["my_model/W/Adam"])


@pytest.mark.parametrize(
    ("shape", "dtype", "said"),
    [([4, 7], "float32", "shape"), ([4, 6], "float64", "dtype")],
)
def test_mismatch_is_refused_before_anything_is_assigned(run, shape, dtype, said):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        bias = tf1.get_variable("b", [6], initializer=tf1.zeros_initializer())
        tf1.get_variable("W", shape, dtype=dtype)
        session.run(tf1.global_variables_initializer())
        with pytest.raises(RestoreError, match=said):
            gmtf.restore(session, run.checkpoint, {"b": "my_model/b", "W": "my_model/W"})
        assert not session.run(bias).any()
        gmtf.restore(
            session, run.checkpoint, {"b": "my_model/b", "W": "my_model/W"}, allow_missing=True
        )
        assert session.run(bias).any()


def test_layouts_of_a_map_are_applied(run):
    name_map = NameMap(
        (Decision("W", "matched", actual="my_model/W", layout="transpose", shape=(6, 4)),)
    )
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        w = tf1.get_variable("W", [6, 4])
        gmtf.restore(session, run.checkpoint, name_map)
        assert np.array_equal(session.run(w), run.values_before["my_model/W"].T)
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.get_variable("W", [6, 5])
        with pytest.raises(RestoreError, match="shape"):
            gmtf.restore(session, run.checkpoint, name_map)


def test_unknown_names_of_a_map(run):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build()
        with pytest.raises(NameMapError, match="nowhere"):
            gmtf.restore(session, run.checkpoint, {"nowhere": "my_model/W"})
        with pytest.raises(UnresolvedNameError, match="my_model/W"):
            gmtf.restore(session, run.checkpoint, {"W": "my_modl/W"})


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_whole_value_into_partitions(run, resource):
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build("my_model", partitions=3, resource=resource)
        report = gmtf.restore(session, run.checkpoint)
        assert "my_model/W/part_2" in report.restored
        parts = [session.run(f"my_model/W/part_{i}:0") for i in range(3)] if not resource else []
        if parts:
            assert np.array_equal(np.concatenate(parts), run.values_before["my_model/W"])


def test_variables_of_one_initial_value(tmp_path):
    """Their initializers share the tensor that is fed, so they can't be written in one run."""
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        zeros = tf.zeros([3])
        pair = [tf1.Variable(zeros, name=name, use_resource=False) for name in ("p", "q")]
        session.run(tf1.global_variables_initializer())
        pair[0].load([1.0, 2.0, 3.0], session)
        path = tf1.train.Saver().save(session, str(tmp_path / "pair"))
        session.run(tf1.global_variables_initializer())
        gmtf.restore(session, path)
        assert session.run(pair[0]).tolist() == [1.0, 2.0, 3.0]
        assert session.run(pair[1]).tolist() == [0.0, 0.0, 0.0]


def test_maps_for_tensorflows_own_loaders(run):
    name_map = {"kernel": "my_model/W", "bias": "my_model/b"}
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build(names=("kernel", "bias"), partitions=2)
        saver = tf1.train.Saver(gmtf.var_list(name_map, graph))
        saver.restore(session, run.checkpoint)
        assert np.array_equal(session.run("bias:0"), run.values_before["my_model/b"])
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build(names=("kernel", "bias"), partitions=2)
        tf1.train.init_from_checkpoint(run.checkpoint, gmtf.assignment_map(name_map, graph))
        session.run(tf1.global_variables_initializer())
        assert np.array_equal(session.run("bias:0"), run.values_before["my_model/b"])


def test_maps_work_where_no_collection_tells_the_variables(run):
    from pathlib import Path

    meta = tf1.MetaGraphDef.FromString(Path(run.checkpoint + ".meta").read_bytes())
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        tf1.import_graph_def(meta.graph_def, name="bare")
        saver = tf1.train.Saver(gmtf.var_list({"bare/my_model/W": "my_model/W"}, graph))
        saver.restore(session, run.checkpoint)
        assert np.array_equal(session.run("bare/my_model/W:0"), run.values_before["my_model/W"])


def test_listing_is_in_creation_order(tmp_path):
    with tf.Graph().as_default() as graph:
        small_models.build("net", partitions=2)
        tf1.get_variable("counter", [], tf.int64)
        gmtf.write_listing(graph, tmp_path / "names.txt")
    assert (tmp_path / "names.txt").read_text() == (
        "net/W [4,6] float32\nnet/b [6] float32\nnet/W_out [6,1] float32\ncounter [] int64\n"
    )


def test_public_types_are_taken(run, tmp_path):
    """graphmap.load's Artifact, graphmap.match's map, and that map as a file."""
    import graphmap

    artifact = graphmap.load(run.checkpoint)
    name_map = graphmap.match({"W": [4, 6], "b": [6], "W_out": [6, 1]}, artifact)
    name_map.save(tmp_path / "map.json")
    for given in (name_map, str(tmp_path / "map.json"), tmp_path / "map.json"):
        with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
            small_models.build()
            report = gmtf.restore(session, artifact, given)
            assert sorted(report.restored) == ["W", "W_out", "b"]
            assert gmtf.resume(artifact, session, import_scope="stored").train_op is not None

"""Situation (c): a name is found under any scope, without try/except, or refused."""

from __future__ import annotations

import pytest

from graphmap.errors import UnresolvedNameError
from graphmap.model.namemap import Decision, NameMap

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
tf1 = tf.compat.v1
pytestmark = pytest.mark.tf


def graph_of(*names, resource=False):
    graph = tf.Graph()
    with graph.as_default():
        for name in names:
            tf1.get_variable(name, [2, 3], use_resource=resource)
        with tf.name_scope("train"):
            tf.no_op(name="Adam")
    return graph


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("my_model/W", "my_model/W:0"),
        ("my_model/W:0", "my_model/W:0"),
        ("W", "my_model/W:0"),
        ("W:0", "my_model/W:0"),
        ("my_model/W/read", "my_model/W/read:0"),
        pytest.param(" W:0\n", "my_model/W:0", id="copied with blanks"),
    ],
)
def test_tensor_is_found(asked, found):
    assert gmtf.get_tensor(graph_of("my_model/W", "my_model/bias"), asked).name == found


def test_the_tensor_of_a_resource_variable_is_its_value():
    graph = graph_of("my_model/W", resource=True)
    tensor = gmtf.get_tensor(graph, "W:0")
    assert (tensor.dtype, tensor.shape.as_list()) == (tf.float32, [2, 3])


@pytest.mark.parametrize("asked", ["W", "W:0"])
def test_ambiguous_name_is_refused_with_its_candidates(asked):
    graph = graph_of("tower_0/W", "tower_1/W")
    with pytest.raises(UnresolvedNameError, match="ambiguous") as caught:
        gmtf.get_tensor(graph, asked)
    assert set(caught.value.candidates) == {"tower_0/W", "tower_1/W"}
    assert "tower_0/W" in str(caught.value)


def test_a_slot_does_not_compete_with_its_weight():
    graph = tf.Graph()
    with graph.as_default():
        w = tf1.get_variable("net/W", [2, 3], use_resource=False)
        tf1.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(w))
    assert gmtf.get_tensor(graph, "W").name == "net/W:0"


def test_missing_name_gets_did_you_mean():
    with pytest.raises(UnresolvedNameError) as caught:
        gmtf.get_tensor(
            graph_of("encoder/attention/kernel", "encoder/bias"), "attention_kernel_old_2"
        )
    assert caught.value.candidates[0] == "encoder/attention/kernel"
    assert 'gmtf.get_tensor(graph, "encoder/attention/kernel")' in caught.value.remedy


@pytest.mark.parametrize(
    "name_map",
    [
        {"kernel": "my_model/W"},
        {"kernel": "my_model/W:0"},
        NameMap((Decision("kernel", "matched", actual="my_model/W", tensor="my_model/W:0"),)),
    ],
    ids=["dict", "dict of tensor names", "NameMap"],
)
def test_name_map_decides(name_map):
    graph = graph_of("my_model/W", "other/kernel")
    assert gmtf.get_tensor(graph, "kernel:0", name_map).name == "my_model/W:0"


def test_name_that_the_map_leaves_open_is_refused():
    name_map = NameMap((Decision("W", "ambiguous"),))
    with pytest.raises(UnresolvedNameError):
        gmtf.get_tensor(graph_of("my_model/W"), "W", name_map)


@pytest.mark.parametrize("asked", ["train/Adam", "Adam", "Adam:0"])
def test_operation_by_op_name_or_tensor_name(asked):
    assert gmtf.get_operation(graph_of("W"), asked).name == "train/Adam"


def test_operation_by_its_collection():
    graph = graph_of("W")
    graph.add_to_collection("train_op", graph.get_operation_by_name("train/Adam"))
    assert gmtf.get_operation(graph, "train_op").name == "train/Adam"


def test_train_ops_are_offered_first_for_an_operation():
    graph = tf.Graph()
    with graph.as_default():
        w = tf1.get_variable("net/W", [2, 3])
        tf1.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(w), name="head/step")
    with pytest.raises(UnresolvedNameError) as caught:
        gmtf.get_operation(graph, "optimize_model")
    assert caught.value.candidates[0] == "head/step"


def test_a_partitioned_variable_has_no_tensor_of_its_own():
    graph = tf.Graph()
    with graph.as_default():
        cut = tf1.fixed_size_partitioner(2)
        tf1.get_variable("net/W", [4, 3], partitioner=cut)
    with pytest.raises(UnresolvedNameError, match="partitioned") as caught:
        gmtf.get_tensor(graph, "net/W")
    assert caught.value.candidates == ("net/W/part_0", "net/W/part_1")


def test_an_operation_has_no_tensor():
    with pytest.raises(UnresolvedNameError, match="get_operation"):
        gmtf.get_tensor(graph_of("W"), "train/Adam")

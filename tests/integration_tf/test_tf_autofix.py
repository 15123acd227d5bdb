"""The three errors that send people searching: what TensorFlow says, and what autofix says."""

from __future__ import annotations

import pytest
import small_models

from graphmap.errors import UnresolvedNameError

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
tf1 = tf.compat.v1
pytestmark = pytest.mark.tf


def test_key_not_found_in_checkpoint(tmp_path):
    run = small_models.train(tmp_path, scope="my_model")
    with tf.Graph().as_default() as graph, small_models.session_for(graph) as session:
        small_models.build()
        saver = tf1.train.Saver()
        with pytest.raises(tf.errors.NotFoundError, match="not found in checkpoint"):
            saver.restore(session, run.checkpoint)
        with pytest.raises(UnresolvedNameError) as caught, gmtf.autofix():
            saver.restore(session, run.checkpoint)
        error = caught.value
        assert isinstance(error.__cause__, tf.errors.NotFoundError)
        assert error.candidates[0] == f"my_model/{error.where}"
        assert "3 keys" in error.message
        line = error.remedy.partition("Write: ")[2]
        eval(line, {"gmtf": gmtf, "session": session})  # the line to write is right
        assert session.run("W:0").tobytes() == run.values_before["my_model/W"].tobytes()


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        model = small_models.build("my_model")
        tf1.train.GradientDescentOptimizer(0.1).minimize(model["loss"], name="train_op")
    return graph


def test_tensor_does_not_exist(graph):
    with pytest.raises(KeyError, match="refers to a Tensor which does not exist"):
        graph.get_tensor_by_name("W:0")
    with pytest.raises(UnresolvedNameError) as caught, gmtf.autofix():
        graph.get_tensor_by_name("W:0")
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.candidates[0] == "my_model/W"
    assert 'gmtf.get_tensor(graph, "W")' in caught.value.remedy


def test_operation_does_not_exist(graph):
    with pytest.raises(UnresolvedNameError) as caught, gmtf.autofix():
        graph.get_operation_by_name("train_opp")
    assert caught.value.candidates[0] == "train_op"


def test_train_op_is_an_operation_not_a_tensor(graph):
    with pytest.raises(ValueError, match="refers to an Operation, not a Tensor"):
        graph.get_tensor_by_name("train_op")
    with pytest.raises(UnresolvedNameError, match="not a tensor") as caught, gmtf.autofix():
        graph.get_tensor_by_name("train_op")
    assert isinstance(caught.value.__cause__, ValueError)
    assert 'gmtf.get_operation(graph, "train_op")' in caught.value.remedy


def test_an_operation_with_a_value_is_asked_for_its_tensor(graph):
    with pytest.raises(UnresolvedNameError, match=r'get_tensor\(graph, "loss"\)'), gmtf.autofix():
        graph.get_tensor_by_name("loss")


def test_names_in_a_session_run(graph):
    with small_models.session_for(graph) as session:
        with pytest.raises(UnresolvedNameError) as caught, gmtf.autofix():
            session.run("W:0")
        assert caught.value.candidates[0] == "my_model/W"
        with pytest.raises(UnresolvedNameError) as caught, gmtf.autofix():
            session.run("loss:0", {"xx:0": 1.0})
        assert "x" in caught.value.candidates


@pytest.mark.parametrize("error", [KeyError("mine"), ValueError("mine"), TypeError("mine")])
def test_other_errors_pass_through(error):
    with pytest.raises(type(error), match="mine") as caught, gmtf.autofix():
        raise error
    assert caught.value is error


def test_names_that_are_right_pass(graph):
    with gmtf.autofix():
        assert graph.get_tensor_by_name("my_model/W:0") is not None

"""Conditions and loops over functions that write resources, rebuilt over ref variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models as models

import graphmap.tf as gmtf
from graphmap.errors import ReconstructionError
from graphmap.tf.lowering import without_functions

pytestmark = pytest.mark.tf

UPDATES: dict[str, Callable[[Any, list[Any], list[Any]], Any]] = {}


def update(make: Callable[[Any, list[Any], list[Any]], Any]) -> Any:
    UPDATES[make.__name__] = make
    return make


@update
def condition(step: Any, gradients: list[Any], variables: list[Any]) -> Any:
    import tensorflow as tf

    def move() -> Any:
        for g, v in zip(gradients, variables, strict=True):
            v.assign_sub(0.02 * g)
        return tf.reduce_sum(variables[0])

    def shrink() -> Any:
        for v in variables:
            v.assign(0.9 * v)
        return tf.constant(0.0)

    return tf.cond(tf.equal(step % 2, 0), move, shrink)


@update
def case_and_loop_in_a_function(step: Any, gradients: list[Any], variables: list[Any]) -> Any:
    import tensorflow as tf

    def moved(rate: float) -> Callable[[], Any]:
        def move() -> Any:
            for g, v in zip(gradients, variables, strict=True):
                v.assign_sub(rate * g)
            return tf.constant(0)

        return move

    @tf.function
    def train(step: Any) -> Any:
        tf.switch_case(tf.cast(step % 3, tf.int32), [moved(0.01), moved(0.02), moved(0.03)])
        for _ in tf.range(step):
            for v in variables:
                v.assign(v * 0.99 + 0.001 * v * v)
        return tf.constant(0)

    return train(step)


@pytest.mark.parametrize("name", UPDATES)
def test_next_losses_over_refs(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    tf1 = tf.compat.v1
    monkeypatch.setattr(control_flow_util, "ENABLE_CONTROL_FLOW_V2", True)
    with tf.Graph().as_default() as graph:
        model = models.build("old", True)
        step = tf1.get_variable("step", initializer=0, trainable=False, use_resource=True)
        variables = tf1.trainable_variables()
        gradients = tf.gradients(model["loss"], variables)
        done = UPDATES[name](step.read_value(), gradients, variables)
        with tf.control_dependencies([done]):
            train_op = step.assign_add(1).op
        with models.session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            models.steps(session, model, train_op, 0)
            path = tf1.train.Saver().save(session, str(tmp_path / "model"))
            expected = models.steps(session, model, train_op, models.STEPS)
    with tf.Graph().as_default() as graph:
        model = models.build("student", False, ("kernel", "offset"))
        rebuilt = gmtf.reconstruct_train_op(path, model["loss"])
        with models.session_for(graph) as session:
            rebuilt.restore(session)
            losses = models.steps(session, model, rebuilt.train_op, models.STEPS)
        kinds = {op.type for op in graph.get_operations()}

    assert np.isfinite(expected).all()
    assert losses == expected
    assert not kinds & {"If", "While", "Case", "VarHandleOp"}


def test_functions_that_double_are_declined() -> None:
    """f0 calls f1 twice, f1 calls f2 twice, ...: a file of 3 KB, 2**40 nodes."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    proto = tf1.GraphDef()
    for level in range(40):
        function = proto.library.function.add()
        function.signature.name = f"f{level}"
        function.signature.input_arg.add(name="v", type=tf.resource.as_datatype_enum)
        for twice in "ab":
            function.node_def.add(name=twice, op=f"f{level + 1}", input=["v"])
    call = tf1.NodeDef(name="call", op="f0", input=["variable"])

    with pytest.raises(ReconstructionError, match="nested too deep"):
        without_functions([call], proto.library, {"variable"})

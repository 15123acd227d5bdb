"""What would run is looked at before it runs: ops of the list, unknown ones, function bodies."""

from __future__ import annotations

import pytest

from graphmap.errors import UnsafeGraphError

tf = pytest.importorskip("tensorflow")
pytest.importorskip("graphmap.tf")
from graphmap.analysis.effects import EFFECTS  # noqa: E402
from graphmap.tf.importing import _is_available  # noqa: E402
from graphmap.tf.live import live_model  # noqa: E402
from graphmap.tf.safety import check_safe  # noqa: E402

pytestmark = pytest.mark.tf


def model_of(build):
    with tf.Graph().as_default() as graph:
        build()
    return live_model(graph).stored.graph


def test_every_op_of_the_list_exists():
    from tensorflow.python.framework import op_def_registry

    unregistered = {op for op in EFFECTS if op_def_registry.get(op) is None}
    assert {op for op in unregistered if "TRT" not in op} == set()  # in builds with TensorRT only


@pytest.mark.parametrize(
    "build",
    [
        lambda: tf.identity(tf.io.read_file("/etc/hostname"), name="run"),
        lambda: tf.identity(tf.py_function(len, ["x"], tf.int32), name="run"),
        lambda: tf.group(tf.io.write_file("x", "y"), name="run"),
        lambda: tf.group(tf.print("x", output_stream="file:///tmp/x"), name="run"),
    ],
    ids=["reads", "runs code", "writes through a control edge", "prints into a file"],
)
def test_refused(build):
    model = model_of(build)
    with pytest.raises(UnsafeGraphError, match="allow_unsafe"):
        check_safe(model, ["run"])
    check_safe(model, ["run"], allow_unsafe=True)


@pytest.mark.parametrize(
    "build",
    [
        lambda: tf.group(tf.print("x"), name="run"),
        lambda: (tf.io.read_file("/etc/hostname"), tf.no_op(name="run")),
    ],
    ids=["prints to the terminal", "not upstream"],
)
def test_left_alone(build):
    check_safe(model_of(build), ["run"])


def test_an_op_that_tensorflow_does_not_know_is_refused():
    from graphmap.model.graph import GraphModel, Node

    model = GraphModel((Node("run", "TheirCustomOp", (), "", {}),))
    with pytest.raises(UnsafeGraphError, match="unknown to this TensorFlow"):
        check_safe(model, ["run"])


@pytest.mark.parametrize(
    ("device", "found"),
    [
        ("", True),
        ("/cpu:0", True),
        ("/device:CPU:0", True),
        ("/job:localhost/replica:0/task:0/device:CPU:0", True),
        ("/device:GPU:0", False),
        ("/job:worker/task:3", False),
        ("/device:CPU:1", False),
    ],
)
def test_devices_that_the_session_has(device, found):
    assert _is_available(device, {"/job:localhost/replica:0/task:0/device:CPU:0"}) == found

"""The function behind a signature, through the wrappers that TF2 puts around it."""

from __future__ import annotations

from graphmap.analysis.signature_functions import signature_function
from graphmap.model.graph import Function, FunctionRef, GraphModel, Node
from graphmap.model.meta import Signature, TensorInfo


def call(name, function, *inputs):
    return Node(name, "StatefulPartitionedCall", inputs, "", {"f": FunctionRef(function)})


def function(name, arguments, *nodes):
    return Function(name, tuple((a, "resource") for a in arguments), (), nodes, {}, {})


def signature(*tensors):
    info = {tensor: TensorInfo(tensor, "float32", None) for tensor in tensors}
    return Signature("predict", {}, info)


WORK = function("work", ["w", "x", "b"], Node("m", "MatMul", ("x", "w"), "", {}), call("c", "leaf"))
LEAF = function("leaf", ["x"], Node("r", "Relu", ("x",), "", {}))
INNER = function("inner", ["x", "b", "w"], call("call", "work", "w", "x", "b"))
WRAPPER = function(
    "wrapper", ["w", "x", "b"], call("call", "inner", "x", "b", "w"),
    Node("Identity", "Identity", ("call:output:0", "^call"), "", {}),
)  # fmt: skip
NODES = (
    Node("kernel", "VarHandleOp", (), "", {}),
    Node("bias", "VarHandleOp", (), "", {}),
    Node("x", "Placeholder", (), "", {}),
    call("Call", "wrapper", "kernel", "x", "bias", "^x"),
    Node("plain", "Relu", ("x",), "", {}),
)


def test_wrappers_are_passed_and_variables_followed():
    graph = GraphModel(NODES, (WRAPPER, INNER, WORK, LEAF))
    found = signature_function(graph, signature("Call:0", "Call:1"))
    assert found == ("work", "Call", 2, ("leaf",), ("kernel", "bias"))


def test_what_the_graph_computes_is_no_function():
    graph = GraphModel(NODES, (WRAPPER, INNER, WORK, LEAF))
    assert signature_function(graph, signature("plain:0")) is None
    assert signature_function(graph, signature("Call:0", "plain:0")) is None
    assert signature_function(graph, signature("not there:0")) is None


def test_a_missing_body_and_a_circle():
    loop = function("loop", ["x"], call("call", "loop", "x"))
    graph = GraphModel((call("A", "absent"), call("B", "loop", "x")), (loop,))
    assert signature_function(graph, signature("A:0")) is None
    found = signature_function(graph, signature("B:0"))
    assert found is not None and found.name == "loop"

"""Small training graphs, written down node by node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from graphmap.model.graph import (
    AttrValue,
    Function,
    FunctionRef,
    GraphModel,
    Node,
    ShapeValue,
    TensorValue,
)
from graphmap.model.stored import MetaInfo, StoredModel, StoredTensor


def constant(value: object, dtype: str = "float32") -> TensorValue:
    array = numpy.array(value, dtype=object if dtype == "string" else dtype)
    return TensorValue(dtype, array.shape, lambda: array)


class GraphBuilder:
    """Collects nodes; every call returns the new node's name."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.functions: list[Function] = []

    def add(self, op: str, name: str, *inputs: str, **attrs: AttrValue) -> str:
        self.nodes.append(Node(name, op, inputs, "", attrs))
        return name

    def const(self, name: str, value: object, *inputs: str, dtype: str = "float32") -> str:
        return self.add("Const", name, *inputs, value=constant(value, dtype), dtype=dtype)

    def variable(self, name: str, *sizes: int, dtype: str = "float32") -> str:
        """A ref variable with its initializer; returns its read."""
        self.add("VariableV2", name, shape=ShapeValue(sizes), dtype=dtype)
        self.const(f"{name}/zeros", numpy.zeros(sizes), dtype=dtype)
        self.add("Assign", f"{name}/Assign", name, f"{name}/zeros")
        return self.add("Identity", f"{name}/read", name)

    def loss(self, *weights: str) -> str:
        """A placeholder, products with each weight, and the loss; variables are made too."""
        source = self.add("Placeholder", "x", dtype="float32", shape=ShapeValue((None, 2)))
        for weight in weights:
            source = self.add("MatMul", f"{weight}/MatMul", source, self.variable(weight, 2, 2))
        return self.add("Mean", "loss", source)

    def gradients(self, *weights: str, scope: str = "gradients", loss: str = "loss") -> list[str]:
        """A `tf.gradients` call of today's form; returns one gradient for each weight."""
        self.const(f"{scope}/Shape", 1)
        self.const(f"{scope}/grad_ys_0/Const", 1.0)
        seed = self.add("Fill", f"{scope}/grad_ys_0", f"{scope}/Shape", f"{scope}/grad_ys_0/Const")
        whole = self.add("Tile", f"{scope}/{loss}_grad/Tile", seed)
        return [self.add("MatMul", f"{scope}/{w}/MatMul_grad/MatMul", whole) for w in weights]

    def step(self, name: str = "global_step") -> str:
        self.variable(name, dtype="int64")
        return name

    def graph(self, producer: int = 2000) -> GraphModel:
        return GraphModel(tuple(self.nodes), tuple(self.functions), producer)

    def stored(self, *tensors: StoredTensor, meta: MetaInfo | None = None) -> StoredModel:
        meta = meta or MetaInfo()
        return StoredModel("m", "checkpoint", graph=self.graph(), meta=meta, tensors=tensors)


def sgd_graph(*weights: str) -> GraphBuilder:
    """Gradient descent over each weight, counted by global_step; the train op is `train`."""
    build = GraphBuilder()
    build.loss(*weights)
    updates = []
    build.const("rate", 0.1)
    for weight, gradient in zip(weights, build.gradients(*weights), strict=True):
        updates.append(
            build.add("ApplyGradientDescent", f"train/update_{weight}", weight, "rate", gradient)
        )
    build.step()
    build.const("train/value", 1, *(f"^{update}" for update in updates), dtype="int64")
    build.add("AssignAdd", "train", "global_step", "train/value")
    return build


def tensor(name: str, *sizes: int, dtype: str = "float32", key: str | None = None) -> StoredTensor:
    return StoredTensor(key or name, name, sizes, dtype, 4)


def function(name: str, arguments: Sequence[str], *nodes: Node) -> Function:
    return Function(name, tuple((a, "resource") for a in arguments), (), nodes, {}, {})


def node(op: str, name: str, *inputs: str, **attrs: AttrValue) -> Node:
    return Node(name, op, inputs, "", attrs)


def call(name: str) -> FunctionRef:
    return FunctionRef(name)

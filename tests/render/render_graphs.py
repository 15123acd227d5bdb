"""Graphs for pictures, written down node by node."""

from __future__ import annotations

from collections.abc import Mapping

from graphmap.model.graph import AttrValue, GraphModel, Node, ShapeValue
from graphmap.model.stored import StoredModel


class GraphWriter:
    """Collects nodes; every call returns the new node's name."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, op: str, name: str, *inputs: str, **attrs: AttrValue) -> str:
        self.nodes.append(Node(name, op, inputs, "", attrs))
        return name

    def placeholder(self, name: str, *sizes: int | None) -> str:
        return self.add("Placeholder", name, _output_shapes=(ShapeValue(sizes),), dtype="float32")

    def variable(self, name: str, *sizes: int) -> str:
        shape = ShapeValue(sizes)
        self.add("VariableV2", name, shape=shape, _output_shapes=(shape,), dtype="float32")
        self.add("Const", f"{name}/Initializer/zeros")
        self.add("Assign", f"{name}/Assign", name, f"{name}/Initializer/zeros", T="float32")
        return self.add("Identity", f"{name}/read", name)

    def dense(self, scope: str, source: str, rows: int, columns: int, *, own: str = "") -> str:
        """MatMul, BiasAdd, Relu; `own` is the scope of variables that exist already."""
        kernel, bias = f"{own or scope}/kernel", f"{own or scope}/bias"
        if not own:
            self.variable(kernel, rows, columns)
            self.variable(bias, columns)
        shapes: Mapping[str, AttrValue] = {"_output_shapes": (ShapeValue((None, columns)),)}
        product = self.add("MatMul", f"{scope}/MatMul", source, f"{kernel}/read", **shapes)
        total = self.add("BiasAdd", f"{scope}/BiasAdd", product, f"{bias}/read", **shapes)
        return self.add("Relu", f"{scope}/Relu", total, **shapes)

    def loss(self, source: str, name: str = "loss") -> str:
        self.add("Const", f"{name}/axes")
        scalar = ShapeValue(())
        return self.add("Mean", f"{name}/Mean", source, f"{name}/axes", _output_shapes=(scalar,))

    def train(self, loss: str, variables: list[str], scope: str = "train") -> str:
        """One gradient op for each variable, ApplyAdam, and a grouping NoOp."""
        gradients = f"{scope}/gradients"
        self.add("Shape", f"{gradients}/Shape", loss)
        self.add("Const", f"{gradients}/grad_ys_0")
        seed = self.add("Fill", f"{gradients}/Fill", f"{gradients}/Shape", f"{gradients}/grad_ys_0")
        updates = []
        rates = [self.add("Const", f"{scope}/Adam/{word}") for word in ("lr", "b1", "b2", "eps")]
        powers = [self.variable(f"{scope}/{word}") for word in ("beta1_power", "beta2_power")]
        for variable in variables:
            grad = self.add("Mul", f"{gradients}/{variable}_grad/Mul", seed, f"{variable}/read")
            self.variable(f"{variable}/Adam", 1)
            self.variable(f"{variable}/Adam_1", 1)
            updates.append(
                self.add(
                    "ApplyAdam", f"{scope}/Adam/update_{variable}/ApplyAdam",
                    variable, f"{variable}/Adam", f"{variable}/Adam_1", *powers, *rates, grad,
                )
            )  # fmt: skip
        return self.add("NoOp", f"{scope}/Adam", *(f"^{update}" for update in updates))

    def save(self, variables: list[str]) -> None:
        self.add("Const", "save/filename/input")
        self.add("PlaceholderWithDefault", "save/filename", "save/filename/input")
        for name in ("names", "slices"):
            self.add("Const", f"save/SaveV2/{name}")
        inputs = ["save/filename", "save/SaveV2/names", "save/SaveV2/slices", *variables]
        self.add("SaveV2", "save/SaveV2", *inputs)
        self.add("Identity", "save/control_dependency", "save/filename", "^save/SaveV2")
        self.add("RestoreV2", "save/RestoreV2", *inputs[:3])
        for place, variable in enumerate(variables):
            self.add("Assign", f"save/Assign_{place}", variable, f"save/RestoreV2:{place}")

    def stored(self, path: str = "run/model.ckpt-5.meta") -> StoredModel:
        return StoredModel(path, "metagraph", graph=GraphModel(tuple(self.nodes), producer=27))


def training_graph(writer: GraphWriter) -> StoredModel:
    top = writer.dense("dense_0", writer.placeholder("x", None, 4), 4, 8)
    top = writer.dense("dense_1", top, 8, 8)
    loss = writer.loss(top)
    variables = [f"dense_{layer}/{part}" for layer in (0, 1) for part in ("kernel", "bias")]
    writer.train(loss, variables)
    writer.save(variables)
    writer.add("Const", "tag")
    writer.add("ScalarSummary", "summary", "tag", loss)
    return writer.stored()

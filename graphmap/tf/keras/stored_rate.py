"""The learning rate of a stored graph as a function of the step: its own nodes, run again.

No formula is written anew, so any schedule that hangs on the step alone goes on bit for bit.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.errors import ReconstructionError, UnsafeGraphError
from graphmap.model.stored import StoredModel
from graphmap.names import parse_input
from graphmap.tf.runtime import tensorflow

__all__ = ["StoredRate", "cut_rate", "rate_from_config"]

_STEP = "graphmap_step"
_READS = frozenset({"ReadVariableOp", "Identity"})
_LIMIT = 10_000  # nodes of one schedule


class StoredRate(NamedTuple):
    """A cut of a graph. graph: serialized GraphDef; dtype: of the step; output: tensor name."""

    graph: bytes
    dtype: str
    output: str

    def config(self) -> dict[str, str]:
        """Return what `rate_from_config` takes; JSON."""
        text = base64.b64encode(self.graph).decode("ascii")
        return {"graph": text, "dtype": self.dtype, "output": self.output}

    def at(self, step: Any) -> Any:
        """Return the rate at a step, a tensor; inside a tf.function as part of it."""
        tf = tensorflow()
        if tf.executing_eagerly():
            return tf.function(self._imported)(tf.convert_to_tensor(step))
        return self._imported(step)

    def _imported(self, step: Any) -> Any:
        tf = tensorflow()
        proto = tf.compat.v1.GraphDef.FromString(self.graph)
        (rate,) = tf.graph_util.import_graph_def(
            proto,
            input_map={f"{_STEP}:0": tf.cast(step, self.dtype)},
            return_elements=[self.output],
            name="stored_rate",
        )
        return rate


def rate_from_config(config: dict[str, str]) -> StoredRate:
    """Return the rate of a config, which may come from a file; raises UnsafeGraphError."""
    rate = StoredRate(base64.b64decode(config["graph"]), config["dtype"], config["output"])
    proto = tensorflow().compat.v1.GraphDef.FromString(rate.graph)
    _check_pure(proto, "learning_rate")
    return rate


def cut_rate(stored: StoredModel, tensor: str, step: str | None) -> StoredRate:
    """Cut the nodes that compute `tensor` out of the stored graph; the step becomes their input.

    Raises ReconstructionError where something else than the step decides the rate.
    """
    tf = tensorflow()
    assert stored.graph is not None
    proto = tf.compat.v1.GraphDef.FromString(stored.graph.raw())
    nodes = {node.name: node for node in proto.node}
    made = tf.compat.v1.GraphDef(versions=proto.versions, library=proto.library)
    dtype = "int64"
    seen: set[str] = set()
    queue = [parse_input(tensor)[0]]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        node = nodes[name]
        held = _variable_read(node, nodes)
        if held is not None:
            if held.name != step:
                raise _not_of_the_step(held.name, stored)
            dtype = tf.as_dtype(held.attr["dtype"].type).name
            copy = made.node.add(name=name, op="Identity", input=[_STEP])
            copy.attr["T"].type = held.attr["dtype"].type
            continue
        if node.op.startswith("Placeholder") or len(seen) > _LIMIT:
            raise _not_of_the_step(name, stored)
        copy = made.node.add()
        copy.CopyFrom(node)
        copy.device = ""
        copy.attr.pop("_class", None)
        if node.op == "Const" and tf.as_dtype(node.attr["dtype"].type).is_numpy_compatible:
            copy.name = f"{name}/stored"
            _shield(made, name, copy)
        queue += [parse_input(text)[0] for text in node.input]
    fed = made.node.add(name=_STEP, op="Placeholder")
    fed.attr["dtype"].type = tf.as_dtype(dtype).as_datatype_enum
    _check_pure(made, stored.path)
    output = tensor if ":" in tensor else f"{tensor}:0"
    return StoredRate(made.SerializeToString(deterministic=True), dtype, output)


def _shield(made: Any, name: str, constant: Any) -> None:
    """Let a constant reach its consumers as what no optimizer folds.

    TensorFlow turns x / 3 into x * (1 / 3) where it sees a constant, and that rounds otherwise.
    """
    shield = made.node.add(name=name, op="PlaceholderWithDefault", input=[constant.name])
    shield.attr["dtype"].type = constant.attr["dtype"].type
    shield.attr["shape"].shape.CopyFrom(constant.attr["value"].tensor.tensor_shape)


def _variable_read(node: Any, nodes: dict[str, Any]) -> Any:
    """Return the variable whose value a node is; None for any other node."""
    if node.op in VARIABLE_OPS and node.op != "VarHandleOp":
        return node
    if node.op in _READS and node.input:
        source = nodes.get(parse_input(node.input[0])[0])
        if source is not None and source.op in VARIABLE_OPS:
            return source
    return None


def _not_of_the_step(name: str, stored: StoredModel) -> ReconstructionError:
    return ReconstructionError(
        f"computes the learning rate from {name}, which is not its step",
        where=stored.path,
        remedy='Say what it is: optimizer={"hyperparameters": {"learning_rate": ...}}.',
    )


def _check_pure(proto: Any, where: str) -> None:
    """Raise UnsafeGraphError where a node could do anything else than compute."""
    from tensorflow.python.framework import op_def_registry

    groups: list[Iterable[Any]] = [proto.node, *(f.node_def for f in proto.library.function)]
    bodies = {function.signature.name for function in proto.library.function}
    for node in (node for group in groups for node in group):
        definition = op_def_registry.get(node.op)
        if node.op in bodies or (definition is not None and not definition.is_stateful):
            continue
        if node.op in ("Placeholder", "If", "While", "Case", "PartitionedCall"):
            continue
        raise UnsafeGraphError(
            f"has a {node.op} in the schedule of its rate ({node.name}), which does more than "
            "compute",
            where=where,
            remedy='Say the rate: optimizer={"hyperparameters": {"learning_rate": ...}}.',
        )

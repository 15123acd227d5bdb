"""Copying the cut of a stored graph into the caller's graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from graphmap.analysis.gradients import TensorRef
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.names import parse_input
from graphmap.tf.descent import Descent
from graphmap.tf.kinds import to_refs, to_resources
from graphmap.tf.runtime import tensorflow
from graphmap.tf.transplant_cut import Cut, loop_nodes

__all__ = ["Planted", "VariableHandle", "plant"]

PREFIX = "resumed_update"
_DROPPED_ATTRS = ("_class", "_output_shapes", "_xla_inferred_shapes")


class VariableHandle(NamedTuple):
    """How the new graph holds a variable: its handle or ref tensor."""

    tensor: Any
    is_resource: bool


class Planted(NamedTuple):
    """What an import added: {stored op name: new Operation}, and the new graph def's size."""

    operations: Mapping[str, Any]
    prefix: str


def plant(
    graph: Any,
    stored: GraphModel,
    cut: Cut,
    descent: Descent,
    variables: Mapping[int, VariableHandle],
) -> Planted:
    """Import the copied nodes, joined to the new graph's tensors, ops and variables."""
    tf = tensorflow()
    proto = tf.compat.v1.GraphDef()
    proto.ParseFromString(stored.raw())
    wanted = {stored.nodes[position].name for position in cut.copied}
    nodes = [node for node in proto.node if node.name in wanted]
    inside = {stored.nodes[position].name for position in loop_nodes(stored)}
    mapping: dict[str, Any] = {}
    joined = _Joins(graph, stored, cut, descent, mapping)
    for node in nodes:
        joined.rewire(node)
    nodes = _same_kinds(nodes, stored, variables, inside)
    used = {parse_input(text).node for node in nodes for text in node.input}
    for position, handle in variables.items():
        name = stored.nodes[position].name
        if name in used:
            mapping[f"{name}:0"] = handle.tensor
    made = tf.compat.v1.GraphDef(versions=proto.versions)
    made.node.extend([*nodes, *joined.extra])
    _rename_frames(made.node, graph)
    _bring_functions(made, proto.library, graph)
    return _import(graph, made, mapping)


class _Joins:
    """Rewires the inputs of copied nodes to what stands for them in the new graph."""

    def __init__(
        self,
        graph: Any,
        stored: GraphModel,
        cut: Cut,
        descent: Descent,
        mapping: dict[str, Any],
    ) -> None:
        self.graph, self.stored, self.cut, self.descent = graph, stored, cut, descent
        self.mapping = mapping
        self.extra: list[Any] = []
        self._waits: dict[int, str] = {}

    def rewire(self, node: Any) -> None:
        node.device = ""
        for key in _DROPPED_ATTRS:
            node.attr.pop(key, None)
        inputs = [self._input(text, node) for text in node.input]
        del node.input[:]
        node.input.extend(text for text in inputs if text is not None)

    def _input(self, text: str, node: Any) -> str | None:
        name, output = parse_input(text)
        position = self.stored.index[name]
        if output < 0:
            if position in self.cut.copied:
                return text
            new = self.cut.controls.get(position)
            return None if new is None else f"^{self._wait_for(new, node)}"
        new_tensor = self.cut.tensors.get(TensorRef(position, output))
        if new_tensor is None:
            return text
        key = f"joined_{position}_{output}"
        operation = self._operation(new_tensor.node)
        self.mapping[f"{key}:0"] = operation.outputs[new_tensor.output]
        return key

    def _operation(self, position: int) -> Any:
        return self.graph.get_operation_by_name(self.descent.new.nodes[position].name)

    def _wait_for(self, position: int, node: Any) -> str:
        """Return the name of a copied op that runs after an op of the new graph."""
        tf = tensorflow()
        if position not in self._waits:
            name = f"after_{position}"
            operation = self._operation(position)
            with self.graph.as_default(), tf.control_dependencies([operation]):
                done = tf.constant(0, name=f"{PREFIX}_after")
            self.mapping[f"{name}_done:0"] = done
            waiting = type(node)(name=name, op="Identity", input=[f"{name}_done"])
            waiting.attr["T"].type = tf.int32.as_datatype_enum
            self.extra.append(waiting)
            self._waits[position] = name
        return self._waits[position]


def _same_kinds(
    nodes: list[Any],
    stored: GraphModel,
    variables: Mapping[int, VariableHandle],
    inside: Iterable[str],
) -> list[Any]:
    """Turn uses of variables into the kind that the new graph holds them as."""
    tf = tensorflow()
    to_resource: dict[str, int] = {}
    to_ref: dict[str, int] = {}
    for position, handle in variables.items():
        node = stored.nodes[position]
        was_resource = node.op == "VarHandleOp"
        if was_resource != handle.is_resource:
            dtype = tf.dtypes.as_dtype(str(node.attrs["dtype"])).as_datatype_enum
            (to_resource if handle.is_resource else to_ref)[node.name] = dtype
    if to_resource:
        nodes = to_resources(nodes, to_resource, frozenset(inside))
    return to_refs(nodes, to_ref) if to_ref else nodes


def _rename_frames(nodes: Iterable[Any], graph: Any) -> None:
    """Two loops of one frame name in one run would disturb each other."""
    fresh: dict[bytes, bytes] = {}
    for node in nodes:
        if node.op in ("Enter", "RefEnter"):
            name = node.attr["frame_name"].s
            if name not in fresh:
                fresh[name] = graph.unique_name(f"{PREFIX}/{name.decode()}").encode()
            node.attr["frame_name"].s = fresh[name]


def _bring_functions(made: Any, library: Any, graph: Any) -> None:
    """Copy the functions that the copied nodes call, under names that are free in the new graph."""
    by_name = {function.signature.name: function for function in library.function}
    taken = {function.signature.name for function in graph.as_graph_def().library.function}
    fresh: dict[str, str] = {}
    todo = list(made.node)
    while todo:
        node = todo.pop()
        for name in _called(node, by_name):
            if name not in fresh:
                fresh[name] = _free_name(name, taken)
                taken.add(fresh[name])
                todo.extend(by_name[name].node_def)
    for old, new in fresh.items():
        copy = made.library.function.add()
        copy.CopyFrom(by_name[old])
        copy.signature.name = new
        for node in copy.node_def:
            node.device = ""
            _rename_calls(node, fresh)
    for node in made.node:
        _rename_calls(node, fresh)
    for gradient in library.gradient:
        if gradient.function_name in fresh and gradient.gradient_func in fresh:
            made.library.gradient.add(
                function_name=fresh[gradient.function_name],
                gradient_func=fresh[gradient.gradient_func],
            )


def _free_name(name: str, taken: set[str]) -> str:
    number = 0
    candidate = f"{PREFIX}_{name}"
    while candidate in taken:
        number += 1
        candidate = f"{PREFIX}_{number}_{name}"
    return candidate


def _called(node: Any, by_name: Mapping[str, Any]) -> list[str]:
    found = [node.op] if node.op in by_name else []
    for value in node.attr.values():
        names = [value.func.name] if value.HasField("func") else []
        names += [func.name for func in value.list.func]
        found += [name for name in names if name in by_name]
    return found


def _rename_calls(node: Any, fresh: Mapping[str, str]) -> None:
    node.op = fresh.get(node.op, node.op)
    for key in ("_class", "_gradient_op_type", *_DROPPED_ATTRS):
        node.attr.pop(key, None)
    for value in node.attr.values():
        if value.HasField("func"):
            value.func.name = fresh.get(value.func.name, value.func.name)
        for func in value.list.func:
            func.name = fresh.get(func.name, func.name)


def _import(graph: Any, made: Any, mapping: Mapping[str, Any]) -> Planted:
    tf = tensorflow()
    with graph.as_default(), tf.control_dependencies(None), tf.compat.v1.name_scope(None):
        names = [node.name for node in made.node]
        try:
            operations = tf.compat.v1.import_graph_def(
                made, input_map=dict(mapping), return_elements=names, name=PREFIX
            )
        except (ValueError, TypeError, KeyError) as cause:
            raise ReconstructionError(
                f"TensorFlow refuses the copied update: {str(cause).splitlines()[0]}",
                where=PREFIX,
                remedy="The stored graph may need ops or kinds that this graph cannot hold.",
            ) from cause
    prefix = operations[0].name.removesuffix(names[0]) if operations else ""
    return Planted(dict(zip(names, operations, strict=True)), prefix)

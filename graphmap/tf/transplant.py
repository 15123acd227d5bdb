"""Copying the cut of a stored graph into the caller's graph.

`plan_copy` makes the nodes and says what they are joined to, and changes nothing; `plant` imports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphmap.analysis.gradients import TensorRef
from graphmap.errors import ReconstructionError
from graphmap.formats.graphdef import graph_model
from graphmap.model.graph import GraphModel, Node
from graphmap.names import parse_input
from graphmap.tf.kinds import to_refs, to_resources
from graphmap.tf.lowering import without_functions
from graphmap.tf.runtime import tensorflow
from graphmap.tf.transplant_cut import Cut
from graphmap.tf.transplant_state import state_nodes

__all__ = ["PREFIX", "Copy", "NewVariable", "plan_copy", "plant"]

PREFIX = "resumed_update"
_ENTERS = frozenset({"Enter", "RefEnter"})
_DROPPED_ATTRS = ("_class", "_output_shapes", "_xla_inferred_shapes")


class NewVariable(NamedTuple):
    """A variable of the new graph that a stored one becomes; it need not be there yet.

    initial: the bytes of its initial value, as TensorProto.tensor_content; empty for zeros.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    is_resource: bool
    initial: bytes = b""


@dataclass
class Copy:
    """Nodes to be imported, and what their loose inputs are.

    names: of the copied stored nodes that are still there. tensors: {loose input: tensor name of
    the new graph}. variables: {loose input: variable}. waits: {loose input: op of the new graph
    that has to run before}.
    """

    made: Any
    names: frozenset[str]
    tensors: dict[str, str] = field(default_factory=dict)
    variables: dict[str, NewVariable] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)

    def joined_model(self, new: GraphModel, prefix: str) -> GraphModel:
        """Return the new graph as it will be: with the copies under a prefix, and the variables."""
        there = set(new.index)
        nodes = list(new.nodes)
        for variable in dict.fromkeys(self.variables.values()):
            if variable.name not in there:
                op = "VarHandleOp" if variable.is_resource else "VariableV2"
                nodes.append(Node(variable.name, op, (), "", {"dtype": variable.dtype}))
        loose = {name: tensor.removesuffix(":0") for name, tensor in self.tensors.items()}
        loose |= {name: variable.name for name, variable in self.variables.items()}
        loose |= {name: f"^{op}" for name, op in self.waits.items()}
        for node in graph_model(self.made).nodes:
            inputs = tuple(_joined_input(text, loose, prefix) for text in node.inputs)
            nodes.append(node._replace(name=prefix + node.name, inputs=inputs))
        return GraphModel(tuple(nodes), (*new.functions, *graph_model(self.made).functions))


def _joined_input(text: str, loose: Mapping[str, str], prefix: str) -> str:
    name, output = parse_input(text)
    if name in loose:
        return f"^{loose[name].removeprefix('^')}" if output < 0 else loose[name]
    return f"^{prefix}{name}" if output < 0 else f"{prefix}{name}:{output}"


def plan_copy(
    new: GraphModel,
    stored: GraphModel,
    cut: Cut,
    variables: Mapping[int, NewVariable],
) -> Copy:
    """Return the copied nodes, turned to the kinds of variables that the new graph has."""
    tf = tensorflow()
    proto = tf.compat.v1.GraphDef()
    proto.ParseFromString(stored.raw())
    wanted = {stored.nodes[position].name for position in cut.copied}
    nodes = [node for node in proto.node if node.name in wanted]
    copy = Copy(tf.compat.v1.GraphDef(versions=proto.versions), frozenset(wanted))
    joins = _Joins(new, stored, cut, copy)
    for node in nodes:
        joins.rewire(node)
    nodes = _same_kinds(nodes, proto.library, stored, variables)
    used = {parse_input(text).node for node in nodes for text in node.input}
    names = {stored.nodes[position].name: variable for position, variable in variables.items()}
    copy.variables = {name: variable for name, variable in names.items() if name in used}
    copy.made.node.extend([*nodes, *joins.extra])
    _bring_functions(copy.made, proto.library, {function.name for function in new.functions})
    return copy


class _Joins:
    """Rewires the inputs of copied nodes to what stands for them in the new graph."""

    def __init__(self, new: GraphModel, stored: GraphModel, cut: Cut, copy: Copy) -> None:
        self.new, self.stored, self.cut, self.copy = new, stored, cut, copy
        self.extra: list[Any] = []
        self._waits: dict[str, str] = {}

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
            return None if new is None else f"^{self._wait_for(self.new.nodes[new].name, node)}"
        ref = TensorRef(position, output)
        there = self.cut.tensors.get(ref)
        tensor = self.cut.replaced.get(ref)
        if there is not None:
            tensor = f"{self.new.nodes[there.node].name}:{there.output}"
        if tensor is None:
            return text
        key = f"joined_{position}_{output}"
        self.copy.tensors[key] = tensor
        return key

    def _wait_for(self, operation: str, node: Any) -> str:
        """Return the name of a copied op that runs after an op of the new graph."""
        if operation not in self._waits:
            name = f"after_{len(self._waits)}"
            self.copy.waits[f"{name}_done"] = operation
            waiting = type(node)(name=name, op="Identity", input=[f"{name}_done"])
            waiting.attr["T"].type = tensorflow().int32.as_datatype_enum
            self.extra.append(waiting)
            self._waits[operation] = name
        return self._waits[operation]


def _same_kinds(
    nodes: list[Any],
    library: Any,
    stored: GraphModel,
    variables: Mapping[int, NewVariable],
) -> list[Any]:
    """Turn uses of variables into the kind that the new graph holds them as."""
    tf = tensorflow()
    to_resource: dict[str, int] = {}
    to_ref: dict[str, int] = {}
    for position, variable in variables.items():
        node = stored.nodes[position]
        was_resource = node.op == "VarHandleOp"
        if was_resource != variable.is_resource:
            dtype = tf.dtypes.as_dtype(str(node.attrs["dtype"])).as_datatype_enum
            (to_resource if variable.is_resource else to_ref)[node.name] = dtype
    if to_resource:
        nodes = to_resources(nodes, to_resource)
    if to_ref:
        nodes = to_refs(without_functions(nodes, library, to_ref), to_ref)
    return nodes


def _bring_functions(made: Any, library: Any, taken: set[str]) -> None:
    """Copy the functions that the copied nodes call, under names that are free in the new graph."""
    by_name = {function.signature.name: function for function in library.function}
    taken = set(taken)
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


def plant(graph: Any, copy: Copy, prefix: str, lives: Mapping[str, Any]) -> dict[str, Any]:
    """Import a copy, its new state variables included; returns {stored op name: new Operation}.

    prefix: free in the graph. lives: {variable name: handle or ref tensor} of those that are there.
    One import makes all: what TensorFlow refuses leaves no node behind.
    """
    tf = tensorflow()
    mapping = {f"{name}:0": graph.get_tensor_by_name(t) for name, t in copy.tensors.items()}
    loose = {name: name for name in (*copy.tensors, *copy.waits)}
    fresh = {}
    for name, variable in copy.variables.items():
        if variable.name in lives:
            mapping[f"{name}:0"] = lives[variable.name]
            loose[name] = name
        else:
            loose[name] = variable.name
            fresh[variable.name] = variable
    for name, operation in copy.waits.items():
        with graph.as_default(), tf.control_dependencies([graph.get_operation_by_name(operation)]):
            mapping[f"{name}:0"] = tf.constant(0, name=f"{PREFIX}_after")
    made = tf.compat.v1.GraphDef(versions=copy.made.versions, library=copy.made.library)
    for variable in fresh.values():
        made.node.extend(
            state_nodes(
                variable.name,
                variable.dtype,
                variable.shape,
                resource=variable.is_resource,
                initial=variable.initial,
            )
        )
    for node in copy.made.node:
        new = made.node.add()
        new.CopyFrom(node)
        new.name = prefix + node.name
        del new.input[:]
        new.input.extend(_joined_input(text, loose, prefix) for text in node.input)
        if node.op in _ENTERS:  # two loops of one frame name in one run would disturb each other
            new.attr["frame_name"].s = prefix.encode() + node.attr["frame_name"].s
    names = [node.name for node in copy.made.node]
    with graph.as_default(), tf.control_dependencies(None), tf.compat.v1.name_scope(None):
        operations = _import(made, mapping, [prefix + name for name in names])
    return dict(zip(names, operations, strict=True))


def _import(made: Any, mapping: Mapping[str, Any], names: list[str]) -> list[Any]:
    tf = tensorflow()
    try:
        found = tf.compat.v1.import_graph_def(
            made, input_map=dict(mapping), return_elements=names, name=""
        )
    except (ValueError, TypeError, KeyError) as cause:
        raise ReconstructionError(
            f"TensorFlow refuses the copied update: {str(cause).splitlines()[0]}",
            where=PREFIX,
            remedy="The stored graph may need ops or kinds that this graph cannot hold.",
        ) from cause
    return found or []

"""State of the optimizer in the new graph: slots, powers, averages and the step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphmap.errors import ReconstructionError, RestoreError
from graphmap.model.graph import Dims, GraphModel, ShapeValue, TensorValue
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable
from graphmap.tf.assigning import Assignment, nodes_of
from graphmap.tf.live import LiveVariable, variable_object
from graphmap.tf.runtime import tensorflow

__all__ = [
    "STATE_SCOPE",
    "assignments_for",
    "collect_state",
    "make_state",
    "state_nodes",
    "stored_places",
    "unsaved_locals",
    "variable_shape",
]

STATE_SCOPE = "resumed"


def stored_places(variables: Iterable[Variable]) -> dict[str, tuple[Variable, Any]]:
    """Return {variable node: (variable, its part or None)} of everything the files hold."""
    return {
        node: (variable, part)
        for variable in variables
        if variable.checkpoint_key is not None
        for node, part in nodes_of(variable)
    }


def make_state(
    graph: Any,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    *,
    resource: bool,
    is_step: bool = False,
) -> Any:
    """Make a variable that no optimizer trains, `resumed/<stored name>`, and return it."""
    tf = tensorflow()
    tf1 = tf.compat.v1
    collections = [tf1.GraphKeys.GLOBAL_VARIABLES]
    if is_step and not graph.get_collection(tf1.GraphKeys.GLOBAL_STEP):
        collections.append(tf1.GraphKeys.GLOBAL_STEP)
    with graph.as_default(), tf.control_dependencies(None), tf1.name_scope(None):
        return tf1.Variable(
            lambda: tf.zeros(shape, dtype),
            trainable=False,
            collections=collections,
            name=f"{STATE_SCOPE}/{name}",
            dtype=dtype,
            use_resource=resource,
        )


def state_nodes(
    name: str, dtype: str, shape: tuple[int, ...], *, resource: bool, initial: bytes = b""
) -> list[Any]:
    """Return the NodeDefs of a variable: handle, initializer and read; it begins as zeros.

    initial: other values to begin with, as TensorProto.tensor_content.

    Imported with everything else they cost a tenth of what a tf.Variable does.
    """
    tf = tensorflow()
    node_type = tf.compat.v1.NodeDef
    kind = tf.dtypes.as_dtype(dtype)
    handle = node_type(name=name, op="VarHandleOp" if resource else "VariableV2")
    handle.attr["dtype"].type = kind.as_datatype_enum
    handle.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
    handle.attr["shared_name"].s = name.encode() if resource else b""
    zeros = node_type(name=f"{name}/Initializer/zeros", op="Const")
    zeros.attr["dtype"].type = kind.as_datatype_enum
    value = zeros.attr["value"].tensor
    value.dtype = kind.as_datatype_enum
    value.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    value.tensor_content = initial
    # a TensorProto without values is all zeros, False or empty strings
    assign = node_type(name=f"{name}/Assign", input=[name, zeros.name])
    read = node_type(name=f"{name}/read", input=[name])
    if resource:
        assign.op, read.op = "AssignVariableOp", "ReadVariableOp"
        assign.attr["dtype"].type = read.attr["dtype"].type = kind.as_datatype_enum
    else:
        assign.op, read.op = "Assign", "Identity"
        assign.attr["T"].type = read.attr["T"].type = kind.as_datatype_enum
    return [handle, zeros, assign, read]


def collect_state(graph: Any, lives: Iterable[LiveVariable], steps: Iterable[str]) -> None:
    """Make variables of imported nodes known to the graph, as tf.Variable does.

    steps: op names of those that count steps.
    """
    tf1 = tensorflow().compat.v1
    counting = set(steps)
    for live in lives:
        variable = variable_object(live)
        graph.add_to_collection(tf1.GraphKeys.GLOBAL_VARIABLES, variable)
        if live.node in counting and not graph.get_collection(tf1.GraphKeys.GLOBAL_STEP):
            graph.add_to_collection(tf1.GraphKeys.GLOBAL_STEP, variable)


def variable_shape(
    graph: GraphModel, position: int, places: Mapping[str, tuple[Variable, Any]]
) -> tuple[int, ...]:
    """Return the shape of a variable node: as the files tell, else as its node tells."""
    node = graph.nodes[position]
    place = places.get(node.name)
    dims: Dims = None
    if place is not None:
        variable, part = place
        dims = part.shape if part is not None else variable.shape
    if dims is None:
        attr = node.attrs.get("shape")
        dims = attr.dims if isinstance(attr, ShapeValue) else None
    if dims is None or None in dims:
        raise ReconstructionError("has no known shape, so it cannot be made", where=node.name)
    return tuple(size for size in dims if size is not None)


def unsaved_locals(
    stored: StoredModel, places: Mapping[str, Any], needed: Iterable[str]
) -> dict[str, bytes]:
    """Return {variable node: initial value} of local variables, which no Saver keeps by default.

    Those of metrics are: a program that goes on begins them anew. Only constant initial values.
    """
    graph = stored.graph
    assert graph is not None
    local = {entry.name for entry in stored.meta.variables.get("local_variables", ())}
    found = {}
    for name in needed:
        at = graph.index.get(f"{name}/Assign", -1)
        sources = graph.topology.inputs[at] if at >= 0 else []
        if name in places or name not in local or len(sources) < 2 or sources[1][0] < 0:
            continue
        value = graph.nodes[sources[1][0]].attrs.get("value")
        if isinstance(value, TensorValue) and value.dtype != "string":
            found[name] = value.array().tobytes()
    return found


def assignments_for(
    stored: StoredModel,
    pairs: Mapping[str, LiveVariable],
    places: Mapping[str, tuple[Variable, Any]],
    needed: Iterable[str],
) -> list[Assignment]:
    """Return what to restore: {stored variable node: live variable}, sorted by stored name.

    Raises RestoreError where a variable that the update needs is not in the files.
    """
    missing = sorted(name for name in needed if name not in places)
    if missing:
        raise RestoreError(
            f"{len(missing)} variables that a training step needs are not stored: "
            f"{', '.join(missing[:5])}",
            where=stored.path,
            remedy="Nothing has been built. The checkpoint was written without the optimizer's "
            "state, so no train op can go on from it exactly.",
        )
    return [
        Assignment(live, str(places[name][0].checkpoint_key), places[name][1])
        for name, live in sorted(pairs.items())
        if name in places
    ]

"""The variables of a live `tf.Graph`, and how to write and read each without adding a node.

A variable is its node (`VariableV2`, `Variable`, `VarHandleOp`); the collections are only a help,
because a graph that came in by `import_graph_def` has none. A value is written by running an
existing `Assign` with its value input fed, and read through an existing read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.formats.graphdef import graph_model
from graphmap.model.graph import Dims
from graphmap.model.meta import VariableDef
from graphmap.model.stored import MetaInfo, StoredModel
from graphmap.model.variable import Part, Variable
from graphmap.opening import OpenedModel
from graphmap.tf.runtime import tensorflow

__all__ = [
    "LiveVariable",
    "expected_variables",
    "live_model",
    "live_variables",
    "variable_object",
]

ASSIGN_OPS = frozenset({"Assign", "AssignVariableOp"})


@dataclass(frozen=True, eq=False)
class LiveVariable:
    """A variable node of a live graph.

    node: its op name. assign: an op without control inputs that writes it when its input 1 is
    fed; None where the graph has none. value: a tensor that holds its value; None likewise.
    variable: the tf.Variable that the collections hold, if any.
    """

    node: str
    operation: Any
    dtype: str
    shape: Dims
    is_resource: bool
    assign: Any
    value: Any
    variable: Any


def live_variables(graph: Any) -> dict[str, LiveVariable]:
    """Return every variable node of a graph by op name, in creation order."""
    objects = {variable.op.name: variable for variable in _collected(graph)}
    return {
        operation.name: _describe(graph, operation, objects.get(operation.name))
        for operation in graph.get_operations()
        if operation.type in VARIABLE_OPS
    }


def _collected(graph: Any) -> Iterable[Any]:
    """Every tf.Variable in any collection, in a fixed order, pieces instead of wholes."""
    for key in sorted(graph.collections, key=str):
        for item in graph.get_collection_ref(key):
            pieces = [item] if hasattr(item, "initializer") else []
            if hasattr(item, "_get_variable_list"):  # a PartitionedVariable
                pieces = item._get_variable_list()
            yield from (piece for piece in pieces if getattr(piece, "op", None) is not None)


def _describe(graph: Any, operation: Any, variable: Any) -> LiveVariable:
    dims = operation.get_attr("shape")
    unknown = dims.unknown_rank
    shape = None if unknown else tuple(d.size if d.size >= 0 else None for d in dims.dim)
    is_resource = operation.type == "VarHandleOp"
    return LiveVariable(
        node=operation.name,
        operation=operation,
        dtype=tensorflow().dtypes.as_dtype(operation.get_attr("dtype")).name,
        shape=shape,
        is_resource=is_resource,
        assign=_find_assign(graph, operation, variable),
        value=_find_read(operation, variable) if is_resource else operation.outputs[0],
        variable=variable,
    )


def _find_assign(graph: Any, operation: Any, variable: Any) -> Any:
    """Return an op that only writes the value it is fed: nothing else hangs on running it."""
    preferred = [variable.initializer] if variable is not None else []
    consumers = operation.outputs[0].consumers()
    named = [op for op in consumers if op.name == f"{operation.name}/Assign"]
    for candidate in [*preferred, *named, *consumers]:
        if (
            candidate is not None
            and candidate.type in ASSIGN_OPS
            and candidate.inputs[0] is operation.outputs[0]
            and not candidate.control_inputs
            and graph.is_feedable(candidate.inputs[1])
        ):
            return candidate
    return None


def _find_read(operation: Any, variable: Any) -> Any:
    """Return an existing read of a resource that waits for nothing."""
    snapshot = getattr(variable, "_graph_element", None)
    preferred = [snapshot.op] if snapshot is not None else []
    consumers = operation.outputs[0].consumers()
    for candidate in [*preferred, *consumers]:
        if (
            candidate.type == "ReadVariableOp"
            and candidate.inputs[0] is operation.outputs[0]
            and not candidate.control_inputs
            and candidate.get_attr("dtype") == operation.get_attr("dtype")
        ):
            return candidate.outputs[0]
    return None


def variable_object(live: LiveVariable) -> Any:
    """Return a tf.Variable for a node: the collections' own, else one made around the node.

    Making one adds no node and joins no collection.
    """
    if live.variable is not None:
        return live.variable
    from tensorflow.core.framework.variable_pb2 import VariableDef as VariableProto
    from tensorflow.python.ops.ref_variable import RefVariable
    from tensorflow.python.ops.resource_variable_ops import ResourceVariable

    if live.assign is None or live.value is None:
        return None
    snapshot = live.value
    if not live.is_resource:
        # one that waits for nothing: looking at a variable must not run an update
        reads = [
            op for op in live.value.consumers() if op.type == "Identity" and not op.control_inputs
        ]
        reads.sort(key=lambda op: op.name != f"{live.node}/read")
        snapshot = reads[0].outputs[0] if reads else live.value
    proto = VariableProto(
        variable_name=live.operation.outputs[0].name,
        initializer_name=live.assign.name,
        initial_value_name=live.assign.inputs[1].name,
        snapshot_name=snapshot.name,
        is_resource=live.is_resource,
        trainable=True,
    )
    with live.operation.graph.as_default():
        return (ResourceVariable if live.is_resource else RefVariable)(variable_def=proto)


def live_model(graph: Any) -> OpenedModel:
    """Read a live graph as an artifact is read: variables with roles, train ops, no values."""
    meta = MetaInfo(node_lists=_node_lists(graph), variables=_variable_defs(graph))
    model = graph_model(graph.as_graph_def())
    return OpenedModel(StoredModel(path="the graph", kind="graphdef", graph=model, meta=meta))


def expected_variables(model: OpenedModel) -> tuple[Variable, ...]:
    """Return the variables of a live graph in creation order, each partitioned one as a whole.

    A live graph may have no save ops, so the collections tell what is a piece of what.
    """
    assert model.stored.graph is not None
    index = model.stored.graph.index
    pieces = {
        entry.name: entry
        for entries in model.stored.meta.variables.values()
        for entry in entries
        if entry.full_name is not None
    }
    wholes: dict[str, Variable] = {}
    for variable in model.variables:
        piece = pieces.get(variable.node or "")
        if piece is None:
            wholes[variable.name] = variable
            continue
        name = piece.full_name or variable.name
        parts = wholes[name].parts if name in wholes else ()
        part = Part(piece.name, piece.offset, piece.shape)
        wholes[name] = _whole(variable, name, (*parts, part), pieces)
    return tuple(sorted(wholes.values(), key=lambda v: index[_first_node(v)]))


def _first_node(variable: Variable) -> str:
    return variable.node or variable.parts[0].node


def _whole(
    variable: Variable, name: str, parts: tuple[Part, ...], pieces: dict[str, VariableDef]
) -> Variable:
    parts = tuple(sorted(parts, key=lambda part: part.offset))
    ends = [[a + b for a, b in zip(p.offset, p.shape, strict=True)] for p in parts]
    shape = tuple(max(sizes) for sizes in zip(*ends, strict=True))
    primary = pieces.get(variable.slot_of or "")
    slot_of = primary.full_name if primary is not None else variable.slot_of
    return variable._replace(name=name, shape=shape, slot_of=slot_of, node=None, parts=parts)


def _node_lists(graph: Any) -> dict[str, tuple[str, ...]]:
    """Collections that hold operations or tensors, as names in stored order."""
    tf = tensorflow()
    found: dict[str, tuple[str, ...]] = {}
    for key in graph.get_all_collection_keys():
        items = graph.get_collection_ref(key)
        if items and all(isinstance(item, tf.Operation | tf.Tensor) for item in items):
            found[str(key)] = tuple(item.name for item in items)
    return found


def _variable_defs(graph: Any) -> dict[str, tuple[VariableDef, ...]]:
    tf = tensorflow()
    keys = tf.compat.v1.GraphKeys
    names = (
        keys.GLOBAL_VARIABLES,
        keys.TRAINABLE_VARIABLES,
        keys.LOCAL_VARIABLES,
        keys.MODEL_VARIABLES,
        keys.GLOBAL_STEP,
        keys.MOVING_AVERAGE_VARIABLES,
    )
    found = {key: tuple(map(_variable_def, _of_key(graph, key))) for key in names}
    return {key: entries for key, entries in found.items() if entries}


def _of_key(graph: Any, key: str) -> list[Any]:
    return [item for item in graph.get_collection_ref(key) if hasattr(item, "initializer")]


def _variable_def(variable: Any) -> VariableDef:
    piece = getattr(variable, "_save_slice_info", None)
    return VariableDef(
        name=variable.op.name,
        trainable=bool(variable.trainable),
        is_resource=variable.op.type == "VarHandleOp",
        full_name=piece.full_name if piece else None,
        offset=tuple(piece.var_offset) if piece else (),
        shape=tuple(piece.var_shape) if piece else (),
    )

"""GraphDefs and MetaGraphDefs under other names of their variables.

Sources: tensorflow/core/protobuf/{meta_graph,saver,variable,control_flow,queue_runner,
saved_object_graph}.proto.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphmap.errors import NameMapError
from graphmap.names import op_name
from graphmap.rewrite.names import NodeNames
from graphmap.rewrite.wire_edit import Edit, edit, edit_text

__all__ = ["rename_graph", "rename_meta_graph", "saved_objects_edit"]

_KEYED_OPS = ("SaveV2", "RestoreV2", "Save", "SaveSlices", "Restore", "RestoreSlice")
_HANDLES = ("VarHandleOp", "VariableV2", "Variable", "VarIsInitializedOp")
_NAME_ATTRS = ("shared_name", "debug_name")
_VARIABLE_FIELDS = (1, 2, 3, 6)  # VariableDef: names of ops and tensors
_SAVER_FIELDS = (1, 2, 3)
_QUEUE_FIELDS = (1, 2, 3, 4)
_SHOWN = 5


def rename_graph(
    graph: Any, names: NodeNames, keys: Mapping[str, tuple[str, ...]], where: str
) -> None:
    """Rename the nodes of a GraphDef proto in place, and all that refers to them.

    keys: {old checkpoint key: new ones}, for what its Saver asks for. Raises NameMapError where
    two nodes would have one name.
    """
    _check(graph, names, where)
    _rename_nodes(graph.node, names, keys, is_body=False)
    for function in graph.library.function:
        _rename_nodes(function.node_def, names, keys, is_body=True)


def rename_meta_graph(
    meta: Any, names: NodeNames, keys: Mapping[str, tuple[str, ...]], where: str
) -> None:
    """Rename a MetaGraphDef proto in place: graph, collections, signatures, saver, objects."""
    rename_graph(meta.graph_def, names, keys, where)
    saver = meta.saver_def
    for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
        if getattr(saver, field):
            setattr(saver, field, names.tensor(getattr(saver, field)))
    for signature in meta.signature_def.values():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            _rename_info(info, names)
    for asset in meta.asset_file_def:
        _rename_info(asset.tensor_info, names)
    for name, collection in meta.collection_def.items():
        _rename_collection(name, collection, names)


def saved_objects_edit(names: NodeNames) -> Edit:
    """Return an edit of an encoded SavedObjectGraph: the names of its variables."""
    variable = {6: edit_text(names.node)}
    return lambda data: edit(
        data, {1: lambda node: edit(node, {7: lambda inner: edit(inner, variable)})}
    )


def _check(graph: Any, names: NodeNames, where: str) -> None:
    counts = Counter(names.node(node.name) for node in graph.node)
    if len(counts) == len(graph.node):
        return
    stored = Counter(node.name for node in graph.node)
    twice = sorted(name for name, count in counts.items() if count > max(1, stored[name]))
    if twice:
        shown = ", ".join(twice[:_SHOWN])
        more = f" and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
        raise NameMapError(
            f"{len(twice)} nodes would have the name of another: {shown}{more}",
            where=where,
            remedy="Choose names that the graph does not have yet.",
        )


def _rename_nodes(
    nodes: Any, names: NodeNames, keys: Mapping[str, tuple[str, ...]], *, is_body: bool
) -> None:
    _rename_keys(nodes, keys, is_body=is_body)
    local = {node.name for node in nodes} if is_body else frozenset[str]()
    for node in nodes:
        if not is_body:
            node.name = names.node(node.name)
            for position, text in enumerate(node.input):
                new = names.tensor(text)
                if new != text:
                    node.input[position] = new
        if "_class" in node.attr:
            values = node.attr["_class"].list.s
            for position, value in enumerate(values):
                text = value.decode("utf-8", "surrogateescape")
                if op_name(text.removeprefix("loc:@")) not in local:
                    new = names.location(text)
                    values[position] = new.encode("utf-8", "surrogateescape")
        if node.op in _HANDLES:
            _rename_attrs(node, names.node)


def _rename_attrs(node: Any, rename: Callable[[str], str]) -> None:
    for name in _NAME_ATTRS:
        if name in node.attr and node.attr[name].s:
            text = node.attr[name].s.decode("utf-8", "surrogateescape")
            node.attr[name].s = rename(text).encode("utf-8", "surrogateescape")


def _rename_keys(nodes: Any, keys: Mapping[str, tuple[str, ...]], *, is_body: bool) -> None:
    """Rename the constants that name what a Saver writes and reads."""
    by_name = {node.name: node for node in nodes}
    told = set()
    for node in nodes:
        if node.op in _KEYED_OPS and len(node.input) > 1:
            text = node.input[1]
            told.add(text.partition(":")[0] if is_body else op_name(text))
    for name in sorted(told):
        constant = by_name.get(name)
        if constant is None or constant.op != "Const":
            continue
        values = constant.attr["value"].tensor.string_val
        for position, value in enumerate(values):
            new = keys.get(value.decode("utf-8", "surrogateescape"))
            if new:
                values[position] = new[0].encode("utf-8", "surrogateescape")


def _rename_info(info: Any, names: NodeNames) -> None:
    if info.name:
        info.name = names.tensor(info.name)
    if info.HasField("coo_sparse"):
        sparse = info.coo_sparse
        for field in ("values_tensor_name", "indices_tensor_name", "dense_shape_tensor_name"):
            setattr(sparse, field, names.tensor(getattr(sparse, field)))
    if info.HasField("composite_tensor"):
        for component in info.composite_tensor.components:
            _rename_info(component, names)


def _rename_collection(name: str, collection: Any, names: NodeNames) -> None:
    kind = collection.WhichOneof("kind")
    if kind == "node_list":
        values = collection.node_list.value
        for position, text in enumerate(values):
            values[position] = names.tensor(text)
    elif kind == "bytes_list":
        change = _edits(names).get(name, _variable_edit(names) if "variables" in name else None)
        if change is not None:
            values = collection.bytes_list.value
            for position, value in enumerate(values):
                values[position] = change(value)
    elif kind == "any_list" and name == "saved_model_assets":
        for value in collection.any_list.value:
            value.value = edit(value.value, {1: _strings((1,), names)})


def _edits(names: NodeNames) -> dict[str, Edit]:
    """Return how the protos of each collection are edited."""
    variable = _variable_edit(names)
    return {
        **dict.fromkeys(("global_step",), variable),
        "queue_runners": _strings(_QUEUE_FIELDS, names),
        "savers": _strings(_SAVER_FIELDS, names),
        "cond_context": _cond_edit(names),
        "while_context": _while_edit(names),
    }


def _variable_edit(names: NodeNames) -> Edit:
    fields: dict[int, Edit] = dict.fromkeys(_VARIABLE_FIELDS, edit_text(names.tensor))
    fields[4] = lambda part: edit(part, {1: edit_text(names.node)})  # SaveSliceInfoDef.full_name
    return lambda data: edit(data, fields)


def _strings(numbers: Iterable[int], names: NodeNames) -> Edit:
    fields = dict.fromkeys(numbers, edit_text(names.tensor))
    return lambda data: edit(data, fields)


def _values_edit(names: NodeNames) -> Edit:
    """Edit a ValuesDef: values, and the external value of each as a map."""
    entry = _strings((1, 2), names)
    return lambda data: edit(data, {1: edit_text(names.tensor), 2: entry})


def _cond_edit(names: NodeNames) -> Edit:
    """Edit a CondContextDef: pred, pivot, values, and the contexts inside."""
    fields: dict[int, Edit] = dict.fromkeys((2, 3), edit_text(names.tensor))
    fields[5] = _values_edit(names)
    fields[6] = lambda data: _nested_edit(names)(data)
    return lambda data: edit(data, fields)


def _while_edit(names: NodeNames) -> Edit:
    """Edit a WhileContextDef: pivots, loop exits and enters, values, and the contexts inside."""
    fields: dict[int, Edit] = dict.fromkeys((5, 6, 7, 8, 10, 11), edit_text(names.tensor))
    fields[9] = _values_edit(names)
    fields[12] = lambda data: _nested_edit(names)(data)
    return lambda data: edit(data, fields)


def _nested_edit(names: NodeNames) -> Edit:
    """Edit a ControlFlowContextDef, which holds either."""
    return lambda data: edit(data, {1: _cond_edit(names), 2: _while_edit(names)})

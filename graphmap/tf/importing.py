"""Bringing a stored graph into a live one, past the defects that make plain import fail.

Mended in the copy that is imported, never in the files: stale `_output_shapes`; collections that
name nodes which are not there (a train op inside a function); colocation with missing nodes;
devices that this session does not have.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graphmap.errors import GraphmapError, ReconstructionError
from graphmap.formats.graphdef import graph_model
from graphmap.model.graph import GraphModel, Node, TensorValue
from graphmap.model.stored import StoredModel
from graphmap.names import op_name
from graphmap.opening import OpenedModel, open_model
from graphmap.tf.runtime import tensorflow
from graphmap.tf.safety import upstream

__all__ = ["find_prefixes", "open_any", "place_graph", "read_meta_graph"]


def open_any(source: Any, tags: str | None = None, step: int | None = None) -> OpenedModel:
    """Open a path, or take what has been opened already."""
    if isinstance(source, OpenedModel):
        return source
    opened = getattr(source, "opened", None)  # the public Artifact
    return opened if isinstance(opened, OpenedModel) else open_model(os.fspath(source), tags, step)


def place_graph(
    session: Any, stored: StoredModel, import_scope: str | None, roots: Sequence[str]
) -> str:
    """Make sure that the stored graph is in session.graph; returns its prefix ("" or "a/b/").

    A graph that is already there, under `import_scope` or, without one, under any scope, is used
    as it is: no node is added. Otherwise it is imported. roots: op names that are to be run.
    """
    if stored.graph is None:
        raise ReconstructionError(
            "stores no graph, so there is nothing to import",
            where=stored.path,
            remedy="Build the graph by your own code and use gmtf.reconstruct_train_op.",
        )
    found = find_prefixes(session.graph, stored.graph, import_scope, roots)
    if len(found) > 1:
        raise GraphmapError(
            f"is in this graph {len(found)} times: under {', '.join(map(repr, found))}",
            where=stored.path,
            remedy=f"Say which one is meant: import_scope={found[0].rstrip('/')!r}",
        )
    if found:
        return found[0]
    prefix = f"{import_scope.rstrip('/')}/" if import_scope else ""
    live = {operation.name for operation in session.graph.get_operations()}
    clash = sorted(node.name for node in stored.graph.nodes if prefix + node.name in live)
    if clash:
        raise GraphmapError(
            f"cannot be imported: this graph already has another {prefix + clash[0]!r}"
            f" ({len(clash)} names in all)",
            where=stored.path,
            remedy='Import it beside what is there: import_scope="stored"; or use a new graph.',
        )
    _import(session, stored, prefix.rstrip("/"))
    return prefix


def find_prefixes(
    graph: Any, model: GraphModel, scope: str | None = None, roots: Sequence[str] = ()
) -> list[str]:
    """Prefixes under which the stored graph stands in the live one.

    It stands there where every node has its namesake with the same op, and every constant its
    value; with `roots`, only what running them runs is looked at.
    """
    positions = sorted(upstream(model, roots)) if roots else range(len(model.nodes))
    nodes = [model.nodes[position] for position in positions]
    if not nodes:
        return []
    live = {operation.name: operation.type for operation in graph.get_operations()}
    if scope is not None:
        candidates = [f"{scope.rstrip('/')}/" if scope else ""]
    else:
        first = nodes[0].name
        ends = (name.removesuffix(first) for name in live if name.endswith(f"/{first}"))
        candidates = ["", *sorted(ends)]
    found = [
        prefix
        for prefix in candidates
        if all(live.get(prefix + node.name) == node.op for node in nodes)
    ]
    if not found:
        return []
    there = graph_model(graph.as_graph_def())
    return [prefix for prefix in found if _same_constants(nodes, there, prefix)]


def _same_constants(nodes: Iterable[Node], there: GraphModel, prefix: str) -> bool:
    for node in nodes:
        if node.op != "Const":
            continue
        live = there.nodes[there.index[prefix + node.name]]
        mine, other = node.attrs.get("value"), live.attrs.get("value")
        if not isinstance(mine, TensorValue) or not isinstance(other, TensorValue):
            return False
        if (mine.dtype, mine.shape) != (other.dtype, other.shape):
            return False
        a, b = mine.array(), other.array()
        if a.tolist() != b.tolist() if a.dtype == object else a.tobytes() != b.tobytes():
            return False
    return True


def _import(session: Any, stored: StoredModel, scope: str) -> None:
    tensorflow()
    from tensorflow.python.framework import meta_graph

    proto = read_meta_graph(stored)
    mend(proto, {device.name for device in session.list_devices()})
    try:
        meta_graph.import_scoped_meta_graph(
            proto, graph=session.graph, import_scope=scope or None, clear_devices=False
        )
    except (ValueError, KeyError, TypeError) as cause:
        raise ReconstructionError(
            f"TensorFlow cannot import the stored graph: {str(cause).splitlines()[0]}",
            where=stored.path,
            remedy="Look at it with `graphmap inspect`; unknown ops need the library of their day.",
        ) from cause


def read_meta_graph(stored: StoredModel) -> Any:
    """Return the stored graph as TensorFlow's MetaGraphDef, a copy that may be changed."""
    tf = tensorflow()
    if stored.meta_path is not None:
        from tensorflow.python.framework import meta_graph

        return meta_graph.read_meta_graph_file(stored.meta_path)
    if stored.saved_model_dir is not None:
        return _saved_meta_graph(Path(stored.saved_model_dir), stored.meta.tags)
    proto = tf.compat.v1.MetaGraphDef()
    assert stored.graph is not None
    proto.graph_def.ParseFromString(stored.graph.raw())
    return proto


def _saved_meta_graph(folder: Path, tags: Iterable[str]) -> Any:
    from tensorflow.python.saved_model import loader_impl

    saved = loader_impl.parse_saved_model(str(folder))
    wanted = sorted(tags)
    for proto in saved.meta_graphs:
        if sorted(proto.meta_info_def.tags) == wanted:
            return proto
    return saved.meta_graphs[0]


def mend(proto: Any, devices: set[str]) -> None:
    """Take out of a MetaGraphDef what makes import fail and changes no computation."""
    names = {node.name for node in proto.graph_def.node}
    bodies = [function.node_def for function in proto.graph_def.library.function]
    for nodes in [proto.graph_def.node, *bodies]:
        for node in nodes:
            node.attr.pop("_output_shapes", None)
    for node in proto.graph_def.node:
        if "_class" in node.attr:
            _mend_colocation(node, names)
        if node.device and not _is_available(node.device, devices):
            node.device = ""
    for key in list(proto.collection_def):
        _mend_collection(key, proto.collection_def, names)


def _mend_colocation(node: Any, names: set[str]) -> None:
    entries = node.attr["_class"].list.s
    kept = [e for e in entries if not e.startswith(b"loc:@") or e[5:].decode() in names]
    if len(kept) == len(entries):
        return
    del node.attr["_class"]
    if kept:
        node.attr["_class"].list.s.extend(kept)


def _is_available(device: str, devices: set[str]) -> bool:
    """Whether a partial device name (`/device:GPU:0`, `/gpu:1`) fits one of the session's."""
    spec_of = tensorflow().DeviceSpec.from_string
    try:
        wanted = spec_of(device)
    except ValueError:
        return False
    parts = ("job", "replica", "task", "device_type", "device_index")
    return any(
        all(getattr(wanted, p) in (None, getattr(spec, p)) for p in parts)
        for spec in map(spec_of, devices)
    )


def _mend_collection(key: str, collections: Any, names: set[str]) -> None:
    collection = collections[key]
    kind = collection.WhichOneof("kind")
    if kind == "node_list":
        kept = [v for v in collection.node_list.value if op_name(v) in names]
        if len(kept) < len(collection.node_list.value):
            del collection.node_list.value[:]
            collection.node_list.value.extend(kept)
    elif kind == "bytes_list":
        _mend_variables(key, collection.bytes_list.value, names)


def _mend_variables(key: str, entries: Any, names: set[str]) -> None:
    """Drop VariableDefs whose nodes are missing; other protos are left to TensorFlow."""
    from tensorflow.core.framework.variable_pb2 import VariableDef
    from tensorflow.python.framework import ops

    if ops.get_collection_proto_type(key) is not VariableDef:
        return
    kept = []
    for entry in entries:
        proto = VariableDef.FromString(entry)
        used = (proto.variable_name, proto.initializer_name, proto.snapshot_name)
        if all(op_name(name) in names for name in used):
            kept.append(entry)
    if len(kept) < len(entries):
        del entries[:]
        entries.extend(kept)

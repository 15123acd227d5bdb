"""Graph files under other names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphmap.errors import UnsupportedArtifactError
from graphmap.files import read_file
from graphmap.formats.protos import parse_binary, parse_text
from graphmap.formats.sniff import look_at
from graphmap.model.variable import Variable
from graphmap.rewrite.graph import rename_graph, rename_meta_graph, saved_objects_edit
from graphmap.rewrite.names import node_names
from graphmap.rewrite.plan import RenamePlan
from graphmap.rewrite.request import RewriteRequest
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import refuse
from graphmap.rewrite.wire_edit import edit

__all__ = ["graph_bytes", "rewrite_graph_file", "saved_model_bytes"]


def rewrite_graph_file(request: RewriteRequest) -> tuple[str, ...]:
    """Write one GraphDef or MetaGraphDef, as text where the new name ends in .pbtxt."""
    out, settings = request.out, request.settings
    refuse(out, request.stored.meta_path or request.stored.path, force=settings.force)
    data = graph_bytes(request, as_text=out.endswith(".pbtxt"))
    with Staging(sync=settings.sync) as staging:
        staging.make_folder(out)
        staging.write(out, [data])
        staging.commit()
    return (out,)


def graph_bytes(request: RewriteRequest, as_text: bool = False) -> bytes:
    """Return the graph file of an artifact under the new names."""
    stored, variables, plan = request.stored, request.variables, request.plan
    path = stored.meta_path or stored.path
    kind = "GraphDef" if stored.kind == "graphdef" else "MetaGraphDef"
    proto = _read_proto(kind, path)
    names = node_names(variables, plan, path)
    keys = _graph_keys(variables, plan)
    (rename_graph if kind == "GraphDef" else rename_meta_graph)(proto, names, keys, path)
    return _encode(proto, as_text)


def saved_model_bytes(path: str, request: RewriteRequest) -> bytes:
    """Return one saved_model file under the new names, its object graph edited on the wire."""
    variables, plan = request.variables, request.plan
    proto = _read_proto("SavedModel", path)
    names = node_names(variables, plan, path)
    keys = _graph_keys(variables, plan)
    for meta_graph in proto.meta_graphs:
        rename_meta_graph(meta_graph, names, keys, path)
    if path.endswith(".pbtxt"):
        return _encode(proto, as_text=True)
    objects = saved_objects_edit(names)
    return edit(_encode(proto, as_text=False), {2: lambda meta: edit(meta, {7: objects})})


def _read_proto(kind: str, path: str) -> Any:
    parse = parse_text if look_at(path).text is not None else parse_binary
    proto, skipped = parse(kind, read_file(path), path)
    if skipped:
        raise UnsupportedArtifactError(
            "has fields that would be lost",
            where=path,
            remedy=f"Give the binary file instead ({skipped[0]}).",
        )
    return proto


def _encode(proto: Any, as_text: bool) -> bytes:
    if as_text:
        from google.protobuf import text_format

        return str(text_format.MessageToString(proto)).encode()
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def _graph_keys(variables: Iterable[Variable], plan: RenamePlan) -> dict[str, tuple[str, ...]]:
    """Return {old key: new keys} for what a graph's own Saver asks for."""
    keys = {v.name: plan.names[v.name] for v in variables if plan.names[v.name]}
    for variable in variables:
        if variable.checkpoint_key is not None and plan.names[variable.name] != (variable.name,):
            keys.setdefault(variable.checkpoint_key, plan.names[variable.name])
    return keys

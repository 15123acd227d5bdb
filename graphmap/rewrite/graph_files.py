"""Graph files and SavedModel folders under other names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from graphmap.errors import UnsupportedArtifactError, UsageError
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

__all__ = ["graph_bytes", "rewrite_graph_file", "rewrite_saved_model"]


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


def rewrite_saved_model(request: RewriteRequest) -> tuple[str, ...]:
    """Write a SavedModel folder: graphs and checkpoint anew, all else as it is."""
    from graphmap.rewrite.bundles import stage_bundle  # graph files alone need neither
    from graphmap.rewrite.saved_folder import SavedFolder

    stored, out, settings = request.stored, request.out, request.settings
    folder = str(stored.saved_model_dir)
    if request.plan.dropped:
        raise UsageError(
            "a SavedModel needs all of its variables",
            where=stored.path,
            remedy="Leave --only and --no-slots out, or rename its variables/variables alone.",
        )
    refuse(out, folder, force=settings.force)
    with SavedFolder(folder, out, settings) as copy:
        for name in ("saved_model.pb", "saved_model.pbtxt"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                copy.write(name, _saved_model_bytes(path, request.variables, request.plan))
        with Staging(sync=settings.sync) as staging:
            if stored.prefix is not None:
                target = os.path.join(copy.folder, "variables", "variables")
                staging.make_folder(target)
                stage_bundle(staging, request, stored.prefix, target)()
            staging.commit()
        copy.commit()
    return (out,)


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


def _saved_model_bytes(path: str, variables: tuple[Variable, ...], plan: RenamePlan) -> bytes:
    proto = _read_proto("SavedModel", path)
    names = node_names(variables, plan, path)
    keys = _graph_keys(variables, plan)
    for meta_graph in proto.meta_graphs:
        rename_meta_graph(meta_graph, names, keys, path)
    if path.endswith(".pbtxt"):
        return _encode(proto, as_text=True)
    objects = saved_objects_edit(names)
    return edit(_encode(proto, as_text=False), {2: lambda meta: edit(meta, {7: objects})})

"""An artifact under other names, written whole: which files, in which order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from graphmap.errors import (
    CorruptArtifactError,
    UnsupportedArtifactError,
    UsageError,
)
from graphmap.files import read_file
from graphmap.formats.bundle import OBJECT_GRAPH_KEY, read_bundle
from graphmap.formats.object_graph import parse_object_graph
from graphmap.formats.protos import parse_binary, parse_text
from graphmap.formats.safetensors import INDEX_SUFFIX
from graphmap.formats.sniff import look_at
from graphmap.formats.values import BundleValues
from graphmap.formats.wire import WireError
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable
from graphmap.rewrite.checkpoint import stage_checkpoint
from graphmap.rewrite.graph import rename_graph, rename_meta_graph, saved_objects_edit
from graphmap.rewrite.names import checkpoint_keys, node_names
from graphmap.rewrite.object_graph import rewrite_object_graph
from graphmap.rewrite.plan import RenamePlan
from graphmap.rewrite.safetensors import stage_safetensors, stage_sharded
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import make_folder, refuse, remove_stale, shards_at
from graphmap.rewrite.wire_edit import edit
from graphmap.rewrite.writers import write_checkpoint

__all__ = ["RewriteSettings", "rewrite_artifact", "target_of"]


class RewriteSettings(NamedTuple):
    """link: share the data files. compact: leave dead bytes out. force: replace what is there."""

    link: bool = False
    compact: bool = False
    force: bool = False


def target_of(stored: StoredModel, out: str) -> str:
    """Return where the artifact goes: `out`, or in that folder under its own name."""
    if stored.saved_model_dir is None and (out.endswith("/") or os.path.isdir(out)):
        source = stored.prefix or stored.meta_path or stored.container or stored.path
        return os.path.join(out, os.path.basename(source))
    return out.rstrip("/") if stored.saved_model_dir is not None else out


def rewrite_artifact(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    """Write the artifact at `out` under the names of the plan; return the paths that were written.

    Raises ArtifactError, NameMapError and UsageError before anything is at its place.
    """
    try:
        if stored.saved_model_dir is not None:
            return _saved_model(stored, variables, plan, out, settings)
        if stored.kind in ("checkpoint", "object-checkpoint"):
            return _checkpoint(stored, variables, plan, out, settings)
        if stored.kind in ("metagraph", "graphdef"):
            return _graph(stored, variables, plan, out, settings)
        if stored.kind == "checkpoint-v1":
            return _first_generation(stored, variables, plan, out, settings)
        if stored.kind in ("safetensors", "keras-h5"):
            return _container(stored, variables, plan, out, settings)
    except WireError as cause:
        raise CorruptArtifactError(
            f"cannot be rewritten: it {cause}", where=stored.path, remedy="Copy the file again."
        ) from cause
    raise UnsupportedArtifactError(
        f"of kind {stored.kind} is not renamed",
        where=stored.path,
        remedy="Use graphmap convert, which writes its values into another container.",
    )


def _checkpoint(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    prefix = str(stored.prefix)
    with_graph = stored.meta_path is not None and not plan.dropped
    index, meta = f"{out}.index", f"{out}.meta"
    refuse(index, f"{prefix}.index", force=settings.force)
    if with_graph:
        refuse(meta, str(stored.meta_path), force=settings.force)
    make_folder(out)
    taken = shards_at(out)
    with Staging() as staging:
        write_index = _stage_bundle(staging, prefix, out, variables, plan, settings, taken)
        written = staging.targets
        if with_graph:
            data = _meta_bytes(stored, variables, plan)
            staging.write(meta, [data])
        write_index()
        targets = staging.targets
        staging.commit()
    remove_stale(out, taken, written)
    return targets


def _stage_bundle(
    staging: Staging,
    prefix: str,
    out: str,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    settings: RewriteSettings,
    taken: int | None = None,
) -> Any:
    full_names = _full_names(prefix)
    keys = checkpoint_keys(variables, plan, full_names)
    by_key = {v.checkpoint_key: v.name for v in variables if v.checkpoint_key is not None}
    new_full_names = {
        key: new
        for key, name in full_names.items()
        if (new := plan.first(by_key.get(key, name))) is not None and new != name
        and by_key.get(key) == name
    }  # fmt: skip
    moved = {old: new[0] if new else None for old, new in keys.items()}

    def object_graph(data: bytes) -> bytes:
        return rewrite_object_graph(data, new_full_names, moved)

    return stage_checkpoint(
        staging,
        prefix,
        out,
        lambda key: keys.get(key, (key,)),
        object_graph,
        link=settings.link,
        compact=settings.compact,
        taken=taken,
    )


def _full_names(prefix: str) -> Mapping[str, str]:
    bundle = read_bundle(prefix)
    if not bundle.has_object_graph:
        return {}
    (data,) = BundleValues(bundle).read_strings(OBJECT_GRAPH_KEY)
    return parse_object_graph(data).full_names


def _graph(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    source = stored.meta_path or stored.path
    refuse(out, source, force=settings.force)
    make_folder(out)
    data = _meta_bytes(stored, variables, plan, as_text=out.endswith(".pbtxt"))
    with Staging() as staging:
        staging.write(out, [data])
        staging.commit()
    return (out,)


def _first_generation(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    """Write a V1 checkpoint as V2: its table holds values, so they are read and written anew."""
    keys = checkpoint_keys(variables, plan, {})
    values = stored.values
    assert values is not None  # every V1 reader gives them
    source = stored.prefix or str(stored.container)
    refuse(f"{out}.index", source, force=settings.force)
    make_folder(out)
    taken = shards_at(out)
    with Staging() as staging:
        if stored.meta_path is not None and not plan.dropped:
            refuse(f"{out}.meta", stored.meta_path, force=settings.force)
            staging.write(f"{out}.meta", [_meta_bytes(stored, variables, plan)])
        pairs = ((new, values.read(old)) for old in sorted(keys) for new in keys[old])
        write_checkpoint(staging, out, [], pairs, {})
        targets = staging.targets
        staging.commit()
    remove_stale(out, taken, targets)
    return targets


def _container(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    source = str(stored.container)
    refuse(out, source, force=settings.force)
    make_folder(out)
    keys = checkpoint_keys(variables, plan, {})

    def new_keys(key: str) -> tuple[str, ...]:
        return keys.get(key, (key,))

    with Staging() as staging:
        if stored.kind == "keras-h5":
            from graphmap.rewrite.hdf5 import stage_hdf5  # others need no h5py

            stage_hdf5(staging, stored, out, new_keys)
        elif not source.endswith(INDEX_SUFFIX):
            stage_safetensors(staging, source, out, new_keys)
        elif out.endswith(INDEX_SUFFIX):
            stage_sharded(staging, source, out, new_keys)
        else:
            raise UsageError(
                "is no name for the index of several files",
                where=out,
                remedy=f"Let it end in {INDEX_SUFFIX}",
            )
        targets = staging.targets
        staging.commit()
    return targets


def _meta_bytes(
    stored: StoredModel, variables: tuple[Variable, ...], plan: RenamePlan, as_text: bool = False
) -> bytes:
    """Return the graph file under the new names."""
    path = stored.meta_path or stored.path
    kind = "GraphDef" if stored.kind == "graphdef" else "MetaGraphDef"
    proto = _read_proto(kind, path)
    names = node_names(variables, plan, path)
    keys = _graph_keys(variables, plan)
    (rename_graph if kind == "GraphDef" else rename_meta_graph)(proto, names, keys, path)
    return _encode(proto, as_text)


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


def _graph_keys(variables: tuple[Variable, ...], plan: RenamePlan) -> dict[str, tuple[str, ...]]:
    """Return {old key: new keys} for what a graph's own Saver asks for."""
    keys = {v.name: plan.names[v.name] for v in variables if plan.names[v.name]}
    for variable in variables:
        if variable.checkpoint_key is not None and plan.names[variable.name] != (variable.name,):
            keys.setdefault(variable.checkpoint_key, plan.names[variable.name])
    return keys


def _saved_model(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    plan: RenamePlan,
    out: str,
    settings: RewriteSettings,
) -> tuple[str, ...]:
    from graphmap.rewrite.saved_folder import SavedFolder  # a checkpoint need not pay for shutil

    folder = str(stored.saved_model_dir)
    if plan.dropped:
        raise UsageError(
            "a SavedModel needs all of its variables",
            where=stored.path,
            remedy="Leave --only and --no-slots out, or rename its variables/variables alone.",
        )
    refuse(out, folder, force=settings.force)
    make_folder(out)
    with SavedFolder(folder, out) as copy:
        for name in ("saved_model.pb", "saved_model.pbtxt"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                data = _saved_model_bytes(path, variables, plan)
                copy.write(name, data)
        with Staging() as staging:
            if stored.prefix is not None:
                target = os.path.join(copy.folder, "variables", "variables")
                make_folder(target)
                _stage_bundle(staging, stored.prefix, target, variables, plan, settings)()
            staging.commit()
        copy.commit(settings.link)
    return (out,)


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

"""V2 checkpoints at a prefix, with the graph of the .meta file beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from graphmap.errors import ArtifactError
from graphmap.files import stays_inside
from graphmap.formats.bundle import OBJECT_GRAPH_KEY, read_bundle
from graphmap.formats.values import BundleValues
from graphmap.formats.wire import WireError
from graphmap.model.sentences import examples
from graphmap.model.stored import StoredModel, StoredTensor, TensorValues

if TYPE_CHECKING:
    from graphmap.model.meta import ObjectNode, SlotVariable

__all__ = ["Container", "add_meta_graph", "read_checkpoint", "read_container"]


class Container(NamedTuple):
    """The tensors at a prefix, named by their object graph where there is one."""

    tensors: tuple[StoredTensor, ...] = ()
    values: TensorValues | None = None
    slot_variables: tuple[SlotVariable, ...] = ()
    prefix: str | None = None
    is_object_based: bool = False
    warnings: tuple[str, ...] = ()
    objects: tuple[ObjectNode, ...] = ()


def read_container(prefix: str) -> Container:
    """List the tensor bundle at `prefix`; the only value read is its object graph."""
    bundle = read_bundle(prefix)
    values = BundleValues(bundle)
    if not bundle.has_object_graph:
        return Container(bundle.tensors, values, (), prefix, False, bundle.warnings)
    from graphmap.formats.object_graph import named_tensors, parse_object_graph

    warnings = bundle.warnings
    full_names: dict[str, str] = {}
    slots: tuple[SlotVariable, ...] = ()
    objects: tuple[ObjectNode, ...] = ()
    try:
        (encoded,) = values.read_strings(OBJECT_GRAPH_KEY)
        full_names, slots, keys, astray, objects = parse_object_graph(encoded)
        warnings += tuple(_object_defects(prefix, keys - values.keys(), astray))
    except (ArtifactError, WireError, ValueError) as cause:
        reason = cause.message if isinstance(cause, ArtifactError) else str(cause)
        warnings += (f"{prefix}: its object graph cannot be read ({reason}); names are keys",)
    tensors = named_tensors(bundle.tensors, full_names)
    return Container(tensors, values, slots, prefix, True, warnings, objects)


def _object_defects(prefix: str, absent: AbstractSet[str], astray: bool) -> Iterator[str]:
    if astray:
        yield f"{prefix}: its object graph refers to objects that are not there"
    if absent:
        names = examples(sorted(absent))
        yield f"{prefix}: its object graph names keys that are not there: {names}"


def read_checkpoint(prefix: str, typed: str, notes: tuple[str, ...] = ()) -> StoredModel:
    """Read the checkpoint at `prefix`, with the graph of its .meta where there is one."""
    container = read_container(prefix)
    model = StoredModel(
        path=typed,
        kind="object-checkpoint" if container.is_object_based else "checkpoint",
        tensors=container.tensors,
        values=container.values,
        slot_variables=container.slot_variables,
        objects=container.objects,
        prefix=prefix,
        warnings=notes + container.warnings,
    )
    return add_meta_graph(model, prefix, f"{prefix}.index")


def add_meta_graph(model: StoredModel, prefix: str, beside: str) -> StoredModel:
    """Add the graph of the .meta file of a checkpoint, where there is one.

    beside: the checkpoint's own file. A .meta that cannot be read is a warning: the variables are
    there without it.
    """
    meta_path = f"{prefix}.meta"
    if not os.path.exists(meta_path):
        return model
    if not stays_inside(meta_path, beside):
        note = f"{meta_path}: links out of its folder and is not opened"
        return model._replace(warnings=(*model.warnings, note))
    from graphmap.formats.metagraph import read_meta_graph

    try:
        graph = read_meta_graph(meta_path, model.path)
    except ArtifactError as cause:
        return model._replace(
            warnings=(*model.warnings, f"{meta_path}: {cause.message}; read without its graph")
        )
    return model._replace(
        producer=graph.producer,
        graph=graph.graph,
        meta=graph.meta,
        meta_path=meta_path,
        warnings=model.warnings + graph.warnings,
    )

"""What a MetaGraph says beside its graph and the graph contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

from graphmap.model.graph import GraphModel, Node, TensorValue
from graphmap.model.sentences import examples
from graphmap.model.stored import MetaInfo
from graphmap.names import op_name, parse_input

__all__ = ["asset_defect", "meta_defects"]

_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|[a-z0-9]+://|(?:.*[/\\])?\.\.(?:[/\\]|$)")


def meta_defects(graph: GraphModel, meta: MetaInfo) -> tuple[str, ...]:
    """Return one sentence for each kind of defect; () where all that is named is there."""
    return (
        *_collection_defects(graph, meta),
        *_signature_defects(graph, meta),
        *_saver_defects(graph, meta),
        *(defect for _, name in meta.assets if (defect := asset_defect(name))),
    )


def asset_defect(name: str) -> str:
    """Say why an asset's file name leads out of assets/, or return "". It is never opened."""
    if not name:
        return "an asset has no file name"
    if "\0" in name or _OUTSIDE.match(name):
        return f"the asset {name!r} lies outside the folder for assets; it is not opened"
    return ""


def _collection_defects(graph: GraphModel, meta: MetaInfo) -> Iterator[str]:
    index = graph.index
    for collection, names in meta.node_lists.items():
        absent = [name for name in names if op_name(name) not in index]
        if absent:
            yield f"collection {collection!r} names nodes that are not there: {examples(absent)}"
    for collection, variables in meta.variables.items():
        absent = [v.name for v in variables if v.name not in index]
        if absent:
            yield f"collection {collection!r} has variables without a node: {examples(absent)}"


def _signature_defects(graph: GraphModel, meta: MetaInfo) -> Iterator[str]:
    for key, signature in meta.signatures.items():
        absent = [
            info.tensor
            for infos in (signature.inputs, signature.outputs)
            for info in infos.values()
            if info.tensor and op_name(info.tensor) not in graph.index
        ]
        if absent:
            yield f"signature {key!r} names tensors that are not there: {examples(absent)}"


def _saver_defects(graph: GraphModel, meta: MetaInfo) -> Iterator[str]:
    absent = [name for name in meta.saver if name and op_name(name) not in graph.index]
    if absent:
        yield f"the saver names nodes that are not there: {examples(absent)}"
    short = [node.name for node in graph.nodes if node.op == "SaveV2" and _is_short(node, graph)]
    if short:
        yield f"as many names as tensors are needed to save, and are not there: {examples(short)}"


def _is_short(node: Node, graph: GraphModel) -> bool:
    """Tell whether a SaveV2 (prefix, names, slices, tensors...) has another number of names."""
    data = [text for text in node.inputs if not text.startswith("^")]
    names = graph.find(parse_input(data[1]).node) if len(data) > 2 else None
    value = names.attrs.get("value") if names is not None and names.op == "Const" else None
    return isinstance(value, TensorValue) and prod(value.shape) != len(data) - 3

"""The proto of a SavedModel, its graphs apart from what else its MetaGraphs say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphmap.files import read_file, view_file
from graphmap.formats.graphdef import graph_model
from graphmap.formats.metagraph import GRAPH
from graphmap.formats.protos import parse_binary, parse_text
from graphmap.formats.stored_graph import graph_at
from graphmap.formats.wire import WireError
from graphmap.formats.wire_walk import join, take
from graphmap.model.graph import GraphModel
from graphmap.schema import message_class

__all__ = ["SavedProtos", "saved_protos"]

_META_GRAPH = 2  # SavedModel.meta_graphs


class SavedProtos(NamedTuple):
    """A SavedModel, its graphs apart: `meta_graphs` may lack them, `graph` makes the one wanted."""

    version: int
    meta_graphs: Sequence[Any]
    graph: Callable[[int], GraphModel]
    warnings: tuple[str, ...] = ()


def saved_protos(file: str, *, is_text: bool) -> SavedProtos:
    """Read the proto of a SavedModel; raises CorruptArtifactError."""
    from google.protobuf.message import DecodeError

    if is_text:
        return _whole(*parse_text("SavedModel", read_file(file), file))
    data = view_file(file)
    try:
        found, rest = take(data, [(0, len(data))], _META_GRAPH)
        version = (
            message_class("SavedModel").FromString(join(data, rest)).saved_model_schema_version
        )
        parts = [take(data, [span], GRAPH) for span in found.spans()]
        metas = [message_class("MetaGraphDef").FromString(join(data, rest)) for _, rest in parts]
        graphs = [graph_at(data, graph.spans()) for graph, _ in parts]
    except (WireError, DecodeError):  # odd or damaged: protobuf judges the whole
        return _whole(*parse_binary("SavedModel", bytes(data), file))
    return SavedProtos(version, metas, graphs.__getitem__)


def _whole(proto: Any, warnings: tuple[str, ...]) -> SavedProtos:
    return SavedProtos(
        proto.saved_model_schema_version,
        proto.meta_graphs,
        lambda position: graph_model(proto.meta_graphs[position].graph_def),
        warnings,
    )

"""GraphDef protos, binary or text, as GraphModel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphmap.files import read_file, view_file
from graphmap.formats.attrs import AttrMap
from graphmap.formats.protos import message_from_bytes, parse_text
from graphmap.formats.stored_graph import function_of, graph_at
from graphmap.formats.wire import WireError
from graphmap.formats.wire_walk import Buffer
from graphmap.model.graph import GraphModel, Node
from graphmap.model.graph_check import find_defects
from graphmap.model.stored import StoredModel

__all__ = ["graph_model", "read_graph"]


def read_graph(path: str, typed: str, *, is_text: bool = False) -> StoredModel:
    """Read a GraphDef file; raises CorruptArtifactError."""
    warnings: tuple[str, ...] = ()
    if is_text:
        proto, warnings = parse_text("GraphDef", read_file(path), path)
        graph = graph_model(proto)
    else:
        graph = binary_graph(view_file(path), path)
    defects = find_defects(graph)
    return StoredModel(path=typed, kind="graphdef", graph=graph, warnings=warnings + defects)


def binary_graph(data: Buffer, path: str) -> GraphModel:
    """Return a binary GraphDef; raises CorruptArtifactError."""
    from google.protobuf.message import DecodeError

    try:
        return graph_at(data, [(0, len(data))])
    except (WireError, DecodeError):  # odd or damaged: protobuf judges the whole
        return graph_model(message_from_bytes("GraphDef", bytes(data), path))


def graph_model(proto: Any) -> GraphModel:
    """Return a GraphDef proto as plain Python; attrs stay in the proto until they are asked for."""
    return GraphModel(
        nodes=_nodes(proto.node),
        functions=tuple(
            function_of(function, _nodes(function.node_def)) for function in proto.library.function
        ),
        producer=proto.versions.producer,
        raw=proto.SerializeToString,
        min_consumer=proto.versions.min_consumer,
    )


def _nodes(protos: Iterable[Any]) -> tuple[Node, ...]:
    return tuple(
        [
            Node(node.name, node.op, tuple(node.input), node.device, AttrMap(node.attr))
            for node in protos
        ]
    )

"""GraphDef protos, binary or text, as GraphModel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphmap.files import read_file
from graphmap.formats.attrs import AttrMap
from graphmap.formats.dtypes import dtype_name
from graphmap.formats.protos import parse_binary, parse_text
from graphmap.model.graph import Function, GraphModel, Node
from graphmap.model.graph_check import find_defects
from graphmap.model.stored import StoredModel

__all__ = ["graph_model", "read_graph"]


def read_graph(path: str, typed: str, *, is_text: bool = False) -> StoredModel:
    """Read a GraphDef file; raises CorruptArtifactError."""
    parse = parse_text if is_text else parse_binary
    proto, warnings = parse("GraphDef", read_file(path), path)
    graph = graph_model(proto)
    defects = find_defects(graph)
    return StoredModel(path=typed, kind="graphdef", graph=graph, warnings=warnings + defects)


def graph_model(proto: Any) -> GraphModel:
    """Return a GraphDef proto as plain Python; attrs stay in the proto until they are asked for."""
    return GraphModel(
        nodes=_nodes(proto.node),
        functions=tuple(_function(function) for function in proto.library.function),
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


def _function(proto: Any) -> Function:
    signature = proto.signature
    return Function(
        name=signature.name,
        inputs=tuple((arg.name, dtype_name(arg.type)) for arg in signature.input_arg),
        outputs=tuple((arg.name, dtype_name(arg.type)) for arg in signature.output_arg),
        nodes=_nodes(proto.node_def),
        returns=dict(proto.ret),
        control_returns=dict(proto.control_ret),
    )

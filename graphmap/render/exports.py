"""The whole stored graph for other viewers: Model Explorer, GraphML, node-link JSON.

Sources: Model Explorer 1.x, `input_graph.ts` (Graph) and `sync_navigation.ts`
(SyncNavigationData); networkx for GraphML and node-link.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.errors import RenderError
from graphmap.model.dag import to_networkx
from graphmap.model.graph import FunctionRef, GraphModel, Node, ShapeValue, TensorValue
from graphmap.model.namemap import NameMap
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable
from graphmap.names import parse_input, scope_of
from graphmap.render.forward import output_shape
from graphmap.render.status import status_by_name
from graphmap.render.text import plain, shape_text
from graphmap.render.theme import LIGHT

if TYPE_CHECKING:
    import networkx

__all__ = ["EXPORTS", "export"]

_TEXT_LIMIT = 200  # characters of an attribute
_STYLES: Final = {word: LIGHT[word] for word in ("matched", "ambiguous")}


def export(
    format: str,  # noqa: A002  # the flag's word
    stored: StoredModel,
    variables: tuple[Variable, ...],
    name_map: NameMap | None,
) -> bytes:
    """Return the whole graph, training and saving included, in the format of another viewer.

    Raises RenderError where the artifact stores no graph, or sync-navigation gets no map.
    """
    writer = dict(EXPORTS)[format]
    if format != "sync-navigation" and stored.graph is None:
        raise RenderError(
            f"has no graph to write as {format}",
            where=stored.path,
            remedy="Write .svg: it draws the variables' scope tree.",
        )
    return writer(stored, variables, name_map)


def _model_explorer(
    stored: StoredModel, variables: tuple[Variable, ...], name_map: NameMap | None
) -> bytes:
    """Return a list of graphs: the stored one first, then one for each library function."""
    graph = stored.graph
    assert graph is not None
    about = _about_variables(variables, name_map)
    graphs = [_explorer_graph("main", graph, graph, about)]
    graphs += [
        _explorer_graph(f"function {function.name}", body_graph(function, graph), graph, {})
        for function in graph.functions
    ]
    return _json(graphs)


def _explorer_graph(
    name: str, graph: GraphModel, library: GraphModel, about: Mapping[str, dict[str, str]]
) -> dict[str, Any]:
    return {
        "id": name,
        "nodes": [
            _explorer_node(graph, position, library, about) for position in range(len(graph.nodes))
        ],
    }


def _explorer_node(
    graph: GraphModel, position: int, library: GraphModel, about: Mapping[str, dict[str, str]]
) -> dict[str, Any]:
    node = graph.nodes[position]
    known = about.get(node.name, {})
    attrs = {"op": node.op, "device": node.device, **_attr_texts(node), **known}
    edges = []
    for place, text in enumerate(node.inputs):
        source, output = parse_input(text)
        slot = "control" if output < 0 else str(output)
        edges.append(
            {"sourceNodeId": source, "sourceNodeOutputId": slot, "targetNodeInputId": str(place)}
        )
    result: dict[str, Any] = {
        "id": node.name,
        "label": node.name.rpartition("/")[2] or node.name,
        "namespace": scope_of(node.name),
        "attrs": [{"key": key, "value": text} for key, text in attrs.items() if text],
        "incomingEdges": edges,
    }
    shape = output_shape(graph, position)
    if shape is not None:
        value = [{"key": "shape", "value": shape_text(shape)}]
        result["outputsMetadata"] = [{"id": "0", "attrs": value}]
    calls = [f"function {name}" for name, _ in calls_of(node, library)]
    if calls:
        result["subgraphIds"] = calls
    if known.get("map status") in _STYLES:
        result["style"] = {"backgroundColor": _STYLES[known["map status"]]}
    return result


def _about_variables(
    variables: Iterable[Variable], name_map: NameMap | None
) -> dict[str, dict[str, str]]:
    status = status_by_name(tuple(variables), name_map)
    found = {}
    for variable in variables:
        facts = {
            "variable": variable.name,
            "role": variable.role,
            "checkpoint key": variable.checkpoint_key or "",
            "slot of": variable.slot_of or "",
            "map status": status.get(variable.name, ""),
        }
        for node in [part.node for part in variable.parts] or [variable.node or variable.name]:
            found[node] = facts
    return found


def _attr_texts(node: Node) -> dict[str, str]:
    return {key: _attr_text(node.attrs[key]) for key in sorted(node.attrs)}


def _attr_text(value: object) -> str:
    if isinstance(value, TensorValue):
        return f"{value.dtype} {shape_text(value.shape)}"
    if isinstance(value, ShapeValue):
        return shape_text(value.dims)
    if isinstance(value, FunctionRef):
        return value.name
    if isinstance(value, bytes):
        return plain(value[:_TEXT_LIMIT].decode(errors="replace"))
    if isinstance(value, tuple):
        return ", ".join(_attr_text(item) for item in value[:16])[:_TEXT_LIMIT]
    return str(value)[:_TEXT_LIMIT]


def _sync_navigation(
    stored: StoredModel, variables: tuple[Variable, ...], name_map: NameMap | None
) -> bytes:
    """Return which node of the expected graph (left) is which one here (right), matched ones."""
    if name_map is None:
        raise RenderError(
            "sync-navigation tells which nodes of two graphs belong together",
            where=stored.path,
            remedy="Give the map: --map map.json",
        )
    node_of = {variable.name: variable.node or variable.name for variable in variables}
    mapping = {
        decision.expected: node_of.get(decision.actual, decision.actual)
        for decision in name_map.matched
        if decision.actual is not None
    }
    return _json({"type": "sync_navigation", "mapping": mapping, "disableMappingFallback": True})


def _graphml(stored: StoredModel, variables: tuple[Variable, ...], _map: NameMap | None) -> bytes:
    import networkx

    result: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    source = _whole(stored)
    ids = {name: f"n{number}" for number, name in enumerate(source)}
    for name, facts in source.nodes(data=True):
        result.add_node(ids[name], name=plain(name), op=plain(facts["op"]),
                        device=plain(facts["device"]))  # fmt: skip
    for start, end, facts in source.edges(data=True):
        result.add_edge(ids[start], ids[end], **facts)
    for variable in variables:
        known = ids.get(variable.node or variable.name)
        if known is not None:
            result.nodes[known].update(role=variable.role, key=plain(variable.checkpoint_key or ""))
    page = io.BytesIO()
    networkx.write_graphml_xml(result, page, encoding="utf-8")
    return page.getvalue()


def _node_link(
    stored: StoredModel, _variables: tuple[Variable, ...], _map: NameMap | None
) -> bytes:
    import networkx

    graph = _whole(stored)
    for _, facts in graph.nodes(data=True):
        facts.pop("attrs", None)
    return _json(networkx.node_link_data(graph, edges="edges"))


def _whole(stored: StoredModel) -> networkx.MultiDiGraph[str]:
    """Return the graph with its loop edges, which have back=True."""
    assert stored.graph is not None
    graph, back_edges = to_networkx(stored.graph)
    for edge in back_edges:
        graph.add_edge(edge.source, edge.target, output=edge.output, input=edge.input, back=True)
    return graph


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


Exporter = Callable[[StoredModel, tuple[Variable, ...], NameMap | None], bytes]
# To add one: write its function, add it here, write its test.
EXPORTS: tuple[tuple[str, Exporter], ...] = (
    ("model-explorer", _model_explorer),
    ("sync-navigation", _sync_navigation),
    ("graphml", _graphml),
    ("node-link", _node_link),
)

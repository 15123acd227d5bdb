"""A stored graph as an acyclic networkx graph, with its loop edges apart.

A TensorFlow 1 while loop is a cycle through NextIteration: the out-edges of those nodes are the
back edges. Any other cycle is damage; it is broken where node order runs backwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmap.model.graph import BackEdge, GraphModel
from graphmap.model.graph_check import NEXT_ITERATION_OPS
from graphmap.names import parse_input

if TYPE_CHECKING:
    import networkx

__all__ = ["to_networkx"]

MISSING = "missing"  # op of a node that an input names and the graph lacks


class _Edge(NamedTuple):
    source: str
    target: str
    output: int
    input: int


def to_networkx(graph: GraphModel) -> tuple[networkx.MultiDiGraph[str], tuple[BackEdge, ...]]:
    """Return the top-level graph without its back edges, and those.

    Nodes, in stored order: attributes op, device, attrs (decoded on access). Edges: output (slot
    of the source, -1 for a control edge), input (position in NodeDef.input). A producer that is
    not in the graph is a node of op "missing"; a name that stands twice gets "#2", "#3".
    """
    import networkx

    names = _unique_names(graph)
    edges, missing = _edges(graph, names)
    loops = {
        name for name, node in zip(names, graph.nodes, strict=True) if node.op in NEXT_ITERATION_OPS
    }
    back = {edge for edge in edges if edge.source in loops}
    back |= _breaking_edges([*names, *missing], [edge for edge in edges if edge not in back])
    result: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    for name, node in zip(names, graph.nodes, strict=True):
        result.add_node(name, op=node.op, device=node.device, attrs=node.attrs)
    for name in missing:
        result.add_node(name, op=MISSING, device="", attrs={})
    for edge in edges:
        if edge not in back:
            result.add_edge(edge.source, edge.target, output=edge.output, input=edge.input)
    return result, tuple(BackEdge(*edge) for edge in edges if edge in back)


def _unique_names(graph: GraphModel) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for node in graph.nodes:
        times = seen[node.name] = seen.get(node.name, 0) + 1
        names.append(node.name if times == 1 else f"{node.name}#{times}")
    return names


def _edges(graph: GraphModel, names: list[str]) -> tuple[list[_Edge], list[str]]:
    """Return every edge in stored order, and the producers that the graph lacks."""
    known = set(graph.index)
    edges: list[_Edge] = []
    missing: dict[str, None] = {}
    for name, node in zip(names, graph.nodes, strict=True):
        for position, text in enumerate(node.inputs):
            source, output = parse_input(text)
            if source not in known:
                missing[source] = None
            edges.append(_Edge(source, name, output, position))
    return edges, list(missing)


def _breaking_edges(names: list[str], edges: list[_Edge]) -> set[_Edge]:
    """Return edges without which there is no cycle: depth-first, in stored order, iteratively.

    An edge to a node that is still being visited closes a cycle. A graph without cycles, which is
    nearly every one, is told apart first by counting producers (Kahn), at a third of the cost.
    """
    rest = _nodes_on_cycles(names, edges)
    if not rest:
        return set()
    consumers: dict[str, list[_Edge]] = {name: [] for name in rest}
    for candidate in edges:
        if candidate.source in rest and candidate.target in rest:
            consumers[candidate.source].append(candidate)
    found: set[_Edge] = set()
    state: dict[str, int] = {}  # 1 being visited, 2 done
    for root in rest:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(consumers[root]))]
        while stack:
            name, following = stack[-1]
            edge = next(following, None)
            if edge is None:
                state[name] = 2
                stack.pop()
            elif state.get(edge.target) == 1:
                found.add(edge)
            elif edge.target not in state:
                state[edge.target] = 1
                stack.append((edge.target, iter(consumers[edge.target])))
    return found


def _nodes_on_cycles(names: list[str], edges: list[_Edge]) -> dict[str, None]:
    """Return the nodes that lie on or after a cycle, in stored order."""
    waiting = dict.fromkeys(names, 0)
    consumers: dict[str, list[str]] = {}
    for edge in edges:
        waiting[edge.target] += 1
        consumers.setdefault(edge.source, []).append(edge.target)
    ready = [name for name, count in waiting.items() if count == 0]
    while ready:
        name = ready.pop()
        del waiting[name]
        for target in consumers.get(name, ()):
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return dict.fromkeys(waiting)

"""A stored graph as an acyclic networkx graph, with its loop edges apart.

A TensorFlow 1 while loop is a cycle through NextIteration: the out-edges of those nodes are the
back edges. Any other cycle is damage; it is broken where node order runs backwards.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.model.collector import collector_paused
from graphmap.model.graph import NEXT_ITERATION_OPS, BackEdge, GraphModel
from graphmap.names import parse_input

if TYPE_CHECKING:
    import networkx

__all__ = ["find_back_edges", "to_networkx"]

MISSING = "missing"  # op of a node that an input names and the graph lacks


class _Edge(NamedTuple):
    """source, target: positions; those of missing producers follow those of the nodes."""

    source: int
    target: int
    output: int
    input: int


@collector_paused()
def to_networkx(graph: GraphModel) -> tuple[networkx.MultiDiGraph[str], tuple[BackEdge, ...]]:
    """Return the top-level graph without its back edges, and those.

    Nodes, in stored order: attributes op, device, attrs (decoded on access). Edges: output (slot
    of the source, -1 for a control edge), input (position in NodeDef.input). A producer that is
    not in the graph is a node of op "missing"; a name that stands twice gets "#2", "#3".
    """
    import networkx

    back = find_back_edges(graph)
    left_out = set(back)
    missing = _missing(graph)
    names = _unique_names(graph, missing)
    result: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    # filled as add_node and add_edge would, at less than half their cost; a test compares the two
    filled: Any = result
    filled._node.update(
        (name, {"op": op, "device": device, "attrs": attrs})
        for name, (_, op, _, device, attrs) in zip(names, graph.nodes, strict=True)
    )
    filled._node.update((name, {"op": MISSING, "device": "", "attrs": {}}) for name in missing)
    names += missing
    consumers: list[dict[str, Any]] = [{} for _ in names]
    producers: list[dict[str, Any]] = [{} for _ in names]
    filled._succ.update(zip(names, consumers, strict=True))
    filled._pred.update(zip(names, producers, strict=True))
    edges = zip(graph.order.producers, graph.order.outputs, strict=True)
    for target, (_, _, texts, _, _), before in zip(names, graph.nodes, producers, strict=False):
        for place, (position, output) in enumerate(islice(edges, len(texts))):
            if position < 0:
                position = missing[parse_input(texts[place]).node]
            source = names[position]
            if left_out and BackEdge(source, target, output, place) in left_out:
                continue
            told = {"output": output, "input": place}
            if source in before:
                before[source][len(before[source])] = told
            else:
                consumers[position][target] = before[source] = {0: told}
    return result, back


def find_back_edges(graph: GraphModel) -> tuple[BackEdge, ...]:
    """Return the edges without which the top-level graph has no cycle, in stored order."""
    if graph.order.is_ordered and not any(node.op in NEXT_ITERATION_OPS for node in graph.nodes):
        return ()
    missing = _missing(graph)
    edges = _edges(graph, missing)
    size = len(graph.nodes)
    loops = {at for at, node in enumerate(graph.nodes) if node.op in NEXT_ITERATION_OPS}
    back = {edge for edge in edges if edge.source in loops}
    if not graph.order.is_ordered:
        rest = [edge for edge in edges if edge not in back]
        back |= _breaking_edges(size + len(missing), rest)
    names = [*_unique_names(graph, missing), *missing]
    return tuple(
        BackEdge(names[edge.source], names[edge.target], edge.output, edge.input)
        for edge in edges
        if edge in back
    )


def _unique_names(graph: GraphModel, missing: Container[str]) -> list[str]:
    names = [node.name for node in graph.nodes]
    index = graph.index
    if len(index) == len(names):
        return names
    seen: dict[str, int] = {}
    given: set[str] = set()
    for position, name in enumerate(names):
        times = seen[name] = seen.get(name, 0) + 1
        if times == 1:
            continue
        unique = f"{name}#{times}"
        while unique in index or unique in missing or unique in given:
            times = seen[name] = times + 1
            unique = f"{name}#{times}"
        given.add(unique)
        names[position] = unique
    return names


def _missing(graph: GraphModel) -> dict[str, int]:
    """Return the producers that the graph lacks, with the positions that they get."""
    found: dict[str, int] = {}
    for position in graph.order.dangling:
        for text in graph.nodes[position].inputs:
            name = parse_input(text).node
            if name not in graph.index:
                found.setdefault(name, len(graph.nodes) + len(found))
    return found


def _edges(graph: GraphModel, missing: Mapping[str, int]) -> list[_Edge]:
    """Return every edge in stored order."""
    ends = zip(graph.order.producers, graph.order.outputs, strict=True)
    edges: list[_Edge] = []
    add = edges.append
    for position, node in enumerate(graph.nodes):
        for place, (source, output) in enumerate(islice(ends, len(node.inputs))):
            if source < 0:
                source = missing[parse_input(node.inputs[place]).node]
            add(_Edge(source, position, output, place))
    return edges


def _breaking_edges(size: int, edges: list[_Edge]) -> set[_Edge]:
    """Return edges without which there is no cycle: depth-first, in stored order, iteratively.

    size: of the positions. An edge to a node that is still being visited closes a cycle. What lies
    on no cycle is taken away first by counting producers (Kahn), at a third of the cost.
    """
    rest = _nodes_on_cycles(size, edges)
    if not rest:
        return set()
    consumers: dict[int, list[_Edge]] = {position: [] for position in rest}
    for candidate in edges:
        if candidate.source in consumers and candidate.target in consumers:
            consumers[candidate.source].append(candidate)
    found: set[_Edge] = set()
    state: dict[int, int] = {}  # 1 being visited, 2 done
    for root in rest:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(consumers[root]))]
        while stack:
            position, following = stack[-1]
            edge = next(following, None)
            if edge is None:
                state[position] = 2
                stack.pop()
            elif state.get(edge.target) == 1:
                found.add(edge)
            elif edge.target not in state:
                state[edge.target] = 1
                stack.append((edge.target, iter(consumers[edge.target])))
    return found


def _nodes_on_cycles(size: int, edges: list[_Edge]) -> list[int]:
    """Return the nodes that lie on or after a cycle, in stored order."""
    waiting = [0] * size
    consumers: list[list[int]] = [[] for _ in range(size)]
    for edge in edges:
        waiting[edge.target] += 1
        consumers[edge.source].append(edge.target)
    ready = [position for position, count in enumerate(waiting) if count == 0]
    while ready:
        for target in consumers[ready.pop()]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return [position for position, count in enumerate(waiting) if count]

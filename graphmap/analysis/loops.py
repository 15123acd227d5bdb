"""Loops of control flow v1."""

from __future__ import annotations

from graphmap.model.graph import GraphModel

__all__ = ["EXITS", "loop_frames", "loop_nodes"]

EXITS = frozenset({"Exit", "RefExit"})
_ENTERS = frozenset({"Enter", "RefEnter"})


def loop_nodes(graph: GraphModel) -> frozenset[int]:
    """Return the nodes inside loops of control flow v1, Enter and Exit included.

    A gradient uses what every turn left behind, so a loop is copied whole or not at all.
    """
    consumers, waiting = graph.topology.consumers, graph.topology.control_consumers
    stack = [at for at, node in enumerate(graph.nodes) if node.op in _ENTERS]
    inside = set(stack)
    while stack:
        position = stack.pop()
        if graph.nodes[position].op in EXITS:
            continue
        # a constant of a loop body hangs on the loop by a control edge only
        for consumer in [c for c, _ in consumers[position]] + waiting[position]:
            if consumer not in inside:
                inside.add(consumer)
                stack.append(consumer)
    return frozenset(inside)


def loop_frames(graph: GraphModel) -> dict[int, str]:
    """Return the frame (the innermost loop) of each node that lies in one; Exits lie outside."""
    consumers, waiting = graph.topology.consumers, graph.topology.control_consumers
    found = {
        at: str(node.attrs.get("frame_name", ""))
        for at, node in enumerate(graph.nodes)
        if node.op in _ENTERS
    }
    stack = list(found)
    while stack:
        position = stack.pop()
        for consumer in [c for c, _ in consumers[position]] + waiting[position]:
            if consumer not in found and graph.nodes[consumer].op not in EXITS:
                found[consumer] = found[position]
                stack.append(consumer)
    return found

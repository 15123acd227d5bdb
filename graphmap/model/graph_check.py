"""What is wrong with a stored graph: names that stand twice, inputs from nowhere, cycles."""

from __future__ import annotations

from graphmap.model.graph import GraphModel

__all__ = ["NEXT_ITERATION_OPS", "find_defects"]

NEXT_ITERATION_OPS = ("NextIteration", "RefNextIteration")  # their out-edges close while loops
_NAMED = 5  # examples in one sentence


def find_defects(graph: GraphModel) -> tuple[str, ...]:
    """Return one sentence for each kind of defect of the top-level graph; () for a sound one."""
    if not graph.nodes:
        return () if graph.functions else ("the graph holds no node",)
    defects = []
    bare = sum(1 for node in graph.nodes if not node.name or not node.op)
    if bare:
        defects.append(f"the graph has {bare} nodes without a name or an op")
    if len(graph.index) != len(graph.nodes):
        twice = [
            node.name
            for position, node in enumerate(graph.nodes)
            if graph.index[node.name] != position
        ]
        defects.append(f"the graph has node names that stand twice: {_examples(twice)}")
    topology = graph.topology
    dangling = [
        node.name
        for node, inputs, controls in zip(
            graph.nodes, topology.inputs, topology.controls, strict=True
        )
        if -1 in controls or any(producer < 0 for producer, _ in inputs)
    ]
    if dangling:
        defects.append(f"the graph lacks nodes that are inputs of {_examples(dangling)}")
    cycle = _on_cycles(graph)
    if cycle:
        defects.append(f"the graph has a cycle that is no while loop, through {_examples(cycle)}")
    return tuple(defects)


def _on_cycles(graph: GraphModel) -> list[str]:
    """Return the nodes on or between cycles, in stored order, while loops aside."""
    topology = graph.topology
    producers: list[list[int]] = [
        [
            producer
            for producer in (*(producer for producer, _ in inputs), *controls)
            if producer >= 0 and graph.nodes[producer].op not in NEXT_ITERATION_OPS
        ]
        for inputs, controls in zip(topology.inputs, topology.controls, strict=True)
    ]
    consumers: list[list[int]] = [[] for _ in producers]
    for position, found in enumerate(producers):
        for producer in found:
            consumers[producer].append(position)
    left = _peel(consumers, [len(found) for found in producers])
    if left:  # of what follows a cycle nothing is wanted: peel from the other end too
        inside = [[one for one in found if one in left] for found in consumers]
        left = _peel(producers, [len(found) for found in inside]) & left
    return [node.name for position, node in enumerate(graph.nodes) if position in left]


def _peel(following: list[list[int]], waiting: list[int]) -> set[int]:
    """Take away nodes that wait for nothing, and so on; return the positions that stay."""
    ready = [position for position, count in enumerate(waiting) if count == 0]
    left = set(range(len(waiting)))
    while ready:
        position = ready.pop()
        left.discard(position)
        for one in following[position]:
            waiting[one] -= 1
            if waiting[one] == 0:
                ready.append(one)
    return left


def _examples(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

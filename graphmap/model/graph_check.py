"""What is wrong with a stored graph: names that stand twice, inputs from nowhere, cycles ...

Rules and their order: GraphConstructor in tensorflow/core/common_runtime/graph_constructor.cc.
"""

from __future__ import annotations

import re
from operator import itemgetter

from graphmap.model.attr_facts import graph_facts
from graphmap.model.const_check import constant_defects
from graphmap.model.function_check import library_defects
from graphmap.model.graph import MERGE_OPS, NEXT_ITERATION_OPS, GraphModel
from graphmap.model.sentences import examples

__all__ = ["fatal_defects", "find_defects"]

NEWEST_GRAPH = 2474  # TF_GRAPH_DEF_VERSION of TensorFlow 2.21
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*").fullmatch  # IsValidNodeName


def find_defects(graph: GraphModel) -> tuple[str, ...]:
    """Return one sentence for each kind of defect of a graph and its library; () if sound."""
    if not graph.nodes:
        return library_defects(graph) or (() if graph.functions else ("the graph holds no node",))
    return (
        *_version_defects(graph),
        *_name_defects(graph),
        *_input_defects(graph),
        *_attr_defects(graph),
        *constant_defects(graph_facts(graph).top),
        *library_defects(graph),
    )


def fatal_defects(graph: GraphModel) -> tuple[str, ...]:
    """Return the defects for which TensorFlow is not to be handed a graph.

    It would refuse most of them itself; at recursive functions it dies, at ones that unfold
    without end it hangs, and what it does with damaged constants depends on its version.
    """
    return (
        *_version_defects(graph),
        *_input_defects(graph),
        *constant_defects(graph_facts(graph).top),
        *library_defects(graph),
    )


def _version_defects(graph: GraphModel) -> list[str]:
    if graph.min_consumer > NEWEST_GRAPH:
        return [f"the graph asks for a reader of version {graph.min_consumer} or newer"]
    if graph.producer < 0:
        return [f"the graph says it was written by version {graph.producer}"]
    return []


def _name_defects(graph: GraphModel) -> list[str]:
    defects = []
    if not all(map(itemgetter(0), graph.nodes)) or not all(map(itemgetter(1), graph.nodes)):
        bare = sum(1 for node in graph.nodes if not node.name or not node.op)
        defects.append(f"the graph has {bare} nodes without a name or an op")
    if len(graph.index) != len(graph.nodes):
        twice = [
            node.name
            for position, node in enumerate(graph.nodes)
            if graph.index[node.name] != position
        ]
        defects.append(f"the graph has node names that stand twice: {examples(twice)}")
    if not all(map(_NAME, graph.index)):
        odd = [node.name for node in graph.nodes if node.name and not _NAME(node.name)]
        if odd:
            defects.append(f"the graph has node names that TensorFlow refuses: {examples(odd)}")
    return defects


def _input_defects(graph: GraphModel) -> list[str]:
    defects = []
    order = graph.order
    if order.dangling:
        names = [graph.nodes[at].name for at in order.dangling]
        defects.append(f"the graph lacks nodes that are inputs of {examples(names)}")
    if order.mixed:
        names = [graph.nodes[at].name for at in order.mixed]
        defects.append(f"a control input stands before a data input of {examples(names)}")
    cycle = _on_cycles(graph)
    if cycle:
        defects.append(f"the graph has a cycle that is no while loop, through {examples(cycle)}")
    return defects


def _attr_defects(graph: GraphModel) -> list[str]:
    facts = graph_facts(graph).top
    defects = []
    if facts.typeless:
        names = [graph.nodes[position].name for position in facts.typeless]
        defects.append(f"the attr dtype holds no type in {examples(names)}")
    lost = {at for place, users in facts.places.items() if place not in graph.index for at in users}
    if lost:
        names = [graph.nodes[position].name for position in sorted(lost)]
        defects.append(f"nodes are colocated with nodes that are not there: {examples(names)}")
    return defects


def _on_cycles(graph: GraphModel) -> list[str]:
    """Return the nodes on or between cycles, in stored order, while loops aside."""
    if graph.order.is_ordered:
        return []
    topology = graph.topology
    nodes = graph.nodes
    producers: list[list[int]] = []
    for node, inputs, controls in zip(nodes, topology.inputs, topology.controls, strict=True):
        found = [producer for producer, _ in inputs if producer >= 0]
        if node.op in MERGE_OPS:
            found = [one for one in found if nodes[one].op not in NEXT_ITERATION_OPS]
        producers.append(found + [one for one in controls if one >= 0])
    consumers: list[list[int]] = [[] for _ in producers]
    for position, found in enumerate(producers):
        for producer in found:
            consumers[producer].append(position)
    left = _peel(consumers, [len(found) for found in producers])
    if left:  # of what follows a cycle nothing is wanted: peel from the other end too
        inside = [[one for one in found if one in left] for found in consumers]
        left = _peel(producers, [len(found) for found in inside]) & left
    return [node.name for position, node in enumerate(nodes) if position in left]


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

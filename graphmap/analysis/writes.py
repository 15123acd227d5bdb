"""Which node writes which variable, function bodies included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.analysis.ops import (
    FOLLOWED_FOR_STATE,
    STATE_OPS,
    apply_rule,
    is_apply,
    is_write,
)
from graphmap.model.graph import GraphModel

__all__ = ["Write", "WriteIndex", "find_writes", "trace_variable"]

_SEED = re.compile(r"(^|/)(grad_ys_\d+$|gradient_tape/)")
_DEPTH_LIMIT = 50  # nested calls; a recursive function stops here


class Write(NamedTuple):
    """A node that changes variables when it runs.

    node: position in graph.nodes. variables: positions of the variables, the trained one before
    its slots. applies: a fused update op, or a call whose body holds one or takes gradients.
    """

    node: int
    variables: tuple[int, ...]
    applies: bool


@dataclass(frozen=True, slots=True)
class WriteIndex:
    """All writes of a graph: by node, and the writing nodes of each variable in node order."""

    by_node: Mapping[int, Write]
    by_variable: Mapping[int, tuple[int, ...]]


def trace_variable(graph: GraphModel, position: int) -> int:
    """Return the variable that a handle, ref or read comes from; -1 where there is none.

    Goes through Identity, Switch, Enter and the like, reads, and earlier writes of refs.
    """
    nodes, inputs = graph.nodes, graph.topology.inputs
    seen: set[int] = set()
    while position >= 0 and position not in seen:
        op = nodes[position].op
        if op in STATE_OPS:
            return position
        seen.add(position)
        if not (op in FOLLOWED_FOR_STATE or op == "ReadVariableOp" or is_write(op)):
            return -1
        sources = inputs[position]
        position = sources[0][0] if sources else -1
    return -1


def find_writes(graph: GraphModel) -> WriteIndex:
    """Return every node that writes a variable, itself or in a function body that it calls."""
    return _find_writes(graph, {}, 0)


_BodyWrites = dict[str, tuple[tuple[int, ...], bool]]


def _find_writes(graph: GraphModel, bodies: _BodyWrites, depth: int) -> WriteIndex:
    by_node: dict[int, Write] = {}
    by_variable: dict[int, list[int]] = {}
    writing = {op for op in {node.op for node in graph.nodes} if is_write(op)}
    for position, node in enumerate(graph.nodes):
        if node.op in writing:
            written, applies = _written_by_op(graph, position), is_apply(node.op)
        elif graph.functions:
            written, applies = _written_by_call(graph, position, bodies, depth)
        else:
            continue
        if not written:
            continue
        by_node[position] = Write(position, written, applies)
        for variable in written:
            by_variable.setdefault(variable, []).append(position)
    return WriteIndex(by_node, {key: tuple(value) for key, value in by_variable.items()})


def _written_by_op(graph: GraphModel, position: int) -> tuple[int, ...]:
    inputs = graph.topology.inputs[position]
    rule = apply_rule(graph.nodes[position].op)
    places = [0] + (sorted(rule.slots.values()) if rule else [])
    found = [trace_variable(graph, inputs[place][0]) for place in places if place < len(inputs)]
    return tuple(dict.fromkeys(variable for variable in found if variable >= 0))


def _written_by_call(
    graph: GraphModel, position: int, bodies: _BodyWrites, depth: int
) -> tuple[tuple[int, ...], bool]:
    calls = calls_of(graph.nodes[position], graph)
    inputs = graph.topology.inputs[position]
    found: list[int] = []
    applies = False
    for name, skipped in calls:
        arguments, body_applies = _written_arguments(graph, name, bodies, depth)
        applies = applies or body_applies
        for argument in arguments:
            if argument + skipped < len(inputs):
                found.append(trace_variable(graph, inputs[argument + skipped][0]))
    return tuple(dict.fromkeys(variable for variable in found if variable >= 0)), applies


def _written_arguments(
    graph: GraphModel, name: str, bodies: _BodyWrites, depth: int
) -> tuple[tuple[int, ...], bool]:
    """Return which arguments a function writes, and whether a fused update does it."""
    known = bodies.get(name)
    if known is not None:
        return known
    function = graph.function_index.get(name)
    if function is None or depth > _DEPTH_LIMIT:
        return (), False
    bodies[name] = (), False  # a recursive call adds nothing of its own
    writes = _find_writes(body_graph(function, graph), bodies, depth + 1)
    count = len(function.inputs)
    arguments: dict[int, None] = {}
    for write in writes.by_node.values():
        arguments.update((variable, None) for variable in write.variables if variable < count)
    applies = any(write.applies for write in writes.by_node.values())
    applies = applies or any(_SEED.search(node.name) for node in function.nodes)
    bodies[name] = tuple(arguments), applies
    return bodies[name]

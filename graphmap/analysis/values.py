"""Where a scalar comes from: a number, a variable, a placeholder, or arithmetic on those.

A value may lie in a function body; a frame remembers who called it, so that arguments lead on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.analysis.ops import PASS_THROUGH, STATE_OPS, is_write
from graphmap.analysis.scalars import ARITHMETIC, Scalar, compute, constant, shortest
from graphmap.model.graph import Function, GraphModel, Node

__all__ = [
    "Frame",
    "Value",
    "inputs_of",
    "node_of",
    "number",
    "operand",
    "operands",
    "resolve",
    "root_variable",
    "tensor_of",
]

_FOLLOWED = PASS_THROUGH - {"Merge", "RefMerge", "NextIteration", "RefNextIteration"}
_CHAIN_LIMIT = 1_000  # reads, casts and switches in a row; a ring ends here
_DEPTH_LIMIT = 60  # nested arithmetic of one scalar


class Frame(NamedTuple):
    """A graph that values lie in: the top one, or a body with its caller."""

    graph: GraphModel
    caller: Frame | None = None
    call: int = -1  # node of the caller's graph
    skipped: int = 0  # data inputs of that node before the first argument

    def bodies(self, position: int) -> list[Frame]:
        """Return the bodies that a node calls, as frames below this one."""
        if not self.graph.functions:
            return []
        return [
            self.body(self.graph.function_index[name], position, skipped)
            for name, skipped in calls_of(self.graph.nodes[position], self.graph)
            if name in self.graph.function_index
        ]

    def body(self, function: Function, position: int, skipped: int) -> Frame:
        """Return the frame of one function that the node at `position` calls."""
        return Frame(body_graph(function, self.graph), self, position, skipped)


class Value(NamedTuple):
    """A tensor in a frame."""

    frame: Frame
    node: int
    output: int = 0


def node_of(value: Value) -> Node:
    """Return the node that produces a value."""
    return value.frame.graph.nodes[value.node]


def tensor_of(value: Value) -> str:
    """Return the tensor name, such as "ExponentialDecay:0"."""
    return f"{node_of(value).name}:{value.output}"


def inputs_of(value: Value) -> list[Value]:
    """Return the data inputs of the node that produces a value; missing producers are left out."""
    sources = value.frame.graph.topology.inputs[value.node]
    return [Value(value.frame, node, output) for node, output in sources if node >= 0]


def operand(value: Value, place: int) -> Value | None:
    """Return one data input; None where it is not there."""
    sources = value.frame.graph.topology.inputs[value.node]
    if place >= len(sources) or sources[place][0] < 0:
        return None
    return Value(value.frame, *sources[place])


def operands(value: Value, ops: Collection[str]) -> tuple[Value, Value] | None:
    """Return both resolved inputs of a two-input op of `ops`; None for any other value."""
    if node_of(value).op not in ops:
        return None
    sources = inputs_of(value)
    return (resolve(sources[0]), resolve(sources[1])) if len(sources) == 2 else None


def root_variable(value: Value | None) -> int:
    """Return the top graph's variable that a value is, through reads and earlier writes; or -1."""
    for _ in range(_CHAIN_LIMIT):
        if value is None:
            return -1
        value = resolve(value)
        if not is_write(node_of(value).op):
            is_variable = value.frame.caller is None and node_of(value).op in STATE_OPS
            return value.node if is_variable else -1
        value = operand(value, 0)
    return -1


def resolve(value: Value) -> Value:
    """Follow reads, Identity, Cast, Switch and function arguments to what makes the value."""
    for _ in range(_CHAIN_LIMIT):
        op = node_of(value).op
        if op == "_Arg" and value.frame.caller is not None:
            caller = value.frame.caller
            place = value.node + value.frame.skipped
            sources = caller.graph.topology.inputs[value.frame.call]
            if place >= len(sources) or sources[place][0] < 0:
                return value
            value = Value(caller, *sources[place])
        elif op in _FOLLOWED:
            sources = value.frame.graph.topology.inputs[value.node]
            if not sources or sources[0][0] < 0:
                return value
            value = Value(value.frame, *sources[0])
        else:
            return value
    return value


def number(value: Value) -> float | int | bool | None:
    """Return the value as the shortest Python number of its dtype, where it is constant.

    It is computed in its own dtype; a tensor counts as a scalar where all its elements are equal.
    """
    found = _fold(value, {}, 0)
    return None if found is None else shortest(found)


def _fold(value: Value, known: dict[tuple[int, int], Scalar | None], depth: int) -> Scalar | None:
    value = resolve(value)
    place = (id(value.frame.graph), value.node)
    if place in known:
        return known[place]
    known[place] = None  # what depends on itself is no constant
    node = node_of(value)
    if node.op == "Const":
        known[place] = constant(node)
    elif node.op == "Fill":
        sources = inputs_of(value)
        known[place] = _fold(sources[1], known, depth + 1) if len(sources) == 2 else None
    elif node.op in ARITHMETIC and depth < _DEPTH_LIMIT:
        known[place] = _computed(value, known, depth)
    return known[place]


def _computed(
    value: Value, known: dict[tuple[int, int], Scalar | None], depth: int
) -> Scalar | None:
    values = []
    for source in inputs_of(value):
        found = _fold(source, known, depth + 1)
        if found is None:
            return None
        values.append(found)
    return compute(node_of(value).op, values)

"""The value that a tree of conditionals takes at one step; for piecewise constant schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.values import Frame, Value, inputs_of, node_of, number, operand, resolve

__all__ = ["evaluate"]

_Number = float | int | bool | None
_PREDICATES: dict[str, Callable[..., bool]] = {
    "Less": lambda a, b: a < b,
    "LessEqual": lambda a, b: a <= b,
    "Greater": lambda a, b: a > b,
    "GreaterEqual": lambda a, b: a >= b,
    "LogicalAnd": lambda a, b: a and b,
    "LogicalOr": lambda a, b: a or b,
    "LogicalNot": lambda a: not a,
}
_SWITCHES = frozenset({"Switch", "RefSwitch"})
_DEPTH_LIMIT = 200  # nested conditionals and predicates


def evaluate(value: Value, step: float) -> _Number:
    """Return the value with `step` in place of every variable.

    None where the branch is not taken, or where something else decides.
    """
    return _Evaluation(step, {}, []).of(value)


class _Evaluation(NamedTuple):
    """One step, and what is known at it; a value that depends on itself is unknown.

    bodies: kept, because the id of their graphs is part of the key of what is known.
    """

    step: float
    known: dict[tuple[int, int, int], _Number]
    bodies: list[Frame]

    def of(self, value: Value, depth: int = 0) -> _Number:
        place = (id(value.frame.graph), value.node, value.output)
        if place not in self.known:
            self.known[place] = None
            if depth < _DEPTH_LIMIT:
                self.known[place] = _value_of(self, value, depth)
        return self.known[place]


def _value_of(at: _Evaluation, value: Value, depth: int) -> _Number:
    op = node_of(value).op
    if op in _SWITCHES:
        return _through_switch(at, value, depth)
    if op in {"Merge", "RefMerge"}:
        taken = [at.of(source, depth + 1) for source in inputs_of(value)]
        return next((found for found in taken if found is not None), None)
    if op == "Const":
        return number(value) if _is_taken(at, value, depth) else None
    if op in {"If", "StatelessIf"}:
        return _through_if(at, value, depth)
    if op in VARIABLE_OPS:
        return at.step
    if op in _PREDICATES:
        rule, arity = _PREDICATES[op], 1 if op == "LogicalNot" else 2
        operands = [at.of(source, depth + 1) for source in inputs_of(value)]
        return rule(*operands) if len(operands) == arity and None not in operands else None
    return _through_plain(at, value, depth)


def _through_plain(at: _Evaluation, value: Value, depth: int) -> _Number:
    """Follow Identity, Cast, a read or an argument by one node, so that no Switch is skipped."""
    sources = inputs_of(value)
    if node_of(value).op == "_Arg" or len(sources) != 1:
        source = resolve(value)
        return number(value) if source == value else at.of(source, depth + 1)
    return at.of(sources[0], depth + 1)


def _through_switch(at: _Evaluation, value: Value, depth: int) -> _Number:
    chosen = _at_operand(at, value, 1, depth)
    if chosen is None or int(chosen) != value.output:
        return None
    return _at_operand(at, value, 0, depth)


def _at_operand(at: _Evaluation, value: Value, place: int, depth: int) -> _Number:
    source = operand(value, place)
    return None if source is None else at.of(source, depth + 1)


def _is_taken(at: _Evaluation, value: Value, depth: int) -> bool:
    """Whether a constant made inside a branch lives: it has the branch's pivot as control input."""
    frame = value.frame
    for pivot in frame.graph.topology.controls[value.node]:
        source = Value(frame, pivot)
        for _ in range(_DEPTH_LIMIT):
            below = frame.graph.topology.inputs[source.node] if source.node >= 0 else []
            if source.node < 0 or node_of(source).op in _SWITCHES or not below:
                break
            source = Value(frame, *below[0])
        if source.node >= 0 and node_of(source).op in _SWITCHES:
            chosen = _at_operand(at, source, 1, depth)
            if chosen is None or int(chosen) != source.output:
                return False
    return True


def _through_if(at: _Evaluation, value: Value, depth: int) -> _Number:
    chosen = _at_operand(at, value, 0, depth)
    attr: Any = node_of(value).attrs.get("then_branch" if chosen else "else_branch")
    function = value.frame.graph.function_index.get(getattr(attr, "name", ""))
    if chosen is None or function is None or value.output >= len(function.outputs):
        return None
    body = value.frame.body(function, value.node, 1)
    at.bodies.append(body)
    returned = function.returns.get(function.outputs[value.output][0], "")
    name, *rest = returned.split(":")
    position = body.graph.index.get(name, -1)
    if position < 0:
        return None
    return at.of(Value(body, position, int(rest[-1]) if rest else 0), depth + 1)

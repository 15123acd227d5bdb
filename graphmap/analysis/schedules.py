"""Hyper-parameters as the contract words them: numbers, or where they come from.

Source of the schedules: learning_rate_decay.py and legacy_learning_rate_decay.py of TF 1.15.
"""

from __future__ import annotations

from typing import Any

from graphmap.analysis.branches import evaluate
from graphmap.analysis.ops import PLACEHOLDER_OPS, VARIABLE_OPS
from graphmap.analysis.values import Value, inputs_of, node_of, number, resolve, tensor_of

__all__ = ["describe", "find_schedule"]

_ADD = frozenset({"Add", "AddV2"})
_DIV = frozenset({"RealDiv", "Div"})
_COMPARE = frozenset({"Less", "LessEqual", "Greater", "GreaterEqual"})
_WALK_LIMIT = 2_000  # nodes of one schedule


def describe(value: Value) -> Any:
    """Return a number, or {"tensor", "source", "schedule"} for what is no constant."""
    plain = number(value)
    if plain is not None:
        return plain
    source = resolve(value)
    op = node_of(source).op
    found = {"tensor": tensor_of(source), "source": "schedule", "schedule": None}
    if op in VARIABLE_OPS:
        return {**found, "source": "variable"}
    if op in PLACEHOLDER_OPS:
        defaults = [number(entry) for entry in inputs_of(source)]
        return {**found, "source": "placeholder", **({"value": defaults[0]} if defaults else {})}
    return {**found, "schedule": find_schedule(source)}


def find_schedule(value: Value) -> dict[str, Any]:
    """Return a schedule's kind and constants; kind "expression" where it is none of the known."""
    value = resolve(value)
    for rule in (_exponential, _inverse_time, _polynomial, _cosine, _piecewise):
        found = rule(value)
        if found is not None:
            return found
    return {"kind": "expression", "depends_on": _leaves(value)}


def _is(value: Value, *ops: str) -> bool:
    return node_of(value).op in ops


def _sources(value: Value) -> list[Value]:
    return [resolve(source) for source in inputs_of(value)]


def _split(value: Value, ops: frozenset[str] | set[str]) -> tuple[float, Value] | None:
    """Return (constant, other operand) of a two-operand op, in whichever order they stand."""
    if node_of(value).op not in ops:
        return None
    sources = _sources(value)
    if len(sources) != 2:
        return None
    for constant, other in (sources, sources[::-1]):
        plain = number(constant)
        if plain is not None and number(other) is None:
            return plain, other
    return None


def _progress(value: Value) -> dict[str, Any] | None:
    """Step over decay_steps, floored in a staircase."""
    staircase = _is(value, "Floor")
    if staircase:
        value = _sources(value)[0]
    sources = _sources(value)
    if node_of(value).op not in _DIV or len(sources) != 2:
        return None
    steps = number(sources[1])
    if steps is None or number(sources[0]) is not None:
        return None
    return {"decay_steps": steps, "staircase": staircase}


def _exponential(value: Value) -> dict[str, Any] | None:
    product = _split(value, {"Mul"})
    if product is None:
        return None
    initial, factor = product
    sources = _sources(factor)
    if _is(factor, "Pow"):
        rate = number(sources[0])
        progress = _progress(sources[1])
        if rate is None or progress is None:
            return None
        return {"kind": "exponential_decay", "initial": initial, "decay_rate": rate, **progress}
    if _is(factor, "Exp"):
        power = _split(sources[0], {"Mul"})
        progress = _progress(power[1]) if power else None
        if power is None or progress is None:
            return None
        told = {"initial": initial, "decay_rate": -power[0], **progress}
        return {"kind": "natural_exp_decay", **told}
    return None


def _inverse_time(value: Value) -> dict[str, Any] | None:
    sources = _sources(value)
    if node_of(value).op not in _DIV or len(sources) != 2:
        return None
    initial = number(sources[0])
    total = _split(sources[1], _ADD)
    if initial is None or total is None or total[0] != 1:
        return None
    rate = _split(total[1], {"Mul"})
    progress = _progress(rate[1]) if rate else None
    if rate is None or progress is None:
        return None
    return {"kind": "inverse_time_decay", "initial": initial, "decay_rate": rate[0], **progress}


def _polynomial(value: Value) -> dict[str, Any] | None:
    total = _split(value, _ADD)
    product = _split(total[1], {"Mul"}) if total else None
    if total is None or product is None or not _is(product[1], "Pow"):
        return None
    base, exponent = _sources(product[1])
    power = number(exponent)
    left = _split(base, {"Sub"})
    if power is None or left is None or left[0] != 1:
        return None
    progress = _progress(left[1])
    if progress is None:
        return None
    return {
        "kind": "polynomial_decay",
        "initial": round(product[0] + total[0], 12),
        "end": total[0],
        "power": power,
        "decay_steps": progress["decay_steps"],
    }


def _cosine(value: Value) -> dict[str, Any] | None:
    product = _split(value, {"Mul"})
    if product is None:
        return None
    for inner in _walk(product[1]):
        if _is(inner, "Cos"):
            angle = _split(_sources(inner)[0], {"Mul"})
            progress = _progress(angle[1]) if angle else None
            if progress is not None:
                steps = progress["decay_steps"]
                return {"kind": "cosine_decay", "initial": product[0], "decay_steps": steps}
    return None


def _piecewise(value: Value) -> dict[str, Any] | None:
    """A tree of Merge or conditionals: its leaves are constants and comparisons of the step."""
    if not _is(value, "Merge", "If", "StatelessIf", "Case", "StatelessCase"):
        return None
    boundaries: set[float] = set()
    for inner in _walk(value):
        if node_of(inner).op in _COMPARE:
            limits = [number(source) for source in inputs_of(inner)]
            boundaries.update(limit for limit in limits if limit is not None)
    if not boundaries:
        return None
    found: dict[str, Any] = {"kind": "piecewise_constant", "boundaries": sorted(boundaries)}
    steps = [*found["boundaries"], found["boundaries"][-1] + 1]  # a boundary belongs to what ends
    values = [evaluate(value, step) for step in steps]
    return found if None in values else {**found, "values": values}


def _walk(value: Value) -> list[Value]:
    """Return what a value is computed from, itself first, not beyond variables."""
    found = [value]
    seen = {(id(value.frame.graph), value.node)}
    for current in found:
        if len(found) > _WALK_LIMIT:
            break
        op = node_of(current).op
        if op in VARIABLE_OPS:
            continue
        sources = [resolve(current)] if op == "_Arg" else inputs_of(current)
        if op == "Const":  # made inside a branch, it hangs on the branch's pivot
            pivots = current.frame.graph.topology.controls[current.node]
            sources = [Value(current.frame, pivot) for pivot in pivots if pivot >= 0]
        for body in current.frame.bodies(current.node):
            sources += [Value(body, at) for at in range(len(body.graph.nodes))]
        for source in sources:
            place = (id(source.frame.graph), source.node)
            if place not in seen:
                seen.add(place)
                found.append(source)
    return found


def _leaves(value: Value) -> list[str]:
    """Return the variables and placeholders that an expression reads."""
    leaves = PLACEHOLDER_OPS | VARIABLE_OPS
    return sorted({tensor_of(inner) for inner in _walk(value) if node_of(inner).op in leaves})

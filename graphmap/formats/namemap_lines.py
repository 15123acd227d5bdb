"""The entries of a name map as lines of JSON, put together from pieces that many entries share.

The json module takes 30 µs for an entry, most of it for evidence and shapes that thousands of
entries have in common. Putting the same text together from encoded pieces takes a fifth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring as quoted
from typing import Any

from graphmap.model.graph import Dims
from graphmap.model.namemap import Candidate, Decision, Evidence

__all__ = ["DIGITS", "encode", "entry_dict", "entry_lines"]

DIGITS = 6  # of probabilities; below that a platform's rounding may differ
encode = json.JSONEncoder(ensure_ascii=False).encode  # quick for a string, slow for the rest


def entry_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield one JSON object for each decision, keys in the order of the contract."""
    numbers: dict[tuple[float, int], str] = {}
    shapes: dict[Dims, str] = {}
    reasons: dict[int, tuple[str, tuple[Evidence, ...]]] = {}  # by id: kept, so that ids stay
    ends: dict[tuple[float, float, str, int], str] = {}  # of entries without parts

    def number(value: float, digits: int) -> str:
        text = numbers.get((value, digits))
        if text is None:
            text = numbers[value, digits] = encode(round(float(value), digits))
        return text

    def candidate(one: Candidate) -> str:
        return f'{{"actual": {quoted(one.actual)}, "confidence": {number(one.confidence, DIGITS)}}}'

    def end(confidence: float, margin: float, layout: str, parts: tuple[Any, ...], why: str) -> str:
        joined = f'"parts": {encode(list(parts))}, ' if parts else ""
        return (
            f'"confidence": {number(confidence, DIGITS)}, "margin": {number(margin, 3)}, '
            f'"layout": {quoted(layout)}, {joined}"evidence": {why}, "candidates": ['
        )

    for d in decisions:  # 100,000 of them: the loop is written for speed
        expected, status, dims, actual, tensor, key, sure, margin, layout, parts, why, others = d
        shape = shapes.get(dims)
        if shape is None:
            shape = shapes[dims] = encode(dims)
        known = reasons.get(id(why))
        if known is None:
            known = reasons[id(why)] = encode([_evidence(e) for e in why]), why
        rest = None if parts else ends.get((sure, margin, layout, id(why)))
        if rest is None:
            rest = end(sure, margin, layout, parts, known[0])
            if not parts:
                ends[sure, margin, layout, id(why)] = rest
        name = "null" if actual is None else quoted(actual)
        node = "null" if tensor is None else quoted(tensor)
        stored = name if key == actual else "null" if key is None else quoted(key)
        if others == ((actual, sure),):  # most names have no rival
            named = f'{{"actual": {name}, "confidence": {numbers[sure, DIGITS]}}}'
        else:
            named = ", ".join([candidate(one) for one in others])
        yield (
            f'{{"expected": {quoted(expected)}, "shape": {shape}, "status": "{status}", '
            f'"actual": {name}, "tensor": {node}, "checkpoint_key": {stored}, '
            f"{rest}{named}]}}"
        )


def entry_dict(decision: Decision) -> dict[str, Any]:
    """Return one decision as the JSON object of the contract."""
    (line,) = entry_lines([decision])
    entry: dict[str, Any] = json.loads(line)
    return entry


def _evidence(one: Evidence) -> dict[str, Any]:
    return {"kind": one.kind, "bits": round(one.bits, 3), "why": one.why}

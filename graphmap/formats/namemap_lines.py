"""The entries of a name map as lines of JSON, put together from pieces that many entries share.

The json module takes 30 µs for an entry, most of it for evidence and shapes that thousands of
entries have in common. Putting the same text together from encoded pieces takes a fifth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
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

    def number(value: float, digits: int) -> str:
        text = numbers.get((value, digits))
        if text is None:
            text = numbers[value, digits] = encode(round(float(value), digits))
        return text

    def candidate(one: Candidate) -> str:
        return f'{{"actual": {encode(one.actual)}, "confidence": {number(one.confidence, DIGITS)}}}'

    for d in decisions:
        shape = shapes.get(d.shape)
        if shape is None:
            shape = shapes[d.shape] = encode(d.shape)
        known = reasons.get(id(d.evidence))
        if known is None:
            text = encode([_evidence(e) for e in d.evidence])
            known = reasons[id(d.evidence)] = text, d.evidence
        parts = f'"parts": {encode(list(d.parts))}, ' if d.parts else ""
        yield (
            f'{{"expected": {encode(d.expected)}, "shape": {shape}, "status": "{d.status}", '
            f'"actual": {_name(d.actual)}, "tensor": {_name(d.tensor)}, '
            f'"checkpoint_key": {_name(d.checkpoint_key)}, '
            f'"confidence": {number(d.confidence, DIGITS)}, "margin": {number(d.margin, 3)}, '
            f'"layout": {encode(d.layout)}, {parts}"evidence": {known[0]}, '
            f'"candidates": [{", ".join([candidate(one) for one in d.candidates])}]}}'
        )


def entry_dict(decision: Decision) -> dict[str, Any]:
    """Return one decision as the JSON object of the contract."""
    (line,) = entry_lines([decision])
    entry: dict[str, Any] = json.loads(line)
    return entry


def _name(name: str | None) -> str:
    return "null" if name is None else encode(name)


def _evidence(one: Evidence) -> dict[str, Any]:
    return {"kind": one.kind, "bits": round(one.bits, 3), "why": one.why}

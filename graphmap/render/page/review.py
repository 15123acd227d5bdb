"""What the review page is told: the map in columns, both sides, and the rule that spreads a pin."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from graphmap.model.graph import Dims
from graphmap.model.namemap import Decision, NameMap
from graphmap.model.variable import Variable
from graphmap.render.page.columns import Words, front_coded

__all__ = ["Reviewed", "SideTold", "review_payload"]

_STATUSES = ("matched", "ambiguous", "unmatched")


class SideTold(NamedTuple):
    """One side: its variables, the columns of the rule (None: unknown), its ops (None: no graph).

    columns: template, numbers, module and kind of every variable.
    """

    variables: tuple[Variable, ...]
    columns: tuple[list[int], list[tuple[int, ...]], list[int], list[str]] | None
    vicinity: dict[str, Any] | None


class Reviewed(NamedTuple):
    """A map to review.

    head: the fields of map.json before the entries. actual: also every name of the map that is
    stored no more. answering: how many of its first variables may answer an expected name.
    layouts: (expected shape, actual shape, layout, layout of a turned kernel) of all that fit.
    covers: for each rule the expected names that it rewrites. notes: what the reader must know.
    """

    name_map: NameMap
    head: dict[str, Any]
    expected: SideTold
    actual: SideTold
    answering: int
    layouts: Sequence[tuple[Dims, Dims, str, str]] | None
    turned: bool
    pin_bits: tuple[float, float]
    covers: Sequence[Sequence[int]]
    notes: tuple[str, ...]
    title: str


def review_payload(reviewed: Reviewed) -> dict[str, Any]:
    """Return the content of the page."""
    shapes, layouts = Words(), Words()
    layouts.number("same")
    name_map = reviewed.name_map
    expected = _side(reviewed.expected, shapes)
    actual = _side(reviewed.actual, shapes)
    rows = _rows(name_map.decisions, reviewed.actual.variables, layouts)
    table = reviewed.layouts
    return {
        "kind": "review",
        "title": reviewed.title,
        "notes": list(reviewed.notes),
        "head": reviewed.head,
        "digest": _digest(name_map.decisions),
        "pinned": [reviewed.pin_bits[0], reviewed.pin_bits[1]],
        "turned": reviewed.turned,
        "answering": reviewed.answering,
        "expected": expected,
        "actual": actual,
        "rows": rows,
        "rules": [
            {**rule._asdict(), "rows": list(cover)}
            for rule, cover in zip(name_map.rules, reviewed.covers, strict=True)
        ],
        "unused": list(name_map.unused),
        "fits": table and [
            [*shapes.column(pair[:2]), *layouts.column(pair[2:])] for pair in table
        ],
        "shapes": [None if shape is None else list(shape) for shape in shapes.known],
        "layouts": list(layouts.known),
    }  # fmt: skip


def _digest(decisions: Iterable[Decision]) -> str:
    """Return a name under which a browser keeps the progress: the same for the same decisions."""
    digest = hashlib.sha256()
    for d in decisions:
        digest.update(f"{d.expected}\0{d.status}\0{d.actual}\0".encode("utf-8", "replace"))
    return digest.hexdigest()[:24]


def _side(side: SideTold, shapes: Words) -> dict[str, Any]:
    variables = side.variables
    shared, names = front_coded([v.name for v in variables])
    roles, place = Words(), {v.name: at for at, v in enumerate(variables)}
    columns = side.columns
    kinds = Words()
    return {
        "shared": shared,
        "names": names,
        "shape": shapes.column(v.shape for v in variables),
        "role": roles.column(v.role for v in variables),
        "roles": list(roles.known),
        "slotOf": [-1 if v.slot_of is None else place.get(v.slot_of, -1) for v in variables],
        "keys": _exceptions((v.checkpoint_key, v.name) for v in variables),
        "nodes": _exceptions((v.node or v.name, v.name) for v in variables),
        "rule": columns and {
            "template": columns[0],
            "numbers": columns[1],
            "module": columns[2],
            "kind": kinds.column(columns[3]),
            "kinds": list(kinds.known),
        },
        "graph": side.vicinity,
    }  # fmt: skip


def _exceptions(pairs: Iterable[tuple[str | None, str]]) -> list[tuple[int, str | None]]:
    """Return (position, text) where the text is not the name itself."""
    return [(at, text) for at, (text, name) in enumerate(pairs) if text != name]


def _rows(
    decisions: Sequence[Decision], actual: Sequence[Variable], layouts: Words
) -> dict[str, Any]:
    place = {v.name: at for at, v in enumerate(actual)}
    evidence = Words()
    candidates = [
        [[place[c.actual], round(c.confidence, 6)] for c in d.candidates] for d in decisions
    ]
    return {
        "status": [_STATUSES.index(d.status) for d in decisions],
        "actual": [-1 if d.actual is None else place[d.actual] for d in decisions],
        "tensor": [
            (at, d.tensor)
            for at, d in enumerate(decisions)
            if d.tensor is not None and d.tensor != f"{d.actual}:0"
        ],
        "keys": [
            (at, d.checkpoint_key)
            for at, d in enumerate(decisions)
            if d.checkpoint_key != d.actual
        ],
        "confidence": [round(d.confidence, 6) for d in decisions],
        "margin": [round(d.margin, 3) for d in decisions],
        "layout": layouts.column(d.layout for d in decisions),
        "evidence": evidence.column(
            tuple((e.kind, round(e.bits, 3), e.why) for e in d.evidence) for d in decisions
        ),
        "reasons": list(evidence.known),
        "candidates": candidates,
        "parts": [(at, list(d.parts)) for at, d in enumerate(decisions) if d.parts],
    }  # fmt: skip

"""Which variables of two graphs stand at the same place: joint colours, refined step by step.

Weisfeiler and Lehman: the colour of a node is what it is and, at each step, the colours before and
behind it. Both graphs share one table of colours, so equal colours mean equal surroundings. A
variable whose colour exactly one of the other side has is its counterpart; pairs found so far are
fixed colours of their own, and what differs on one side of them no longer disturbs the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from graphmap.matching.forward import Forward
from graphmap.matching.views import VIEWS, Label, View, make_view

__all__ = ["Counterparts", "find_counterparts"]

RADII = (12, 6)
SHIFT = 40  # bits of a colour; above them the mark of an edge

Pair = tuple[int, int]


class Found(NamedTuple):
    """How a pair was found."""

    view: str
    radius: int


class Class(NamedTuple):
    """Variables of both sides that stand at equal places."""

    expected: tuple[int, ...]
    actual: tuple[int, ...]
    view: str
    radius: int


class Counterparts(NamedTuple):
    """pairs: {expected: actual}. found: how. classes: of expected variables without a pair."""

    pairs: dict[int, int]
    found: dict[int, Found]
    classes: dict[int, Class]


class _Joint:
    """One view of both graphs as one; variables of the actual side are numbered on."""

    def __init__(self, expected: View, actual: View, labels: Mapping[int, Label], offset: int):
        shift = len(expected.own)
        self.own = [*expected.own, *actual.own]
        self.before = [[(m << SHIFT, n) for m, n in row] for row in expected.before]
        self.before += [[(m << SHIFT, n + shift) for m, n in row] for row in actual.before]
        self.behind = [[(m << SHIFT, n) for m, n in row] for row in expected.behind]
        self.behind += [[(m << SHIFT, n + shift) for m, n in row] for row in actual.behind]
        self.holders = dict(expected.holders)
        for v, rows in actual.holders.items():
            self.holders[v + offset] = [(role, [n + shift for n in nodes]) for role, nodes in rows]
        self.labels = labels
        self.users: dict[int, list[int]] = defaultdict(list)
        for v, rows in self.holders.items():
            for role, nodes in rows:
                if not (isinstance(role, tuple) and role[-1] in ("above", "below")):
                    for node in nodes:
                        self.users[node].append(v)

    def colours(self, pair_of: Mapping[int, int], radius: int) -> dict[int, int]:
        """Return the colour of each variable after `radius` steps. pair_of: {variable: pair}."""
        table: dict[object, int] = {}
        colours = []
        fixed = []
        for node, own in enumerate(self.own):
            known = tuple(sorted({pair_of[v] for v in self.users.get(node, ()) if v in pair_of}))
            lone = bool(known) and all(
                sum(len(nodes) for _, nodes in self.holders[v]) == 1
                for v in self.users[node]
                if v in pair_of
            )
            fixed.append(lone)
            key: object = ("pair", known) if lone else (own, known)
            colours.append(table.setdefault(key, len(table)))
        count = len(table)
        moving = [node for node in range(len(colours)) if not fixed[node]]
        before, behind = self.before, self.behind
        for _ in range(radius):
            fresh = list(colours)
            seen = set()
            for node in moving:
                key = (
                    colours[node],
                    tuple(sorted([mark + colours[n] for mark, n in before[node]])),
                    tuple(sorted([mark + colours[n] for mark, n in behind[node]])),
                )
                colour = table.setdefault(key, len(table))
                fresh[node] = colour
                seen.add(colour)
            colours = fresh
            if len(seen) == count:
                break
            count = len(seen)
        return {
            v: table.setdefault(
                (
                    self.labels[v],
                    tuple([(r, tuple(sorted([colours[n] for n in ns]))) for r, ns in rows]),
                ),
                len(table),
            )
            for v, rows in self.holders.items()
            if v not in pair_of
        }


def find_counterparts(
    expected: Forward,
    actual: Forward,
    expected_labels: Mapping[int, Label],
    actual_labels: Mapping[int, Label],
    known: Mapping[int, int],
) -> Counterparts:
    """Pair variables by their places. known: pairs that are certain already, such as pins."""
    offset = max(expected_labels, default=-1) + 1
    labels = {**expected_labels, **{v + offset: label for v, label in actual_labels.items()}}
    views = [
        _Joint(
            make_view(expected, expected_labels, d),
            make_view(actual, actual_labels, d),
            labels,
            offset,
        )
        for d in range(len(VIEWS))
    ]
    pair_of: dict[int, int] = {}
    for number, (e, a) in enumerate(sorted(known.items())):
        pair_of[e] = pair_of[a + offset] = number
    pairs: dict[int, int] = {}
    found: dict[int, Found] = {}
    at = 0
    while at < len(RADII):
        fresh = 0
        for name, view in zip(VIEWS, views, strict=True):
            for mine, theirs in _classes(view, pair_of, RADII[at], offset):
                if len(mine) == len(theirs) == 1:
                    fresh += 1
                    pairs[mine[0]] = theirs[0]
                    found[mine[0]] = Found(name, RADII[at])
                    pair_of[mine[0]] = pair_of[theirs[0] + offset] = len(known) + len(pairs)
        at = 0 if fresh and at else at + (not fresh)
    classes: dict[int, Class] = {}
    for radius in RADII:
        for name, view in zip(VIEWS, views, strict=True):
            for mine, theirs in _classes(view, pair_of, radius, offset):
                if mine and theirs:
                    for v in mine:
                        classes.setdefault(v, Class(tuple(mine), tuple(theirs), name, radius))
    return Counterparts(pairs, found, classes)


def _classes(
    view: _Joint, pair_of: Mapping[int, int], radius: int, offset: int
) -> list[tuple[list[int], list[int]]]:
    """Return the variables without a pair, by colour: those of each side."""
    rows: dict[int, tuple[list[int], list[int]]] = {}
    for v, colour in view.colours(pair_of, radius).items():
        row = rows.setdefault(colour, ([], []))
        if v < offset:
            row[0].append(v)
        else:
            row[1].append(v - offset)
    return list(rows.values())

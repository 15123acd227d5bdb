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

from graphmap.matching.distinctions import Ways, in_order, tell_apart
from graphmap.matching.forward import Forward
from graphmap.matching.layout import Label
from graphmap.matching.views import VIEWS, Edge, View, make_view

__all__ = ["Counterparts", "find_counterparts"]

SHIFT = 40  # bits of a colour; above them the mark of an edge

Pair = tuple[int, int]


class Stage(NamedTuple):
    """How far one looks, and which way.

    sparing: only pairs of sizes that equally many variables of both sides have, and that see
    something settled already: a small neighbourhood tells less.
    """

    radius: int
    up: bool = True
    down: bool = True
    sparing: bool = False


STAGES = (
    Stage(12),
    Stage(6),
    Stage(12, down=False, sparing=True),
    Stage(12, up=False, sparing=True),
    Stage(3, sparing=True),
    Stage(2, sparing=True),
    Stage(1, sparing=True),
)


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

    def parts(self, other: Class) -> bool:
        """Whether this is a part of the other class, on both sides."""
        return set(self.expected) < set(other.expected) and set(self.actual) < set(other.actual)


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

    def colours(self, pair_of: Mapping[int, int], stage: Stage) -> tuple[dict[int, int], set[int]]:
        """Return the colour of each variable, and those that see a pair.

        pair_of: {variable: pair}.
        """
        table: dict[object, int] = {}
        colours = []
        fixed = []
        sees = []
        for node, own in enumerate(self.own):
            known = tuple(sorted({pair_of[v] for v in self.users.get(node, ()) if v in pair_of}))
            lone = bool(known) and all(
                sum(len(nodes) for _, nodes in self.holders[v]) == 1
                for v in self.users[node]
                if v in pair_of
            )
            fixed.append(lone)
            sees.append(bool(known))
            key: object = ("pair", known) if lone else (own, known)
            colours.append(table.setdefault(key, len(table)))
        count = len(table)
        moving = [node for node in range(len(colours)) if not fixed[node]]
        nothing: list[list[Edge]] = [[]] * len(colours)
        before = self.before if stage.up else nothing
        behind = self.behind if stage.down else nothing
        for _ in range(stage.radius):
            if stage.sparing:
                sees = [
                    seen
                    or any(sees[n] for _, n in before[at])
                    or any(sees[n] for _, n in behind[at])
                    for at, seen in enumerate(sees)
                ]
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
        open_ones = {v: rows for v, rows in self.holders.items() if v not in pair_of}
        found = {
            v: table.setdefault(
                (
                    self.labels[v],
                    tuple([(r, tuple(sorted([colours[n] for n in ns]))) for r, ns in rows]),
                ),
                len(table),
            )
            for v, rows in open_ones.items()
        }
        seeing = {v for v, rows in open_ones.items() if any(sees[n] for _, ns in rows for n in ns)}
        return found, seeing


def find_counterparts(
    expected: Forward,
    actual: Forward,
    expected_labels: Mapping[int, Label],
    actual_labels: Mapping[int, Label],
    known: Mapping[int, int],
    trained: frozenset[int] = frozenset(),
) -> Counterparts:
    """Pair variables by their places.

    known: pairs that are certain already, such as pins. trained: actual variables that an
    optimizer updates; of copies that stand alike, these are the ones that are meant.
    """
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
    plan = _Plan(views, offset, known, trained)
    plan.run(expected, actual)
    return Counterparts(plan.pairs, plan.found, plan.classes())


class _Plan:
    """Stages from the widest look to the nearest; each pair found starts them anew."""

    def __init__(
        self,
        views: list[_Joint],
        offset: int,
        known: Mapping[int, int],
        trained: frozenset[int],
    ) -> None:
        self.views = views
        self.trained = trained
        self.offset = offset
        self.pair_of: dict[int, int] = {}
        self.pairs: dict[int, int] = {}
        self.found: dict[int, Found] = {}
        for e, a in sorted(known.items()):
            self._fix(e, a)
        counts: dict[Label, list[int]] = defaultdict(lambda: [0, 0])
        for v in {v for view in views for v in view.holders}:
            counts[views[0].labels[v]][v >= offset] += 1
        self.balanced = {label for label, (mine, theirs) in counts.items() if mine == theirs}

    def _fix(self, expected: int, actual: int) -> None:
        number = len(self.pair_of) // 2
        self.pair_of[expected] = self.pair_of[actual + self.offset] = number

    def run(self, expected: Forward, actual: Forward) -> None:
        at = 0
        while at < len(STAGES):
            fresh = 0
            for name, view in zip(VIEWS, self.views, strict=True):
                for mine, theirs, seeing in self._rows(view, STAGES[at]):
                    if len(mine) != 1 or len(theirs) != 1:
                        continue
                    if STAGES[at].sparing and not (
                        seeing and view.labels[mine[0]] in self.balanced
                    ):
                        continue
                    fresh += self._pair(mine[0], theirs[0], Found(name, STAGES[at].radius))
            at = 0 if fresh and at else at + (not fresh)
            if at == len(STAGES) and (self._tell(expected, actual) or self._prefer_trained()):
                at = 0

    def _tell(self, expected: Forward, actual: Forward) -> bool:
        """Pair members of a class that what lies near them, or their order, tells apart."""
        classes = {(c.expected, c.actual): c for c in self.classes().values()}
        rows = []
        for (mine, theirs), c in sorted(classes.items()):
            if len(mine) == len(theirs) > 1 and self._label(c) in self.balanced:
                rows.append((mine, theirs))
            elif len(mine) < len(theirs):  # copies that follow the trained ones
                updated = tuple([a for a in theirs if a in self.trained])
                if len(updated) == len(mine) > 1:
                    rows.append((mine, updated))
        if not rows:
            return False
        settled: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for v, number in self.pair_of.items():
            settled[v >= self.offset][v - self.offset if v >= self.offset else v] = number
        table: dict[object, int] = {}
        ways = Ways(expected, settled[0], table), Ways(actual, settled[1], table)
        fresh = False
        for mine, theirs in rows:
            for e, a, length in tell_apart(mine, theirs, ways):
                if e not in self.pairs and a + self.offset not in self.pair_of:
                    fresh = self._pair(e, a, Found("ways", length))
        if fresh:
            return True
        for e, a in in_order(rows, (expected, actual)):
            if e not in self.pairs and a + self.offset not in self.pair_of:
                fresh = self._pair(e, a, Found("order", 0))
        return fresh

    def _label(self, places: Class) -> Label:
        return self.views[0].labels[places.expected[0]]

    def _prefer_trained(self) -> bool:
        """Of copies that stand alike take the trained ones, where these are as many as asked for.

        A target network or a teacher is a copy that follows the trained one.
        """
        fresh = False
        for e, places in sorted(self.classes().items()):
            theirs = [a for a in places.actual if a in self.trained]
            lone = len(places.expected) == len(theirs) == 1 < len(places.actual)
            if lone and theirs[0] + self.offset not in self.pair_of:
                fresh = self._pair(e, theirs[0], Found("trained", places.radius))
        return fresh

    def _pair(self, expected: int, actual: int, how: Found) -> bool:
        self.pairs[expected] = actual
        self.found[expected] = how
        self._fix(expected, actual)
        return True

    def classes(self) -> dict[int, Class]:
        """Return {expected variable without a pair: those of both sides that stand as it does}.

        The widest look that knows a place, unless a nearer one tells more members apart.
        """
        classes: dict[int, Class] = {}
        for stage in STAGES[:2]:
            for name, view in zip(VIEWS, self.views, strict=True):
                for mine, theirs, _ in self._rows(view, stage):
                    if mine and theirs:
                        found = Class(tuple(mine), tuple(theirs), name, stage.radius)
                        for v in mine:
                            if v not in classes or found.parts(classes[v]):
                                classes[v] = found
        return classes

    def _rows(self, view: _Joint, stage: Stage) -> list[tuple[list[int], list[int], bool]]:
        """Return the variables without a pair, by colour: those of each side, what they see."""
        rows: dict[int, tuple[list[int], list[int]]] = {}
        colours, seeing = view.colours(self.pair_of, stage)
        for v, colour in colours.items():
            row = rows.setdefault(colour, ([], []))
            if v < self.offset:
                row[0].append(v)
            else:
                row[1].append(v - self.offset)
        return [(mine, theirs, bool(mine) and mine[0] in seeing) for mine, theirs in rows.values()]

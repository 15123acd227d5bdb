"""Members of one class of places: what lies near them, or in which order they come, tells more.

Colours say whether all around two places is equal; a loss, a summary or a dropout on one side hides
what else is. So ask less: does a way (ops, ports, to a settled variable) lead from as many members
of the class on either side, and not from all of them? Then those with it belong together. Every
such way must agree, else nothing is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from graphmap.matching.forward import Forward

__all__ = ["Ways", "in_order", "tell_apart"]

LONGEST = 10  # steps of a way
MOST_WAYS = 400  # ways of one length from one op; beyond, none of this length is looked at
MOST_MEMBERS = 64

Way = int  # interned


class Ways:
    """The ways that lead from the ops of one side; `table` is shared by both sides."""

    def __init__(
        self, forward: Forward, settled: Mapping[int, int], table: dict[object, Way]
    ) -> None:
        """settled: {variable: number of its pair}, the same number on both sides."""
        self.forward = forward
        self.table = table
        self.pairs: dict[int, set[int]] = defaultdict(set)
        for v, number in settled.items():
            for place in forward.places.get(v, ()):
                self.pairs[place.op].add(number)
        self.consumers: list[list[tuple[int, int, int]]] = [[] for _ in forward.classes]
        for at, row in enumerate(forward.inputs):
            for port, slot, source in row:
                self.consumers[source].append((port, slot, at))
        self.known: dict[tuple[int, int, bool], frozenset[Way] | None] = {}

    def of(self, variable: int, length: int, up: bool) -> frozenset[Way] | None:
        """Return the ways of exactly this length; None where there are too many."""
        found: set[Way] = set()
        for place in self.forward.places.get(variable, ()):
            ways = self._from(place.op, length, up)
            if ways is None:
                return None
            found |= ways
            if length == 1:
                found |= self._named(place.op, "here")
        return frozenset(found)

    def _named(self, op: int, where: object) -> set[Way]:
        name = self.forward.names.get(op)
        key = (where, name)
        return set() if name is None else {self.table.setdefault(key, len(self.table))}

    def _from(self, op: int, length: int, up: bool) -> frozenset[Way] | None:
        key = (op, length, up)
        if key not in self.known:
            self.known[key] = self._find(op, length, up)
        return self.known[key]

    def _find(self, op: int, length: int, up: bool) -> frozenset[Way] | None:
        table = self.table
        found: set[Way] = set()
        for port, slot, other in (self.forward.inputs if up else self.consumers)[op]:
            step = (up, self.forward.classes[other], port, slot)
            if length == 1:
                pairs = tuple(sorted(self.pairs.get(other, ())))
                found.add(table.setdefault((step, pairs), len(table)))
                found |= self._named(other, step)
                continue
            rest = self._from(other, length - 1, up)
            if rest is None:
                return None
            found.update([table.setdefault((step, way), len(table)) for way in rest])
        return frozenset(found) if len(found) <= MOST_WAYS else None


def tell_apart(
    expected: Sequence[int], actual: Sequence[int], ways: tuple[Ways, Ways]
) -> list[tuple[int, int, int]]:
    """Return (expected, actual, length of the way that told) for members that are told apart."""
    if not 1 < len(expected) == len(actual) <= MOST_MEMBERS:
        return []
    parts = [(list(expected), list(actual))]
    found: list[tuple[int, int, int]] = []
    for length in range(1, LONGEST + 1):
        finer: list[tuple[list[int], list[int]]] = []
        for part in parts:
            split = _split(part, length, ways)
            if split is None:
                return found
            for mine, theirs in split:
                if len(mine) == 1:
                    found.append((mine[0], theirs[0], length))
                else:
                    finer.append((mine, theirs))
        parts = finer
        if not parts:
            break
    return found


def _split(
    part: tuple[list[int], list[int]], length: int, ways: tuple[Ways, Ways]
) -> list[tuple[list[int], list[int]]] | None:
    """Split both sides by the ways that as many of each have; None where these disagree."""
    has: list[dict[int, frozenset[Way]]] = [{}, {}]
    for side, members in enumerate(part):
        for v in members:
            rows = [ways[side].of(v, length, up) for up in (False, True)]
            if rows[0] is None or rows[1] is None:
                return [part]
            has[side][v] = rows[0] | rows[1]
    counts = [Counter(way for row in side.values() for way in row) for side in has]
    size = len(part[0])
    telling = sorted(
        way for way, count in counts[0].items() if count < size and counts[1][way] == count
    )
    if not telling:
        return [part]
    marks: list[dict[tuple[bool, ...], list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, members in enumerate(part):
        for v in members:
            marks[side][tuple([way in has[side][v] for way in telling])].append(v)
    if marks[0].keys() != marks[1].keys():
        return None
    if any(len(marks[0][mark]) != len(marks[1][mark]) for mark in marks[0]):
        return None
    return [(marks[0][mark], marks[1][mark]) for mark in sorted(marks[0])]


def in_order(
    classes: Sequence[tuple[Sequence[int], Sequence[int]]], sides: tuple[Forward, Forward]
) -> list[tuple[int, int]]:
    """Pair the members of classes that lie behind one another on both sides: equal layers."""
    orders = [_order([c[side] for c in classes], forward) for side, forward in enumerate(sides)]
    found: list[tuple[int, int]] = []
    for mine, theirs in zip(*orders, strict=True):
        if mine and theirs:
            found.extend(zip(mine, theirs, strict=True))
    return found


def _order(classes: Sequence[Sequence[int]], forward: Forward) -> list[list[int]]:
    """Return each class in the order of its members along the data; [] where they have none."""
    members = [v for many in classes for v in many]
    bit = {v: 1 << at for at, v in enumerate(members)}
    held: dict[int, int] = defaultdict(int)
    for v in members:
        for place in forward.places[v]:
            held[place.op] |= bit[v]
    behind = dict.fromkeys(members, 0)
    masks = [0] * len(forward.classes)
    for at, row in enumerate(forward.inputs):
        mask = 0
        for _, _, source in row:
            mask |= masks[source]
        own = held.get(at, 0)
        if own:
            for v in _members(own, members):
                behind[v] |= mask
        masks[at] = mask | own
    orders = []
    for many in classes:
        mine = sum(bit[v] for v in many)
        ranks = {v: (behind[v] & mine & ~bit[v]).bit_count() for v in many}
        chain = sorted(many, key=ranks.__getitem__)
        orders.append(chain if sorted(ranks.values()) == list(range(len(many))) else [])
    return orders


def _members(mask: int, members: Sequence[int]) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(members[low.bit_length() - 1])
        mask ^= low
    return found

"""Indices that mean different things on the two sides, seen from the shapes below them.

`net_0` may be called `net_1` on the other side, a decoder may count from its other end. Where each
value of an index holds shapes of its own, these tell which value is which.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from graphmap.matching.groups import Group
from graphmap.matching.tokens import MARK

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["Renumbering", "counts_down", "find_renumbering"]

MOST_VALUES = 64  # of an index that is looked at; longer ones count
FEWEST_DOWN = 3  # values that show that an index counts down

Renumbering = dict[str, dict[int, int]]  # {prefix of the actual side: {its value: expected value}}
Contents = dict[str, dict[int, Counter[tuple[str, ...]]]]


def find_renumbering(expected: Sequence[Group], actual: Sequence[Group]) -> Renumbering:
    """Return the indices of the actual side that shapes contradict and only one new order fits.

    An index that fits one of the other side as it is has its counterpart there.
    """
    here, there = _contents(expected), _contents(actual)
    sequences = [{p: _sequence(rows) for p, rows in side.items()} for side in (here, there)]
    common = set(sequences[0].values()) & set(sequences[1].values())
    unlike = [p for p, sequence in sequences[1].items() if sequence not in common]
    found: Renumbering = {}
    for prefix, mine in here.items():
        if sequences[0][prefix] in common:
            continue
        others = [prefix] if prefix in there else unlike
        fits = {p: new for p in others if (new := _order(mine, there[p])) is not None}
        if len(fits) == 1:
            found.update(fits)
    return found


def _sequence(rows: Mapping[int, Counter[tuple[str, ...]]]) -> tuple[object, ...]:
    """Return what an index holds at each value, in their order."""
    return tuple(frozenset(rows[value].items()) for value in sorted(rows))


def _order(
    mine: Mapping[int, Counter[tuple[str, ...]]], theirs: Mapping[int, Counter[tuple[str, ...]]]
) -> dict[int, int] | None:
    """Return {actual value: expected value}; None where order fits or shapes don't tell."""
    if len(mine) != len(theirs) or len(mine) < 2:
        return None
    if _sequence(mine) == _sequence(theirs):
        return None
    by_content = {frozenset(row.items()): value for value, row in mine.items()}
    if len(by_content) < len(mine):
        return None
    found = {a: by_content.get(frozenset(row.items())) for a, row in theirs.items()}
    values = [value for value in found.values() if value is not None]
    if len(set(values)) < len(theirs):
        return None
    return {a: e for a, e in found.items() if e is not None}


def counts_down(groups: Sequence[Group]) -> frozenset[str]:
    """Return the prefixes whose index falls as variables are made, with equal shapes throughout.

    Such an index is a level, and levels may be counted from either end. groups: of the expected
    side, whose positions are the order in which the code makes its variables.
    """
    first: dict[str, dict[int, int]] = defaultdict(dict)
    for prefix, value, position, _ in _rows(groups):
        firsts = first[prefix]
        firsts[value] = min(position, firsts.get(value, position))
    contents = _contents(groups)
    found = set()
    for prefix, firsts in first.items():
        order = sorted(firsts, key=firsts.__getitem__)
        if len(order) < FEWEST_DOWN or order != sorted(order, reverse=True):
            continue
        rows = list(contents.get(prefix, {}).values())
        if rows and all(row == rows[0] for row in rows):
            found.add(prefix)
    return frozenset(found)


def _contents(groups: Sequence[Group]) -> Contents:
    found: Contents = defaultdict(lambda: defaultdict(Counter))
    for prefix, value, _, shape in _rows(groups):
        if shape is None or None in shape:
            return {}
        found[prefix][value][tuple(sorted(str(size) for size in shape if size != 1))] += 1
    return {prefix: dict(rows) for prefix, rows in found.items()}


def _rows(groups: Iterable[Group]) -> Iterable[tuple[str, int, int, Dims]]:
    """Yield (prefix that ends in an index, its value, position, shape) of every member."""
    for group in groups:
        cuts = [found.end() for found in re.finditer(MARK, group.template)]
        for at, block in zip(group.free, group.blocks, strict=True):
            if len(block) > MOST_VALUES:
                continue
            column = group.free.index(at)
            prefix = group.template[: cuts[at]]
            for (numbers, position), shape in zip(group.members, group.shapes, strict=True):
                yield prefix, numbers[column], position, shape
        for at, value in group.fixed:
            prefix = group.template[: cuts[at]]
            for (_, position), shape in zip(group.members, group.shapes, strict=True):
                yield prefix, value, position, shape

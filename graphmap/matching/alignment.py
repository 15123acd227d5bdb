"""Which member of an expected group is which member of an actual one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from graphmap.matching.groups import Group, Places
from graphmap.matching.layout import shapes_fit

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["Links", "align", "could_fit", "only_embedding"]

Links = tuple[tuple[int, int], ...]  # (index into expected members, index into actual members)
MOST_LONGER = 2  # times as many members as the shorter group; in more, any few sizes are found
WIDEST = 4  # index positions whose order is permuted


def align(expected: Group, actual: Group, loose: bool) -> Links | None:
    """Return who is who, by indices where these tell.

    loose: else by the only way the shapes allow. None: the shapes do not fit, or in several ways.
    """
    if expected.unclear or actual.unclear:
        return None
    uniform = expected.uniform and actual.uniform
    if uniform and not shapes_fit(expected.shapes[0], actual.shapes[0]):
        return None
    if len(expected) == len(actual):
        return _equal_counts(expected, actual)
    if not (expected.counter or actual.counter):
        shared = _shared_indices(expected, actual)
        if shared is not None:
            return shared
    few, many = sorted((len(expected), len(actual)))
    if uniform or not loose or few * MOST_LONGER < many:
        return None
    return only_embedding(expected.shapes, actual.shapes)


def could_fit(expected: Group, actual: Group) -> bool:
    """Whether two groups that do not align may be the same: one shape each, and it fits."""
    if not (expected.uniform and actual.uniform):
        return False
    return shapes_fit(expected.shapes[0], actual.shapes[0])


def _equal_counts(expected: Group, actual: Group) -> Links | None:
    size = len(expected)
    if _parted(expected, actual):
        return None
    straight = _straight(size)
    if size == 1:
        return straight if _fits(expected, actual, straight) else None
    for order in _rank_orders(expected, actual):
        if _fits(expected, actual, order):
            return order
    if None in (expected.shapes[0], actual.shapes[0]) and _nest_otherwise(expected, actual):
        return None  # as many by chance: stages of 2, 3, 2 blocks beside some of 3, 2, 2
    return straight if _fits(expected, actual, straight) else None


def _nest_otherwise(expected: Group, actual: Group) -> bool:
    """Whether both count within counts, but stages of one hold other numbers of blocks."""
    widths = [len(group.members[0][0]) for group in (expected, actual)]
    return min(widths) > 1 and widths[0] == widths[1] <= WIDEST


@lru_cache(maxsize=16)
def _straight(size: int) -> Links:
    """Return everyone with the one of its place: one tuple for all pairs of this size."""
    return tuple([(at, at) for at in range(size)])


def _parted(expected: Group, actual: Group) -> bool:
    """Whether blocks of equal size lack different members, so that counting would be wrong."""
    if len(expected.blocks) != 1 or len(actual.blocks) != 1:
        return False
    if len(expected.blocks[0]) != len(actual.blocks[0]) or expected.counter or actual.counter:
        return False
    return _places(expected, actual) != _places(actual, expected)


def _rank_orders(expected: Group, actual: Group) -> list[Links]:
    """Pairs of equal ranks, under each order of the actual side's index positions."""
    width = len(expected.members[0][0])
    if width != len(actual.members[0][0]) or not 2 <= width <= WIDEST:
        return []
    wanted = {ranks: at for at, ranks in enumerate(_ranks(expected, range(width)))}
    found = []
    for order in permutations(range(width)):
        ranks = _ranks(actual, order)
        if set(ranks) == set(wanted):
            found.append(tuple(sorted((wanted[r], at) for at, r in enumerate(ranks))))
    return found


def _ranks(group: Group, order: Sequence[int]) -> list[tuple[int, ...]]:
    columns = []
    for at in order:
        column = [numbers[at] for numbers, _ in group.members]
        rank = {value: place for place, value in enumerate(sorted(set(column)))}
        columns.append([rank[value] for value in column])
    return list(zip(*columns, strict=True))


def _fits(expected: Group, actual: Group, links: Links) -> bool:
    if expected.uniform and actual.uniform:
        return True
    return all(shapes_fit(expected.shapes[e], actual.shapes[a]) for e, a in links)


def _shared_indices(expected: Group, actual: Group) -> Links | None:
    """Equal indices, where one side has all indices of the other and all shapes fit."""
    here, back = _places(expected, actual), _places(actual, expected)
    if here is None or back is None:
        return None
    links = _meeting(here, back)
    if len(links) < min(len(expected), len(actual)) or not _fits(expected, actual, links):
        return None
    return links


@lru_cache(maxsize=16)
def _meeting(here: Places, back: Places) -> Links:
    """Pair equal places: once for all groups of a stack."""
    there = {place: at for at, place in enumerate(back)}
    return tuple([(at, there[place]) for at, place in enumerate(here) if place in there])


def _places(group: Group, other: Group) -> Places | None:
    """Where each member stands in its blocks, in numbers that mean the same on both sides.

    Blocks of equal size are counted through, so that Encoder-1 is layer_0; of unequal ones the
    indices must begin equal.
    """
    width = len(group.blocks)
    if not width or width != len(other.blocks):
        return None
    ranked = []
    for mine, theirs in zip(group.blocks, other.blocks, strict=True):
        if len(mine) != len(theirs) and min(mine) != min(theirs):
            return None
        ranked.append(len(mine) == len(theirs))
    return group.placed(tuple(ranked))


@lru_cache(maxsize=16)
def only_embedding(expected: tuple[Dims, ...], actual: tuple[Dims, ...]) -> Links | None:
    """Return the way in which the shorter sequence lies in the longer one, if there is one only.

    Kept, as the groups of a stack have the same shapes.

    The leftmost and the rightmost embedding agree exactly where nothing is left to choose.
    """
    swapped = len(expected) > len(actual)
    short, long = (actual, expected) if swapped else (expected, actual)
    if None in short or None in long:
        return None
    left = _leftmost(short, long)
    right = _leftmost(short[::-1], long[::-1])
    if left is None or right is None:
        return None
    turned = [len(long) - 1 - at for at in reversed(right)]
    agreed = tuple(
        (s, at) for s, (at, other) in enumerate(zip(left, turned, strict=True)) if at == other
    )
    if not agreed or len(agreed) < len(short):
        return None
    return tuple((at, s) for s, at in agreed) if swapped else agreed


def _leftmost(short: Sequence[Dims], long: Sequence[Dims]) -> list[int] | None:
    places: list[int] = []
    at = 0
    for shape in short:
        while at < len(long) and not shapes_fit(shape, long[at]):
            at += 1
        if at == len(long):
            return None
        places.append(at)
        at += 1
    return places

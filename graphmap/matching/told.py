"""Which layer of a stack is which, as pins tell it for everything that stands in the layers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from graphmap.matching.renumber import Renumbering
from graphmap.matching.tokens import Template, prefixes

__all__ = ["Heads", "told_stacks"]

BEYOND = 10**9  # number of a layer that no expected one answers to; indices have nine digits

# {(beginning of an expected template that ends in an index, the same of an actual one)}
Heads = frozenset[tuple[str, str]]


def told_stacks(
    pins: Iterable[tuple[Template, Template]],
    expected: Iterable[Template],
    actual: Iterable[Template],
) -> tuple[Renumbering, Heads]:
    """Return how pins number the layers of unequal stacks, and the stacks they speak of.

    Layers keep their order, so a pin also tells about the layers before and behind it where as
    many are left on both sides.
    """
    sizes = _layers(expected), _layers(actual)
    said: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for mine, other in pins:
        if len(mine.numbers) == len(other.numbers):
            for (head, value), (there, new) in zip(_heads(mine), _heads(other), strict=True):
                if len(sizes[0][head]) != len(sizes[1][there]):
                    said[head, there].add((value, new))
    uses = Counter(there for _, there in said)
    renumbered: Renumbering = {}
    heads = set()
    for (head, there), rows in said.items():
        told = _in_order(sorted(rows), sorted(sizes[0][head]), sorted(sizes[1][there]))
        if uses[there] == 1 and told:
            renumbered[there] = {new: told.get(new, BEYOND + new) for new in sizes[1][there]}
            heads.add((head, there))
    return renumbered, frozenset(heads)


def _in_order(
    rows: Sequence[tuple[int, int]], mine: Sequence[int], theirs: Sequence[int]
) -> dict[int, int]:
    """Return {actual layer: expected layer} of the pinned ones and of what these leave no choice.

    Empty where the pins do not keep the order.
    """
    ends = [(-1, -1), *rows, (BEYOND, BEYOND)]
    told = {new: value for value, new in rows}
    for (low, bottom), (high, top) in pairwise(ends):
        if low >= high or bottom >= top:
            return {}
        here = [value for value in mine if low < value < high]
        there = [value for value in theirs if bottom < value < top]
        if len(here) == len(there):
            told.update(zip(there, here, strict=True))
    return told


def _layers(names: Iterable[Template]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for name in names:
        for head, value in _heads(name):
            found[head].add(value)
    return found


def _heads(name: Template) -> Iterator[tuple[str, int]]:
    """Yield each index of a name with all that stands before it."""
    yield from zip(prefixes(name.text), name.numbers, strict=True)

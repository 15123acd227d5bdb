"""Branches that may be walked in any order, told apart by what both sides call them.

`b1a` is `Branch_1/Conv_0a` by its numbers, `norm.scale` is `norm/gamma` by a word. Of modules that
could change places in all walks, one way of pairing them must be the only one in which each has
numbers or words of its counterpart. The same holds of those that a walk seems to order, but by
numbers that need not be the order of the code: of branches that run beside each other, and of
levels, which may be counted from either end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from graphmap.matching.tokens import words_of
from graphmap.matching.vocabulary import KIND_WORDS, PARALLEL, TURNED
from graphmap.matching.walking import NUMBERS, Path

__all__ = ["UNORDERED", "open_branches", "tell_branches"]

UNORDERED = PARALLEL | TURNED  # words whose number is no place in the order of the code

Choices = Mapping[int, set[int]]  # of each leaf, its places
Fits = Callable[[int, int], bool]  # whether a place and a leaf seem to be the same


def tell_branches(
    places: Choices, expected: Sequence[Path], actual: Sequence[Path]
) -> dict[int, set[int]]:
    """Return the places of leaves, narrowed to one where names tell.

    expected: paths by place. actual: paths by leaf.
    """
    found = dict(places)
    for rivals in _rivals(places):
        wanted = set().union(*(places[leaf] for leaf in rivals))
        count, call = _by_numbers(expected, actual), _by_words(expected, actual, wanted, rivals)
        for fits in (count, call, _both(count, call)):
            told = _only_pairing(
                {leaf: {p for p in places[leaf] if fits(p, leaf)} for leaf in rivals}
            )
            if len(told) == len(wanted):
                found |= {leaf: {place} for leaf, place in told.items()}
                break
    return found


def open_branches(
    places: Choices, expected: Sequence[Path], forms: Sequence[int]
) -> dict[int, set[int]]:
    """Return the places of leaves, widened to those of branches that have no order.

    expected: paths by place, in the order of the code. forms: by place.
    """
    alike: dict[object, list[int]] = defaultdict(list)
    counted: dict[object, list[int]] = defaultdict(list)
    for place, path in enumerate(expected):
        words = words_of(" ".join(path))
        if any(word in UNORDERED for word in words):
            others = tuple(word for word in words if word not in UNORDERED)
            alike[others, forms[place]].append(place)
        counted[NUMBERS.sub("#", " ".join(path)), forms[place]].append(place)
    rows = [row for row in alike.values() if len(row) > 1]
    rows += [row for row in counted.values() if _falls([_numbers_of(expected[p]) for p in row])]
    found = dict(places)
    for row in rows:
        leaves = [leaf for leaf, one in found.items() if not one.isdisjoint(row)]
        wide = set().union(*(found[leaf] for leaf in leaves))
        found |= dict.fromkeys(leaves, wide)
    return found


def _falls(rows: Sequence[list[str]]) -> bool:
    """Whether numbers fall from one to the next."""
    counts = [[int(part) for part in row if part.isdigit()] for row in rows]
    return len(rows) > 1 and all(one > other for one, other in pairwise(counts))


def _rivals(places: Choices) -> list[set[int]]:
    """Return the sets of leaves that could change places with each other."""
    takers: dict[int, set[int]] = defaultdict(set)
    for leaf, row in places.items():
        for place in row:
            takers[place].add(leaf)
    seen: set[int] = set()
    found = []
    for first in sorted(leaf for leaf, row in places.items() if len(row) > 1):
        if first in seen:
            continue
        rivals: set[int] = set()
        queue = [first]
        while queue:
            leaf = queue.pop()
            if leaf not in rivals:
                rivals.add(leaf)
                queue += [other for place in places[leaf] for other in takers[place]]
        seen |= rivals
        found.append(rivals)
    return found


def _by_numbers(expected: Sequence[Path], actual: Sequence[Path]) -> Fits:
    """Fitting: the numbers of one path are all in the other, in their order."""

    def fits(place: int, leaf: int) -> bool:
        mine, theirs = _numbers_of(expected[place]), _numbers_of(actual[leaf])
        short, long = sorted((mine, theirs), key=len)
        rest = iter(long)
        return bool(short) and all(part in rest for part in short)

    return fits


def _numbers_of(path: Path) -> list[str]:
    told = [part for part in path if TURNED.isdisjoint(words_of(NUMBERS.sub(" ", part)))]
    return [part for found in NUMBERS.findall(" ".join(told)) for part in found if part]


def _by_words(
    expected: Sequence[Path], actual: Sequence[Path], wanted: set[int], rivals: set[int]
) -> Fits:
    """Fitting: the two have a word in common that not all of their rivals have."""
    mine = {place: _words_of(expected[place]) for place in wanted}
    theirs = {leaf: _words_of(actual[leaf]) for leaf in rivals}
    common = set.intersection(*mine.values()), set.intersection(*theirs.values())

    def fits(place: int, leaf: int) -> bool:
        return bool((mine[place] - common[0]) & (theirs[leaf] - common[1]))

    return fits


def _words_of(path: Path) -> set[str]:
    words = [word for part in path for word in words_of(NUMBERS.sub(" ", part))]
    return {KIND_WORDS[word][1] if word in KIND_WORDS else word for word in words}


def _both(one: Fits, other: Fits) -> Fits:
    return lambda place, leaf: one(place, leaf) and other(place, leaf)


def _only_pairing(choices: Choices) -> dict[int, int]:
    """Return {key: its choice} where there is one way to give all keys choices of their own.

    Then some key has a single choice, also once that is taken away (Kotzig, 1959).
    """
    left = {key: set(row) for key, row in choices.items()}
    found: dict[int, int] = {}
    while left:
        key = min(left, key=lambda key: (len(left[key]), key))
        if len(left[key]) != 1:
            return {}
        (found[key],) = left.pop(key)
        for row in left.values():
            row.discard(found[key])
    return found

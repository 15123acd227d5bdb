"""A tree of scopes laid along the order of code: which way of setting its branches out fits?

EXPECTED lists its modules in the order in which the code makes them. The names of the other side
tell no order, but a tree: what stands in one scope was made in a row, and of siblings that one word
numbers the lower came first. So the sequence of forms (kinds and sizes of a module's tensors) must
be a walk through that tree, and siblings may be walked in any order that fits. A module that has
the same place in all such walks is settled (walking.py). Scopes are sets of consecutive elements as
in PQ-trees (Booth and Lueker, Testing for the consecutive ones property, 1976).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from graphmap.matching.branches import UNORDERED, open_branches, tell_branches
from graphmap.matching.forms import Form, Signature, common_signatures
from graphmap.matching.shortcuts import moved_shortcuts
from graphmap.matching.tokens import words_of
from graphmap.matching.walking import (
    NUMBERS,
    Path,
    TooManyError,
    Walk,
    order_of,
    pieces_of,
    word_of,
)

__all__ = ["Arranged", "arrange"]

TOLD = 60.0  # bits that the sequence of forms must tell
TOLD_WHOLE = 20.0  # the same where the two sides hold the same forms, and nothing else
DOUBTED = 0.1  # share of what is known that a walk may show to be wrong
TOLD_MUCH = 300.0  # bits from which it may be twice as much
COVERED = 0.8  # share of the modules of either side that have a form of which both have as many
MOST_STATES = 200_000  # of all scopes; beyond, nothing is told
DEEPEST = 64  # scopes within scopes
WINDOW = re.compile(r"_?[0-9]+[xX][0-9]+")

Leaf = tuple[Path, int]  # a module of the actual side: its scopes, and its form as a number


class Arranged(NamedTuple):
    """pairs: (expected form, actual one) of one place only. places: {actual form: expected ones}.

    What `places` does not name has no place that could be told. What is known to stand elsewhere
    than in its places is doubtful either way.
    """

    pairs: list[tuple[int, int]]
    places: dict[int, set[int]]


def arrange(
    expected: Sequence[Form],
    actual: Sequence[Form],
    settled: Mapping[int, int],
    counterparts: bool = False,
) -> Arranged:
    """Return the places that forms have in all walks, by their indices.

    expected: in the order of the code. settled: {index: index} of what is known; nothing is told
    where that fits no walk. counterparts: the two are known to be the same, however small; only
    walks in the order of numbers count.
    """
    signatures = common_signatures(expected, actual)
    extra = _extra_scopes((expected, actual), signatures)
    rest = [
        [at for at in range(len(side)) if at not in more]
        for side, more in zip(signatures, extra, strict=True)
    ]
    counts = [Counter(side[at] for at in left) for side, left in zip(signatures, rest, strict=True)]
    both = {s for s, n in counts[0].items() if s and counts[1][s] == n}
    kept = [
        [at for at in left if side[at] in both] for side, left in zip(signatures, rest, strict=True)
    ]
    told = _told([signatures[0][at] for at in kept[0]])
    whole = len(kept[0]) == len(signatures[0]) == len(signatures[1])
    least = 0.0 if counterparts else TOLD_WHOLE if whole else TOLD
    if told < least or len(kept[0]) < COVERED * max(map(len, rest)):
        return Arranged([], {})
    numbers = {s: at for at, s in enumerate(sorted(both))}
    row = [numbers[signatures[0][at]] for at in kept[0]]
    ways = [form.way for form in actual]
    leaves = [(ways[at], numbers[signatures[1][at]]) for at in kept[1]]
    if max(len(path) for path, _ in leaves) > DEEPEST:
        return Arranged([], {})
    back = tuple({at: place for place, at in enumerate(side)} for side in kept)
    fixed = {back[1][a]: back[0][e] for e, a in settled.items() if e in back[0] and a in back[1]}
    paths = [expected[at].way for at in kept[0]]
    found, doubted = _first_walk(
        row, leaves, [actual[at].name for at in kept[1]], fixed, paths, counterparts
    )
    if not found:
        return Arranged([], {})
    sides = [expected[at].path for at in kept[0]], [path for path, _ in leaves]
    found = tell_branches(open_branches(found, sides[0], row), *sides)
    takers = Counter(place for places in found.values() for place in places)
    places = {kept[1][leaf]: {kept[0][p] for p in found[leaf]} for leaf in sorted(found)}
    alone = {kept[0][place] for place, count in takers.items() if count == 1}
    left_out = {ways[at][:n] for at in set(range(len(ways))) - set(kept[1])
                for n in range(len(ways[at]))}  # fmt: skip
    pairs = [
        (e, a)
        for a, row in places.items()
        if len(row) == 1 and ways[a][:-1] not in left_out  # a new head may stand for an old one
        for e in row & alone
        if back[1][a] not in doubted
    ]
    return Arranged(pairs, places)


def _first_walk(
    row: Sequence[int],
    leaves: Sequence[Leaf],
    names: Sequence[str],
    fixed: Mapping[int, int],
    paths: Sequence[Path],
    plain: bool,
) -> tuple[Mapping[int, set[int]], set[int]]:
    """Return the places of leaves in the first way of reading names of which a walk fits.

    As scopes; lists in turn; with every word a scope, where names are flat; at last with the
    shortcuts of the code moved. paths: of the code. names: of the leaves.
    """
    for read in _readings(leaves, names, plain):
        with suppress(TooManyError):
            found, doubted = _walked(row, read, fixed, plain)
            if found:
                return found, doubted
    with suppress(TooManyError):
        if not plain:
            return _with_moved_shortcuts(row, leaves, fixed, paths)
    return {}, set()


def _readings(leaves: Sequence[Leaf], names: Sequence[str], plain: bool) -> Iterator[list[Leaf]]:
    yield list(leaves)
    yield [(_unlisted(path), form) for path, form in leaves]
    if not plain:
        forms = [form for _, form in leaves]
        yield [(pieces_of(n, words=True), f) for n, f in zip(names, forms, strict=True)]


def _unlisted(path: Path) -> Path:
    """Return the path of a module in a list of like modules as that of a numbered one.

    Lists of convolutions and of their norms (`convs.0`, `norms.0`) are made in turn.
    """
    return (*path[:-2], ".".join(path[-2:])) if path[-1].isdigit() else path


def _walked(
    row: Sequence[int], leaves: Sequence[Leaf], fixed: Mapping[int, int], plain: bool
) -> tuple[Mapping[int, set[int]], set[int]]:
    """Return the places of leaves, and which of them are known to stand elsewhere.

    Where no walk has all that is known, a few of it may be wrong. Else numbers may count down, or
    shortcuts be counted first or last; not so in a plain walk.
    """

    def walked(
        known: Mapping[int, int], turning: bool = False, loose: bool = False
    ) -> dict[int, set[int]]:
        return Walk(
            row, leaves, known, chains=_chains, turning=turning, loose=loose, most=MOST_STATES
        ).places()

    found = walked(fixed)
    if found:
        return found, set()
    free = walked({})
    doubted = {leaf for leaf, place in fixed.items() if place not in free.get(leaf, ())}
    doubts = 2 * DOUBTED if _told(row) >= TOLD_MUCH else DOUBTED
    if free and len(doubted) <= doubts * len(fixed):
        sure = {leaf: place for leaf, place in fixed.items() if leaf not in doubted}
        found = walked(sure)
        if found:
            return found, doubted
    if plain:
        return {}, set()
    found = walked(fixed, turning=True)
    if not found:
        # a counter alone does not tell two equal neighbours apart
        twins = {at + k for at, (a, b) in enumerate(pairwise(row)) if a == b for k in (0, 1)}
        found = {
            leaf: places
            for leaf, places in walked(fixed, loose=True).items()
            if twins.isdisjoint(places)
        }
    return found, set()


def _told(row: Sequence[object]) -> float:
    """Return the bits that a sequence of forms tells about its order."""
    return sum(n * math.log2(len(row) / n) for n in Counter(row).values())


def _with_moved_shortcuts(
    row: Sequence[int], leaves: Sequence[Leaf], fixed: Mapping[int, int], paths: Sequence[Path]
) -> tuple[dict[int, set[int]], set[int]]:
    """Return what `_walked` does, once the shortcuts of all blocks are moved.

    Each leaf has its places in all orders that fit.
    """
    found: dict[int, set[int]] = {}
    doubts = set[int]()
    for order in moved_shortcuts(paths):
        back = {place: at for at, place in enumerate(order)}
        known = {leaf: back[place] for leaf, place in fixed.items()}
        places, doubted = _walked([row[place] for place in order], leaves, known, plain=True)
        doubts |= doubted
        for leaf, one in places.items():
            found.setdefault(leaf, set()).update(order[at] for at in one)
    return found, doubts


def _extra_scopes(
    sides: tuple[Sequence[Form], Sequence[Form]], signatures: Sequence[Sequence[Signature]]
) -> tuple[set[int], set[int]]:
    """Return the modules of either side in a scope that holds all that the other side lacks.

    Such as a second head: of a form that both sides have, but not as often, it holds just so many.
    """
    counts = [Counter(side) for side in signatures]
    found: list[set[int]] = []
    for mine, (side, forms) in enumerate(zip(sides, signatures, strict=True)):
        less = counts[1 - mine]
        more = {s: n - less[s] for s, n in counts[mine].items() if n > less[s] > 0}
        inside: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, form in enumerate(side) if more else ():
            for depth in range(1, len(form.path) + 1):
                inside[form.path[:depth]].append(at)
        fitting = {
            tuple(row)
            for row in inside.values()
            if Counter(forms[at] for at in row if less[forms[at]]) == more
        }
        found.append(set(fitting.pop()) if len(fitting) == 1 else set())
    return found[0], found[1]


def _chains(children: Mapping[str, int]) -> Iterator[list[int]]:
    """Yield the children in rows of one word, by their numbers; what has none is the first.

    Branches that stand beside each other and levels have no order, whatever their numbers. The size
    of a window is no part of the word: `Conv_0a_1x7`, `Conv_0b_7x1`.
    """
    rows: dict[str, list[str]] = defaultdict(list)
    for name in children:
        words = words_of(NUMBERS.sub(" ", name))
        beside = bool(words) and words[-1] in UNORDERED
        rows[name if beside or name[:1] == " " else word_of(name)].append(name)
    for word in [word for word in rows if f"{word}_#" in rows]:  # conv, conv_1, conv_2
        rows[f"{word}_#"] += rows.pop(word)
    alike: dict[str, list[list[str]]] = defaultdict(list)  # rows of one word, but for its window
    for word, names in rows.items():
        alike[WINDOW.sub("", word)].append(names)
    for parts in alike.values():
        joined = [name for names in parts for name in names]
        numbered = len(set(map(order_of, joined))) == len(joined)
        for row in [joined] if numbered else parts:
            yield [node for _, node in sorted((order_of(name), children[name]) for name in row)]

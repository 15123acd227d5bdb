"""What the indices of a side mean: do they count repetitions, or name different things?"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from graphmap.matching.bare import Templates
from graphmap.matching.tokens import MARK, segments

__all__ = ["Index", "Prefixes", "selecting_indices"]

MOST_SPLITS = 8  # values of an index that may name different things instead of counting
COUNTING_SHARE = 0.6  # of the contents that the values of a counting index have in common
REPEATED = 3  # times that one thing is counted by an index that counts several in turn
SEPARATORS = ("/", ".")
TURNS_SHARE = 0.7  # of the values of such an index that stand at what others stand at too


class Index(NamedTuple):
    """What an index is. role: "select", "inner", "turns" or "count".

    ranks: {value: its rank}. turns: {value: which of several things in turn it counts}, of an index
    in a sequence of layers, such as convolutions and their norms.
    """

    role: str
    ranks: dict[int, int]
    turns: dict[int, int]

    def ranks_in_turn(self, turn: int) -> dict[int, int]:
        """Return {value: its rank among those that count the same}."""
        own = [value for value in self.ranks if self.turns[value] == turn]
        return {value: rank for rank, value in enumerate(own)}


Prefixes = dict[str, Index]  # {prefix that ends in an index}


def selecting_indices(templates: Templates, known: Prefixes) -> Prefixes:
    """Return what each prefix that ends in an index is.

    known: those that a whole side told already.
    """
    contents: dict[str, list[tuple[str, set[int]]]] = defaultdict(list)
    for text, members in templates.items():
        for at, found in enumerate(re.finditer(MARK, text)):
            cut = found.end()
            if text[:cut] not in known:
                having = {numbers[at] for numbers, _ in members}
                contents[text[:cut]].append((text[cut:], having))
    roles = dict(known)
    for prefix, rests in contents.items():
        values = sorted(set().union(*(having for _, having in rests)))
        roles[prefix] = _index(rests, values)
    return roles


def _index(rests: Sequence[tuple[str, set[int]]], values: Sequence[int]) -> Index:
    """Return what an index is. rests: what stands below it, under which values."""
    ranks = {value: rank for rank, value in enumerate(values)}
    layers = all(rest[:1] in SEPARATORS and len(segments(rest)) == 1 for rest, _ in rests)
    even = all(len(having) == len(values) for _, having in rests)
    if len(values) == 1 or (len(values) > 2 * MOST_SPLITS and (even or not layers)):
        return Index("count", ranks, {})
    below = {value: frozenset(r for r, having in rests if value in having) for value in values}
    numbers: dict[frozenset[str], int] = {}
    turns = {value: numbers.setdefault(content, len(numbers)) for value, content in below.items()}
    if layers and len(numbers) > 1:
        return Index("turns", ranks, turns)
    if len(values) > 2 * MOST_SPLITS:
        return Index("count", ranks, {})
    if _overlap(below) < COUNTING_SHARE:
        return Index("turns" if _in_turns(below) else "select", ranks, turns)
    modules = {segments(rest)[:-1] for rest, having in rests if having}
    if len(values) <= MOST_SPLITS and len(modules) == 1 and not _has_index(modules):
        return Index("inner", ranks, {})
    return Index("count", ranks, {})


def _in_turns(below: Mapping[int, frozenset[str]]) -> bool:
    """Whether an index counts several things in turn: a convolution, its norm, and again.

    They have nothing in common.
    """
    alike = Counter(below.values())
    if sum(map(len, alike)) > len(set().union(*alike)):
        return False
    return max(alike.values()) >= REPEATED and (
        sum(n for n in alike.values() if n > 1) >= TURNS_SHARE * len(below)
    )


def _has_index(modules: set[tuple[str, ...]]) -> bool:
    return any(MARK in part for module in modules for part in module)


def _overlap(below: Mapping[int, frozenset[str]]) -> float:
    """Mean share of the smaller of two neighbouring contents that the larger one has too.

    What is like nothing else (an attention between blocks) parts no neighbours.
    """
    shared = Counter(rest for contents in below.values() for rest in contents)
    ordered = [below[at] for at in sorted(below) if any(shared[rest] > 1 for rest in below[at])]
    shares = [len(a & b) / min(len(a), len(b)) for a, b in pairwise(ordered)]
    return sum(shares) / len(shares) if shares else 0.0

"""Too many groups for every pair of them: each gets the few of the other side that are nearest.

Names that repeat fall into tens of groups, and all pairs are looked at. Thousands of groups, names
without any repetition, would be millions of pairs. Then a group is paired only with those that
share its rarest words, and with those of its size where these are few; words that many have in
common choose nobody. What has no near one stays open.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from operator import mul

from graphmap.matching.groups import Group

__all__ = ["nearest"]

CROWD = 160_000  # pairs of groups that are still looked at one by one
MOST_PAIRS = 40_000  # pairs in a crowd, shared out evenly
FEWEST, MOST = 2, 8  # nearest ones of a group
COMMON = 64  # groups that share a word; one that more have is no clue


def nearest(expected: Sequence[Group], actual: Sequence[Group]) -> dict[int, list[Group]] | None:
    """Return {id of an expected group: the actual ones to look at, in order}; None: all of them."""
    if len(expected) * len(actual) <= CROWD:
        return None
    most = max(FEWEST, min(MOST, MOST_PAIRS // len(expected)))
    holders: dict[str, list[int]] = defaultdict(list)
    sized: dict[object, list[int]] = defaultdict(list)
    for at, group in enumerate(actual):
        for word in set(group.words):
            holders[word].append(at)
        sized[_size(group)].append(at)
    found = {}
    for group in expected:
        near: dict[int, float] = defaultdict(float)
        alike = sized.get(_size(group), ())
        if len(alike) <= most:
            near.update(dict.fromkeys(alike, 1.0))
        for word in sorted(set(group.words)):
            having = holders.get(word, ())
            if len(having) <= COMMON:
                weight = math.log(1 + len(actual) / max(1, len(having)))
                for at in having:
                    near[at] += weight
        chosen = sorted(near, key=lambda at: (-near[at], at))[:most]
        found[id(group)] = [actual[at] for at in sorted(chosen)]
    return found


def _size(group: Group) -> object:
    """Return the number of elements of its first member; None where it is not known."""
    shape = group.shapes[0]
    if shape is None or None in shape:
        return None
    return reduce(mul, (size or 0 for size in shape), 1)

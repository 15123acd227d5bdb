"""Whether the two sides are different models, whatever was found in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphmap.matching.tokens import split_names
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.decide import Found
    from graphmap.matching.levels import Result
    from graphmap.model.graph import Dims

__all__ = ["is_other", "size_of"]

SMALL = 8  # variables below which a share says nothing
SURE_BITS = 4.0
LEAST_SHAPED = 0.2  # share of one side that is found in the same model, however it grew
LEAST_NAMED = 0.3
NEARLY_ALL = 0.98  # the same from which the few that differ say nothing
LEAST_SPECIAL = 2  # sizes that no layer has, from which they tell two models apart
REPEATED = 3  # names of one template from which they are layers of a stack
ALIKE = 0.9  # share of like sizes from which two sides are one model, however little was found
ASSUMED = frozenset({"tied", "split"})  # what follows from a shape that another model may have too
LEAST_BOTH = 1.4  # least sum of what was found and of like sizes where these are fewer


def is_other(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    found: Sequence[Found],
    result: Result,
) -> bool:
    """Whether so little of either side was found that this is another model.

    A few fitting names are found in any two models; without shapes a few more.
    """
    if len(wanted) < SMALL or len(pool) < SMALL:
        return False
    sizes = list(map(_sizes, result.shapes))
    if all(sizes) and _elements(sizes[0]) == _elements(sizes[1]):
        return False  # one model, in whatever pieces
    sure = [f for f in found if f.bits >= SURE_BITS and f.margin >= SURE_BITS]
    used = len({f.actual.name for f in sure})
    share = max(len(sure) / len(wanted), used / len(pool))
    if not all(sizes):
        return share < LEAST_NAMED
    alike = _alike(*sizes)
    if alike < NEARLY_ALL and _only_stacks(wanted, pool, sure):
        return True
    if alike >= ALIKE:
        unclear = len(result.vetoes)  # of which only the group was found, not the member
        share = max((len(sure) + unclear) / len(wanted), (used + unclear) / len(pool))
    if share >= ALIKE:
        return False
    return share < LEAST_SHAPED or (alike < ALIKE and share + alike < LEAST_BOTH)


def _only_stacks(
    wanted: Sequence[Variable], pool: Sequence[Variable], sure: Sequence[Found]
) -> bool:
    """Whether nothing fits but repeated layers: two models of one width may share these alone.

    A norm or a dense layer of the width of all layers fits in any model of that width, so that it
    is enough if nothing of a size of its own, no table, stem or head, was found.
    """
    alone: list[list[str]] = []
    special: list[dict[str, tuple[int, ...] | None]] = []
    for side in (wanted, pool):
        texts = split_names([v.name for v in side]).texts
        often = Counter(texts)
        layers = {size_of(v) for v, t in zip(side, texts, strict=True) if often[t] >= REPEATED}
        once = [v for v, text in zip(side, texts, strict=True) if often[text] < REPEATED]
        alone.append([v.name for v in once])
        sizes = {v.name: size_of(v) for v in once} if layers else {}
        special.append({name: size for name, size in sizes.items() if size not in layers})
    proper = [f for f in sure if ASSUMED.isdisjoint(e.kind for e in f.evidence)]
    used = {f.expected.name for f in proper}, {f.actual.name for f in proper}
    least = min(len(set(sizes.values())) for sizes in special)
    if least >= LEAST_SPECIAL and used[0].isdisjoint(special[0]):
        return True
    return (
        all(alone)
        and sum(map(len, alone)) >= SMALL
        and all(names.isdisjoint(row) for names, row in zip(used, alone, strict=True))
    )


def _sizes(shapes: Mapping[Dims, int]) -> Counter[int]:
    """Count the variables of each number of elements, which no layout changes."""
    sizes: Counter[int] = Counter()
    for shape, count in shapes.items():
        if shape is not None:
            sizes[math.prod([n for n in shape if n is not None])] += count
    return sizes


def _elements(sizes: Counter[int]) -> int:
    return sum(size * count for size, count in sizes.items())


def _alike(one: Counter[int], other: Counter[int]) -> float:
    """Return the share of the smaller side's sizes that the other side has, in [0, 1].

    The mean of two: of all variables, and of the sizes that differ. Two models of one width share
    many sizes, but not most of those that differ.
    """
    small = min(one, other, key=Counter.total)
    both = (one & other).total() / small.total()
    return (both + len(one.keys() & other.keys()) / len(small)) / 2


def size_of(v: Variable) -> tuple[int, ...] | None:
    """Return the sizes of a variable but for ones, sorted; None where one is not known."""
    if v.shape is None or None in v.shape:
        return None
    return tuple(sorted(n for n in v.shape if n is not None and n != 1))

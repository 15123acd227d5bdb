"""Norms and biases that stand beside settled kernels, where nothing else there is like them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from graphmap.matching.forms import (
    Form,
    Signature,
    common_signatures,
    inside,
    is_flat,
    neighbours,
    targets_of,
)

__all__ = ["companions"]

Near = Mapping[int, frozenset[int]]  # of an open module, the actual ones that are settled beside it


def companions(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Return pairs of positions of norms and biases that stand beside settled kernels.

    The smallest scope around them that holds anything settled must hold the counterparts of just
    that on the other side, and no second open module that is like them. Where one side cuts its
    scopes finer, the settled modules of the finer scope must be among those of the other.
    """
    targets = targets_of(expected, actual, settled)
    partner = {at: next(iter(row)) for at, row in targets.items() if len(row) == 1}
    takers = Counter(partner.values())
    partner = {at: target for at, target in partner.items() if takers[target] == 1}
    signatures = common_signatures(expected, actual)
    taken = {t for row in targets.values() for t in row}
    near = neighbours(expected, targets), neighbours(actual, taken)
    mine = {
        at: frozenset(partner[n] for n in near[0][at])
        for at, form in enumerate(expected)
        if at not in targets and is_flat(form) and near[0][at] <= partner.keys()
    }
    theirs = {
        at: near[1][at]
        for at, form in enumerate(actual)
        if at not in taken and is_flat(form) and near[1][at]
    }
    found: dict[int, int] = {}
    for form in sorted({signatures[0][at] for at in mine}):
        alike = _of(form, signatures[0], mine), _of(form, signatures[1], theirs)
        same = _same(*alike)
        found |= same
        mine_left = {at: beside for at, beside in alike[0].items() if at not in same}
        left = {at: beside for at, beside in alike[1].items() if at not in same.values()}
        found |= _contained(mine_left, left)
    return [pair for e, a in found.items() for pair in inside(expected[e], actual[a])]


def _of(form: Signature, signatures: Sequence[Signature], near: Near) -> Near:
    return {at: beside for at, beside in near.items() if signatures[at] == form}


def _same(mine: Near, theirs: Near) -> dict[int, int]:
    """Pair what stands beside the same, and nothing else does."""
    places: dict[frozenset[int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, near in enumerate((mine, theirs)):
        for at, beside in near.items():
            places[beside][side].append(at)
    return {
        one[0]: other[0]
        for beside, (one, other) in places.items()
        if beside and len(one) == len(other) == 1
    }


def _contained(mine: Near, theirs: Near) -> dict[int, int]:
    """Pair what stands beside a part of the same, the smallest scopes first.

    Nothing else of either side may stand beside a part of that.
    """
    found: dict[int, int] = {}
    for at in sorted(mine, key=lambda at: (len(mine[at]), at)):
        fitting = [
            other
            for other, beside in theirs.items()
            if other not in found.values() and beside <= mine[at]
        ]
        rivals = [one for one in mine if one not in found and mine[one] <= mine[at]]
        if mine[at] and len(fitting) == len(rivals) == 1:
            found[at] = fitting[0]
    return found

"""What stored values say of links: equal values prove one, values of an unlikely scale doubt it.

Where both sides hold values, a tensor whose elements are those of exactly one tensor of the other
side, in whatever order, is that tensor. Where only the actual side does, values may only take
confidence away: a variance is never negative, and layers of a stack are of like scale.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Protocol

from graphmap.matching.decide import Found, Ranking
from graphmap.matching.layout import shapes_fit
from graphmap.matching.tokens import last_segment, split_name, words_of
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    import numpy

__all__ = ["Values", "review_values"]

PROOF = 20.0  # bits of equal values
FEWEST = 4  # tensors of one template that tell what its scale is
FACTOR = 4.0  # doublings from the middle of its template that are out of the ordinary
SPREADS = 6.0  # the same in median deviations
UNTOUCHED = frozenset({"pin", "tied", "split"})


class Values(Protocol):
    """Values of one side. Either answer is None where a value is absent or too large to look at."""

    def checksum(self, variable: Variable) -> object:
        """Return what equal bytes have in common, from the index alone."""

    def read(self, variable: Variable) -> numpy.ndarray | None:
        """Return the value."""


def review_values(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    values: tuple[Values | None, Values | None],
    found: dict[str, Found],
    rivals: dict[int, list[Ranking]],
) -> None:
    """Change `found` where the values of the sides, expected first, say otherwise."""
    expected, actual = values
    if actual is None:
        return
    if expected is not None:
        _by_equality(wanted, pool, (expected, actual), found, rivals)
    _doubt(found, actual)


def _by_equality(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    values: tuple[Values, Values],
    found: dict[str, Found],
    rivals: dict[int, list[Ranking]],
) -> None:
    at = {v.name: place for place, v in enumerate(pool)}
    position = {v.name: place for place, v in enumerate(wanted)}
    equal = _equal_ones(wanted, pool, values)
    holder = {other.name: v.name for v, other in equal}
    for v, other in equal:
        link = found.get(v.name)
        if link is not None and {e.kind for e in link.evidence} & UNTOUCHED:
            continue
        proof = Evidence("values", PROOF, f"the values of {other.name}, and of no other")
        before: tuple[Evidence, ...] = ()
        if link is not None and link.actual.name == other.name:
            before = link.evidence
        elif link is not None:
            before = (Evidence("names", 0.0, f"by name {link.actual.name}, whose values differ"),)
        kernel = len(v.shape or ()) > 1
        found[v.name] = Found(v, other, PROOF, PROOF, (*before, proof), kernel)
    for name, link in list(found.items()):
        owner = holder.get(link.actual.name)
        if owner in (None, name) or {e.kind for e in link.evidence} & UNTOUCHED:
            continue
        why = f"{link.actual.name} holds the values of {owner}"
        found[name] = _doubted(link, why)
        rivals.setdefault(position[name], []).append(
            [({position[name]: at[link.actual.name]}, 0.0)]
        )


def _equal_ones(
    wanted: Sequence[Variable], pool: Sequence[Variable], values: tuple[Values, Values]
) -> list[tuple[Variable, Variable]]:
    """Return pairs whose values only these two have, equal byte by byte or as a set of numbers."""
    pairs = _pairs(
        [(v, values[0].checksum(v)) for v in wanted], [(v, values[1].checksum(v)) for v in pool]
    )
    pairs = [p for p in pairs if _content(p[0], values[0]) is not None]  # zeros are everywhere
    taken = {v.name for v, _ in pairs}, {other.name for _, other in pairs}
    left = [
        [v for v in side if v.name not in names]
        for side, names in zip((wanted, pool), taken, strict=True)
    ]
    sizes = [{_size(v) for v in side} for side in left]
    both = sizes[0] & sizes[1] - {None}
    contents = [
        [(v, _content(v, told)) for v in side if _size(v) in both]
        for side, told in zip(left, values, strict=True)
    ]
    return pairs + _pairs(contents[0], contents[1])


def _pairs(
    mine: Iterable[tuple[Variable, object]], theirs: Iterable[tuple[Variable, object]]
) -> list[tuple[Variable, Variable]]:
    rows: dict[object, tuple[list[Variable], list[Variable]]] = defaultdict(lambda: ([], []))
    for side, entries in enumerate((mine, theirs)):
        for v, key in entries:
            if key is not None:
                rows[v.dtype, key][side].append(v)
    return [
        (one[0], other[0])
        for one, other in rows.values()
        if len(one) == len(other) == 1 and shapes_fit(one[0].shape, other[0].shape)
    ]


def _size(v: Variable) -> int | None:
    return None if v.shape is None or None in v.shape else math.prod(s or 0 for s in v.shape)


def _content(v: Variable, values: Values) -> bytes | None:
    """Return a digest of the elements in whatever order; None where they are all the same."""
    array = values.read(v)
    if array is None or array.dtype == object or array.size < 2:
        return None
    flat = array.reshape(-1).view(f"V{array.dtype.itemsize}") if array.dtype.kind == "V" else array
    if flat.dtype.kind == "V":
        return None
    ordered = flat.reshape(-1).copy()
    ordered.sort()
    if ordered[0] == ordered[-1]:
        return None
    return hashlib.sha256(ordered.tobytes()).digest()


def _doubt(found: dict[str, Found], values: Values) -> None:
    """Take back links to values that what is expected there could not hold, or hardly."""
    stacks: dict[tuple[str, object], list[tuple[str, float]]] = defaultdict(list)
    for name, link in found.items():
        kinds = {e.kind for e in link.evidence}
        array = None if kinds & (UNTOUCHED | {"values"}) else values.read(link.actual)
        if array is None or array.dtype.kind not in "fiu" or not array.size:
            continue
        if _is_variance(name) and array.min() < 0:
            found[name] = _doubted(link, "a variance is never negative")
            continue
        scale = math.sqrt(float((array.astype("float64") ** 2).mean()))
        if scale > 0 and math.isfinite(scale):
            key = split_name(name).text, len(link.actual.shape or ())
            stacks[key].append((name, math.log2(scale)))
    for rows in stacks.values():
        if len(rows) < FEWEST:
            continue
        middle = median(scale for _, scale in rows)
        spread = median(abs(scale - middle) for _, scale in rows)
        for name, scale in rows:
            if abs(scale - middle) > max(FACTOR, SPREADS * spread):
                why = f"its values are 2^{scale - middle:+.0f} times those of its like"
                found[name] = _doubted(found[name], why)


def _is_variance(name: str) -> bool:
    leaf = Counter(words_of(last_segment(split_name(name).text)))
    return bool(leaf.keys() & {"variance", "var"}) and not leaf.keys() & {"log", "logvar"}


def _doubted(link: Found, why: str) -> Found:
    evidence = (*link.evidence, Evidence("values", -round(link.bits, 3), why))
    return link._replace(bits=0.0, margin=0.0, evidence=evidence)

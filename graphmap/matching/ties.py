"""One stored tensor under two expected names: an output layer that shares the word embedding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from graphmap.matching.decide import Found
from graphmap.matching.tokens import segments, split_name, words_of
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["find_ties"]

TIED_BITS = 12.0
TABLE_RANK = 2
# Where the field shares a table: encoder and decoder embeddings, and the layer that predicts words.
SHARING = frozenset(
    {"embedding", "head", "decoder", "shared", "prediction", "mlm", "vocab", "lm", "wte"}
)
OTHER_TABLES = frozenset({"position", "segment", "relative"})


def find_ties(
    open_expected: Iterable[Variable], open_actual: Iterable[Variable], links: Sequence[Found]
) -> list[Found]:
    """Return links of open expected variables to tensors that are taken already.

    Only where the shape tells which: one taken tensor has it, no open one does, and both names
    speak of a table of words or of its bias. Or one open tensor has it, and every expected one of
    that shape speaks of such a table.
    """
    open_expected, open_actual = list(open_expected), list(open_actual)
    free = {tuple(sorted(v.shape, key=str)) for v in open_actual if v.shape}
    taken: dict[tuple[int | None, ...], dict[str, Found]] = defaultdict(dict)
    for link in links:
        if link.actual.shape and None not in link.actual.shape:
            taken[tuple(sorted(link.actual.shape, key=str))][link.actual.name] = link
    found = []
    alone: dict[tuple[int | None, ...], Found | None] = {}  # {shape: the one that has it}
    for v in open_expected:
        if not v.shape or None in v.shape:
            continue
        if v.shape not in alone:
            key = tuple(sorted(v.shape, key=str))
            holders = [k for k in taken.get(key, {}).values() if k.actual.shape == v.shape]
            alone[v.shape] = holders[0] if key not in free and len(holders) == 1 else None
        holder = alone[v.shape]
        if holder is None:
            continue
        mine, other = _words(v.name), _words(holder.expected.name) | _words(holder.actual.name)
        if mine & SHARING and other & SHARING:
            bits = min(TIED_BITS, holder.bits)
            why = f"shares the tensor of {holder.expected.name}"
            evidence = (Evidence("tied", bits, why),)
            found.append(Found(v, holder.actual, bits, min(bits, holder.margin), evidence))
    return found + _shared_by_all(open_expected, open_actual, links)


def _shared_by_all(
    open_expected: Sequence[Variable], open_actual: Sequence[Variable], links: Sequence[Found]
) -> list[Found]:
    """Return links of all open tables of one shape to the only tensor that has it."""
    rivals = Counter(v.shape for v in open_actual) + Counter(k.actual.shape for k in links)
    settled = {k.expected.shape for k in links}
    wanted: dict[Dims, list[Variable]] = defaultdict(list)
    for v in open_expected:
        wanted[v.shape].append(v)
    found = []
    for other in open_actual:
        same = wanted.get(other.shape, [])
        if not other.shape or len(other.shape) < TABLE_RANK or None in other.shape:
            continue
        if len(same) < 2 or rivals[other.shape] > 1 or other.shape in settled:
            continue
        words = [_words(v.name) for v in (other, *same)]
        if all(own & SHARING and not own & OTHER_TABLES for own in words):
            evidence = (Evidence("tied", TIED_BITS, "the only tensor for all tables of its shape"),)
            found += [Found(v, other, TIED_BITS, TIED_BITS, evidence) for v in same]
    return found


def _words(name: str) -> frozenset[str]:
    return frozenset(w for part in segments(split_name(name).text) for w in words_of(part))

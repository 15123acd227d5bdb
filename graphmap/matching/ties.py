"""One stored tensor under two expected names: an output layer that shares the word embedding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from graphmap.matching.decide import Found
from graphmap.matching.tokens import segments, split_name, words_of
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

__all__ = ["find_ties"]

TIED_BITS = 12.0
# Where the field shares a table: encoder and decoder embeddings, and the layer that predicts words.
SHARING = frozenset({"embedding", "head", "decoder", "shared", "prediction", "mlm", "vocab", "lm"})


def find_ties(
    open_expected: Iterable[Variable], open_actual: Iterable[Variable], links: Sequence[Found]
) -> list[Found]:
    """Return links of open expected variables to tensors that are taken already.

    Only where the shape tells which: one taken tensor has it, no open one does, and both names
    speak of a table of words or of its bias.
    """
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
    return found


def _words(name: str) -> frozenset[str]:
    return frozenset(w for part in segments(split_name(name).text) for w in words_of(part))

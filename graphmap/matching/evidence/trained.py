"""Weights that were trained: their optimizer slots are stored beside them."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 3.0


def trained_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative for a weight without slots where others have some; None where none has any."""
    if pair.actual.trained or not context.slots or pair.actual.kind.letter in "UV":
        return None
    return Evidence("trained", -BITS, "others have optimizer slots, this one has none")

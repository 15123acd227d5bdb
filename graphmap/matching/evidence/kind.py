"""Kernel beside kernel, bias beside bias."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 70.0  # lost in full if the kinds did not agree at all; such pairs are never proposed


def kind_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where the last words only half agree; None where they agree."""
    if pair.agreement == 1.0:
        return None
    expected, actual = pair.expected.kind, pair.actual.kind
    why = f"{expected.sub or 'unknown kind'} beside {actual.sub or 'unknown kind'}"
    return Evidence("kind", -BITS * (1 - pair.agreement), why)

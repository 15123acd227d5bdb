"""How many members two groups have."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

UNEQUAL = 5.0
BITS = 23.0


def count_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where the counts differ; None where they agree."""
    expected, actual = len(pair.expected), len(pair.actual)
    if expected == actual:
        return None
    lost = UNEQUAL + BITS * (1 - min(expected, actual) / max(expected, actual))
    return Evidence("count", -lost, f"{expected} expected, {actual} found under this template")

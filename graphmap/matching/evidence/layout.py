"""Kernels kept in one order on both sides, or turned on all of one side."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 16.0


def layout_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative for a kernel against the habit of the two sides; None where it shows no order."""
    if pair.turned is None or context.turned is None:
        return None
    against = 1 - context.turned if pair.turned else context.turned
    if against < 0.2:
        return None
    how = "turned" if pair.turned else "not turned"
    return Evidence("layout", -BITS * against, f"{how}, against the other kernels")

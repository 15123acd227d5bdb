"""Modules of one block at the same stage of the computation."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence


def order_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits that order.py found; None where there is nothing to put in order."""
    found = context.orders.get((id(pair.expected), id(pair.actual)))
    return None if found is None else Evidence("order", *found)

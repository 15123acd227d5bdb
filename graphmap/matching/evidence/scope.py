"""Which of several like scopes is meant: the evidence of all their groups together."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence


def scope_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits that twins.py found for the two scopes; None where there is no choice of scopes."""
    found = context.scopes.get((id(pair.expected), id(pair.actual)))
    return None if found is None else Evidence("scope", *found)

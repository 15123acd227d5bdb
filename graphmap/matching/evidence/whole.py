"""Two sides that fit as wholes: nothing of either would be left over."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 30.0


def whole_evidence(pair: Pair, context: Context) -> Evidence | None:
    """BITS for a pair of a complete pairing of all that is open; None where none was found."""
    if (id(pair.expected), id(pair.actual)) not in context.whole:
        return None
    return Evidence("whole", BITS, "with it all of both sides has its counterpart")

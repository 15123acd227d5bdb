"""Shapes that agree on every member of a pair of groups."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 30.0  # for equal shapes; a reordered one is a little weaker


def shape_evidence(pair: Pair, context: Context) -> Evidence | None:
    """BITS for equal shapes, less where a layout is needed; None where a shape is unknown."""
    if pair.fit is None:
        return None
    shape = pair.expected.shapes[pair.links[0][0] if pair.links else 0]
    how = "equal shapes" if pair.fit == 1.0 else "shapes that fit by a layout"
    return Evidence("shape", BITS * pair.fit, f"{how}, {list(shape or ())} for the first")

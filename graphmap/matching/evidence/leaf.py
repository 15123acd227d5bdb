"""The last part of a name, letter for letter, where it stands once on each side."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, last_segment
from graphmap.model.namemap import Evidence

BITS = 14.0


def leaf_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits for `W` beside `my_model/W`; None where other variables end in the same way."""
    leaf = last_segment(pair.expected.template)
    if leaf != last_segment(pair.actual.template) or MARK in leaf:
        return None
    if any(leaves.get(leaf) != 1 for leaves in context.leaves):
        return None
    return Evidence("leaf", BITS, f"the only names that end in {leaf}")

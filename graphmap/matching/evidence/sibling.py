"""Kernel, bias and the other tensors of one module go to one module."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 14.0


def sibling_evidence(pair: Pair, context: Context) -> Evidence | None:
    """BITS where settled siblings went to the same module, -BITS where they went elsewhere."""
    modules = context.modules.get(pair.expected.module)
    if modules is None:
        return None
    if pair.actual.home in modules:
        return Evidence("sibling", BITS, "its siblings go to this module")
    return Evidence("sibling", -BITS, "its siblings go elsewhere")

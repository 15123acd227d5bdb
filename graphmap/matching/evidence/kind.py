"""Kernel beside kernel, bias beside bias."""

from __future__ import annotations

from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

BITS = 70.0  # lost in full if the kinds did not agree at all; such pairs are never proposed
TABLE_BITS = 12.0


def kind_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where the last words only half agree; None where they agree."""
    if _is_table(pair.expected) and pair.actual.kind.sub == "kernel" and not _is_table(pair.actual):
        return Evidence("kind", -TABLE_BITS, "an embedding beside a kernel")
    if pair.agreement == 1.0:
        return None
    expected, actual = pair.expected.kind, pair.actual.kind
    why = f"{expected.sub or 'unknown kind'} beside {actual.sub or 'unknown kind'}"
    return Evidence("kind", -BITS * (1 - pair.agreement), why)


def _is_table(group: Group) -> bool:
    return group.kind.sub == "embedding" or "embedding" in group.words

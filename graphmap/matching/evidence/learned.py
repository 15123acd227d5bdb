"""Words that go together in this pair of sides, learned from the pairs themselves.

Where one side says `intermediate` in every layer and the other `ffn1`, the repetition teaches it.
Only features of two modules or more teach, so that no module is its own proof.
"""

from __future__ import annotations

from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.model.namemap import Evidence

TEXT_BITS = 70.0  # words in all, lexical and learned
MOST = 0.7  # share of them that learned associations may take over


def learned_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits for features that went together elsewhere; None before anything was learned."""
    share = backing(pair, context)
    if not share:
        return None
    there = _associated(pair, context, forward=True)
    back = _associated(pair, context, forward=False)
    why = "words that go together in other modules"
    return Evidence("learned", TEXT_BITS * share * (there + back) / 2, why)


def backing(pair: Pair, context: Context) -> float:
    """Return the share of the text bits that is left to what was learned, in [0, MOST]."""
    if not context.learned:
        return 0.0
    mine = _backed(pair.expected, context, forward=True)
    return MOST * (mine + _backed(pair.actual, context, forward=False)) / 2


def _backed(group: Group, context: Context, forward: bool) -> float:
    """Return the share of the words' weight that can teach, once for each group."""
    known = context.backed.get(id(group))
    if known is None:
        repeated = context.repeated[0 if forward else 1]
        weights = context.expected_weights if forward else context.actual_weights
        total = sum(weights[word] for word in group.words)
        backed = sum(weights[word] for word in group.words if word in repeated)
        known = context.backed[id(group)] = backed / total if total else 0.0
    return known


def _associated(pair: Pair, context: Context, forward: bool) -> float:
    group, other = (pair.expected, pair.actual) if forward else (pair.actual, pair.expected)
    table = context.learned if forward else context.learned_back
    targets = context.features[id(other)]
    known = context.teaching.get(id(group))
    if known is None:
        known = context.teaching[id(group)] = _teaching(group, context, forward)
    total, weighed = known
    if not total or not targets:
        return 0.0
    found = 0.0
    for feature, weight in weighed:
        row = table.get(feature)
        if not row:
            continue
        best = 0.0
        for target in targets:  # few, and most of them are not there
            dice = row.get(target)
            if dice is not None and dice > best:
                best = dice
        found += weight * best
    return found / total


def _teaching(
    group: Group, context: Context, forward: bool
) -> tuple[float, list[tuple[str, float]]]:
    """Return the features of a group that can teach with their weights, and the sum of these."""
    repeated = context.repeated[0 if forward else 1]
    weights = context.expected_weights if forward else context.actual_weights
    total = 0.0
    weighed = []
    for feature in context.features[id(group)]:
        if feature in repeated:
            weight = sum(weights[word] for word in feature.split(" "))
            total += weight
            weighed.append((feature, weight))
    return total, weighed

"""Words that stand against each other: an encoder is no decoder, where one side has both."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.matching.vocabulary import CONTRASTS
from graphmap.model.namemap import Evidence

BITS = 50.0


def contrast_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where each module has the word of a contrast that the other one lacks.

    None where the word of neither is used on the other side: a model that has encoders only may
    call them what it likes.
    """
    mine, theirs = set(pair.expected.words), set(pair.actual.words)
    for words in CONTRASTS:
        one, other = words & mine, words & theirs
        if not one or not other or not one.isdisjoint(other):
            continue
        if one <= context.actual_weights.keys() or other <= context.expected_weights.keys():
            why = f"{' '.join(sorted(one))} beside {' '.join(sorted(other))}"
            return Evidence("contrast", -BITS, why)
    return None

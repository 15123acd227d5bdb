"""Words that stand against each other: an encoder is no decoder, where one side has both."""

from __future__ import annotations

from graphmap.matching.pairs import Context, Pair
from graphmap.matching.vocabulary import CONTRASTS
from graphmap.model.namemap import Evidence

BITS = 50.0


def contrast_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where each module has the word of a contrast that the other one lacks.

    None where the word of neither is used on the other side: a model that has encoders only may
    call them what it likes. Less negative where only one has a second word of the contrast, which
    both sides use: the encoder of a decoder is not that of the encoder.
    """
    mine, theirs = set(pair.expected.words), set(pair.actual.words)
    known = context.expected_weights.keys(), context.actual_weights.keys()
    for words in CONTRASTS:
        one, other = words & mine, words & theirs
        if not one or not other or one == other:
            continue
        why = f"{' '.join(sorted(one))} beside {' '.join(sorted(other))}"
        if one.isdisjoint(other):
            if one <= known[1] or other <= known[0]:
                return Evidence("contrast", -BITS, why)
        elif one ^ other <= known[0] & known[1]:
            return Evidence("contrast", -BITS / 2, why)
    return None

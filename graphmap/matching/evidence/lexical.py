"""Words that look alike."""

from __future__ import annotations

from graphmap.matching.evidence.learned import TEXT_BITS, backing
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import similarity
from graphmap.model.namemap import Evidence


def lexical_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Bits for the words of the module that have a like word on the other side."""
    text = text_similarity(pair, context)
    bits = TEXT_BITS * (1 - backing(pair, context)) * text
    alike = sorted({w for w in pair.expected.words if w[0] not in "=@" and w in pair.actual.words})
    why = f"common words: {', '.join(alike)}" if alike else "no common word"
    return Evidence("lexical", bits, why)


def text_similarity(pair: Pair, context: Context) -> float:
    """Return the soft overlap of two modules' words in [0, 1], both ways, rare words first."""
    expected, actual = pair.expected.words, pair.actual.words
    if not expected and not actual:
        return 1.0
    there = _covered(expected, actual, context.expected_weights, context.actual_weights)
    back = _covered(actual, expected, context.actual_weights, context.expected_weights)
    return 0.35 * (there + back) + 0.3 * min(there, back)


def shares_a_word(pair: Pair, context: Context) -> bool:
    """Whether a word that sets a module off from most of its side is met on the other side.

    A module that has no such word says all it can by the words of its scopes; a number is no word.
    """
    mine, others = context.expected_weights, context.actual_weights
    own = [w for w in pair.expected.words if w not in context.common and w[0] not in "=@"]
    if not own:
        return text_similarity(pair, context) > 0.0
    return any(covering(word, pair.actual.words, mine, others) > 0.0 for word in own)


def _covered(
    words: tuple[str, ...],
    others: tuple[str, ...],
    weights: dict[str, float],
    other_weights: dict[str, float],
) -> float:
    total = 0.0
    found = 0.0
    for word in words:
        weight = weights[word]
        total += weight
        found += weight * covering(word, others, weights, other_weights)
    return found / total if total else 1.0


def covering(
    word: str,
    others: tuple[str, ...],
    weights: dict[str, float],
    other_weights: dict[str, float],
) -> float:
    """Return how well one word is met by the words of a module of the other side.

    A word that both sides use means itself: `encoder` is not a misspelt `decoder`.
    """
    if word in others:
        return 1.0
    if word[0] in "=@" or word in other_weights:
        return 0.0
    return max((similarity(word, o) for o in others if o not in weights), default=0.0)

"""A module that stands once, with a word of its own that the other side does not know."""

from __future__ import annotations

from graphmap.matching.evidence.lexical import covering
from graphmap.matching.groups import Group
from graphmap.matching.pairs import CLEAR, Context, Pair
from graphmap.model.namemap import Evidence

BITS = 60.0
REPEATED = 3  # members from which repetition vouches for a group


def novelty_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where both modules have such words: a new head looks like the old one.

    A third of it where nothing else on either side fits: that is no proof, a new head may have as
    many classes as the old one.
    """
    if (id(pair.expected), id(pair.actual)) in context.whole and (
        pair.fit is not None or context.foreign
    ):
        return None  # nothing on either side could be new
    if min(len(pair.expected), len(pair.actual)) >= REPEATED:
        return None
    taught = _taught(pair, context)
    weights = context.expected_weights, context.actual_weights
    mine = _own_share(pair.expected, pair.actual, *weights, taught[0])
    other = _own_share(pair.actual, pair.expected, *weights[::-1], taught[1])
    strange = min(mine, other)
    if strange < 0.2:
        return None
    bits = BITS / 3 if pair.alone else BITS
    return Evidence("novelty", -bits * strange, "each has words that the other one lacks")


def _taught(pair: Pair, context: Context) -> tuple[set[str], set[str]]:
    """Return the words of each module that settled stacks show to mean a word of the other.

    Words that most modules have go together with everything.
    """
    found: tuple[set[str], set[str]] = (set(), set())
    for word in pair.expected.words:
        row = {} if word in context.common else context.shown.get(word, {})
        meant = {other for other in pair.actual.words if row.get(other, 0.0) >= CLEAR}
        found[0].update((word,) if meant else ())
        found[1].update(meant)
    return found


def _own_share(
    group: Group,
    other: Group,
    weights: dict[str, float],
    other_weights: dict[str, float],
    taught: set[str],
) -> float:
    """Return the share of the words' weight that nothing on the other module meets."""
    total = sum(weights[word] for word in group.words)
    own = sum(
        weights[word] * _strange(covering(word, other.words, weights, other_weights))
        for word in group.words
        if word[0] not in "=@" and word not in taught
    )
    return own / total if total else 0.0


def _strange(covering: float) -> float:
    """An abbreviation is no more than a hint where a module stands once."""
    return 1.0 - covering if covering >= CLEAR else 1.0 - covering / 2

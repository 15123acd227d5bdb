"""Levels of an upsampling path: the first may be the coarsest or the finest."""

from __future__ import annotations

from collections.abc import Sequence

from graphmap.matching.evidence.stack import same_end
from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, prefixes, segments, words_of
from graphmap.matching.vocabulary import RISING
from graphmap.model.namemap import Evidence

BITS = 120.0
UPWARD = frozenset({RISING, "expand"})
LEVELS = UPWARD | {"decoder"}  # that is what a way up may be called
ATTENTION = "attention"


def level_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where nothing but its number chose a level and the path was renamed.

    Some programs count the levels of the way up as they are made, others as those of the way down
    whose size they have. Shapes that differ from level to level tell which it is. A decoder with
    attention has layers, of one size and counted as they are made.
    """
    if pair.fit is not None and (len(pair.links) < 2 or not pair.expected.uniform):
        return None
    words = LEVELS if pair.fit is None else {RISING}
    mine, other = (
        [
            head
            for head in prefixes(group.template)
            if not words.isdisjoint(words_of(_counted(head)))
        ]
        for group in (pair.expected, pair.actual)
    )
    if not mine or not other or same_end(mine[-1], other[-1]):
        return None
    if (mine[-1], other[-1]) in context.stacks or mine[-1] in context.attending:
        return None
    return Evidence("level", -BITS, "a level of the way up, which may be counted from either end")


def attending(groups: Sequence[Group]) -> frozenset[str]:
    """Return the prefixes down to an index below which some group stands in an attention.

    But for ways up, which may have one as well.
    """
    return frozenset(
        head
        for g in groups
        if ATTENTION in g.words
        for head in prefixes(g.template)
        if UPWARD.isdisjoint(words_of(_counted(head)))
    )


def _counted(head: str) -> str:
    """Return the segment that a prefix counts: `up.#` counts what `up_#` does.

    >>> _counted("net/up_#"), _counted("net.up.#")
    ('up_#', 'up')
    """
    return next((part for part in reversed(segments(head)) if part != MARK), "")

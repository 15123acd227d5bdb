"""Modules led out of a scope whose word the other side knows, though that scope has a free one.

`attention/out` is `output/dense` by its words, but in the same block stands `self_attn/dense_3`,
which nobody else is: one of the two, and words do not tell which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphmap.matching.groups import Group
from graphmap.matching.layout import shapes_fit
from graphmap.matching.pairs import Pair, common_words
from graphmap.matching.tokens import MARK
from graphmap.matching.vocabulary import GENERIC, NORMS

__all__ = ["truer_homes"]


def truer_homes(
    pairs: Sequence[Pair], expected: Sequence[Group], free: Sequence[Group]
) -> Iterator[tuple[Pair, Group]]:
    """Yield pairs that leave a word of theirs out, and a free actual group that has it.

    It has at least as many of these as it lacks of those that the pair has in common.
    expected: all groups of that side. free: the actual groups that nothing was linked to.
    """
    common = common_words(expected) | GENERIC | NORMS
    for pair in pairs:
        stack = pair.actual.template.partition(MARK)[0]
        words = {w for w in pair.expected.words if w[0] not in "=@"} - common
        missing = words - {*pair.actual.words}
        for group in free if missing else ():
            if (
                group.kind.letter == pair.actual.kind.letter
                and group.template.startswith(stack)
                and bool(group.free) == bool(pair.actual.free)
                and len(missing & {*group.words}) >= max(1, len(words - missing - {*group.words}))
                and shapes_fit(pair.expected.shapes[0], group.shapes[0])
            ):
                yield pair, group
                break

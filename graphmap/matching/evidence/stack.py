"""A stack of repeated layers that is longer on one side, under a name that was not kept."""

from __future__ import annotations

from collections.abc import Iterable

from graphmap.matching.alignment import only_embedding
from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, segments, words_of
from graphmap.model.namemap import Evidence

BITS = 120.0


def stack_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where equal numbers chose the layers of a longer stack and nothing vouches for them.

    Whoever kept the name of a stack kept its numbers. Under a new name the layers may be any of
    the longer stack: its first, its last, or every second one, as distilled models have them.
    """
    expected, actual = pair.expected, pair.actual
    if len(expected) == len(actual) or len(pair.links) < 2:
        return None
    if expected.counter or actual.counter or _kept(expected, actual):
        return None
    if only_embedding(expected.shapes, actual.shapes) == pair.links:
        return None
    return Evidence("stack", -BITS, "nothing shows which layers of the longer stack are meant")


def _kept(expected: Group, actual: Group) -> bool:
    """Whether each stack of other length has the same words above its index on both sides."""
    if len(expected.blocks) != len(actual.blocks):
        return False
    return all(
        _ends_alike(head, other)
        for head, other, mine, theirs in zip(
            _heads(expected), _heads(actual), expected.blocks, actual.blocks, strict=True
        )
        if len(mine) != len(theirs)
    )


def _heads(group: Group) -> Iterable[tuple[str, ...]]:
    """Yield, for each index that counts, the words of the scopes down to it."""
    parts = group.template.split(MARK)
    for at in group.free:
        head = MARK.join([*parts[: at + 1], ""])
        yield tuple(w for part in segments(head) for w in words_of(part) if w != MARK)


def _ends_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short, long = sorted((one, other), key=len)
    return bool(short) and long[-len(short) :] == short

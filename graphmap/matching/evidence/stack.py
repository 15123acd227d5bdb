"""A stack of repeated layers that is longer on one side, under a name that was not kept."""

from __future__ import annotations

from graphmap.matching.alignment import only_embedding
from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, prefixes, segments, words_of
from graphmap.model.namemap import Evidence

__all__ = ["same_end", "stack_evidence"]

BITS = 120.0


def stack_evidence(pair: Pair, context: Context) -> Evidence | None:
    """Negative where equal numbers chose the layers of a longer stack and nothing vouches for them.

    Whoever kept the name of a stack kept its numbers. Under a new name the layers may be any of
    the longer stack: its first, its last, or every second one, as distilled models have them.
    """
    expected, actual = pair.expected, pair.actual
    if len(expected) == len(actual) or len(pair.links) < 2:
        return None
    if expected.counter or actual.counter or _kept(expected, actual, context):
        return None
    if only_embedding(expected.shapes, actual.shapes) == pair.links:
        return None
    return Evidence("stack", -BITS, "nothing shows which layers of the longer stack are meant")


def _kept(expected: Group, actual: Group, context: Context) -> bool:
    """Whether each stack of other length has the same words above its index, or pins told it."""
    if len(expected.blocks) != len(actual.blocks):
        return False
    return all(
        (head, other) in context.stacks or same_end(head, other)
        for head, other, mine, theirs in zip(
            _heads(expected), _heads(actual), expected.blocks, actual.blocks, strict=True
        )
        if len(mine) != len(theirs)
    )


def _heads(group: Group) -> list[str]:
    """Return, for each index that counts, the template down to it."""
    cuts = prefixes(group.template)
    return [cuts[at] for at in group.free]


def same_end(head: str, other: str) -> bool:
    """Whether the words of one path down to an index end the other one.

    >>> same_end("encoder/layer_#", "bert.encoder.layer.#"), same_end("h_#", "encoder/layer_#")
    (True, False)
    """
    short, long = sorted((_words(head), _words(other)), key=len)
    return bool(short) and long[-len(short) :] == short


def _words(head: str) -> tuple[str, ...]:
    return tuple(word for part in segments(head) for word in words_of(part) if word != MARK)

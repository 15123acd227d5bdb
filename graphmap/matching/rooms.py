"""Blocks that are too small for what is asked of them, beside others that are not.

A decoder that was written as an encoder (`bert.encoder.layer.0.crossattention`) has the words of
the stored encoder, whose blocks have no room for a second attention; those of the stored decoder
have. Where one stack holds all kernels of an expected block, none that holds fewer is meant.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from graphmap.matching.groups import Group
from graphmap.matching.layout import Label, label_of
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import prefixes

__all__ = ["Rooms"]

FEWEST = 3  # blocks that make a stack
LOST = 120.0

Stack = tuple[str, tuple[tuple[int, int], ...]]  # prefix that ends in an index, fixed indices in it


class _Room:
    """blocks: how many there are. kernels: of one of them, by their sizes."""

    def __init__(self) -> None:
        self.blocks = 0
        self.kernels: Counter[Label] = Counter()

    def holds(self, other: _Room) -> bool:
        return self.kernels >= other.kernels


class Rooms:
    """The stacks of both whole sides."""

    def __init__(self, expected: Sequence[Group], actual: Sequence[Group]) -> None:
        self.sides = _rooms(expected), _rooms(actual)
        self.known: dict[tuple[Stack, Stack], str] = {}

    def note(self, pairs: Sequence[Pair], context: Context) -> None:
        """Note in `context.scopes` what a pair loses that leads into blocks without room."""
        mine, theirs = self.sides
        if len(theirs) < 2:
            return
        for pair in pairs:
            one, other = _stack_of(pair.expected), _stack_of(pair.actual)
            if one is None or other is None:
                continue
            if (one, other) not in self.known:
                self.known[one, other] = _larger(mine.get(one), other, theirs)
            if self.known[one, other]:
                why = f"all kernels of a block are found in {self.known[one, other]}, not here"
                context.scopes[id(pair.expected), id(pair.actual)] = (-LOST, why)


def _larger(block: _Room | None, meant: Stack, rooms: dict[Stack, _Room]) -> str:
    """Return the stack that holds all of a block, where the one that is meant does not; else ""."""
    if block is None or meant not in rooms or rooms[meant].holds(block):
        return ""
    fitting = (
        stack[0]
        for stack, room in sorted(rooms.items())
        if room.blocks == block.blocks and room.holds(block)
    )
    return next(fitting, "")


def _rooms(side: Sequence[Group]) -> dict[Stack, _Room]:
    found: dict[Stack, _Room] = defaultdict(_Room)
    for group in side:
        stack = _stack_of(group)
        if stack is None or group.kind.letter != "M" or not group.uniform:
            continue
        blocks = len({numbers[0] for numbers, _ in group.members})
        if blocks >= FEWEST:
            room = found[stack]
            room.blocks = max(room.blocks, blocks)
            room.kernels[label_of(group.shapes[0])] += len(group) // blocks
    return dict(found)


def _stack_of(group: Group) -> Stack | None:
    if not group.free:
        return None
    first = group.free[0]
    return prefixes(group.template)[first], tuple(row for row in group.fixed if row[0] < first)

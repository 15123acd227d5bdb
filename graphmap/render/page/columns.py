"""Columns of a page's data: small and quick to read.

Columns hold one entry a node. Lists of several entries a node are two columns: how many, and all
of them in a row. Positions in the graph are written as the distance to the node they belong to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Words", "front_coded", "lists"]


class Words:
    """Texts that stand many times, as numbers."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def number(self, word: Any) -> int:
        return self.known.setdefault(word, len(self.known))

    def column(self, words: Iterable[Any]) -> list[int]:
        return [self.number(word) for word in words]


def front_coded(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return for each name how much of the one before it begins with, and the rest."""
    shared, rest, before = [], [], ""
    for name in names:
        length = _common(before, name)
        shared.append(length)
        rest.append(name[length:])
        before = name
    return shared, rest


def _common(one: str, other: str) -> int:
    """Return with how many characters both begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves: comparing slices is quicker than one character after another
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def lists(rows: Sequence[Sequence[int]], owners: Sequence[int] | None = None) -> list[list[int]]:
    """Return how long each list is, and all entries as distances to the owner of their list."""
    owners = owners if owners is not None else range(len(rows))
    return [
        [len(one) for one in rows],
        [owner - entry for owner, one in zip(owners, rows, strict=True) for entry in one],
    ]

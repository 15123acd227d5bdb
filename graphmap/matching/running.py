"""Counters that run on from block to block: `block_1/dense_6` is the first dense of its block."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from graphmap.matching.bare import Templates
from graphmap.matching.tokens import MARK, prefixes

__all__ = ["rank_running"]

FEWEST = 3  # blocks that a counter runs through
COUNTED = "_" + MARK  # as TensorFlow and Keras count

Scope = tuple[str, int]  # prefix that ends in the counter, which index of the name that is


def rank_running(templates: Templates) -> None:
    """Count anew in each block where all blocks hold equally many of what a counter counts.

    >>> rows = {"b_#/d_#": [((k, 2 * k + j), 0) for k in range(3) for j in range(2)]}
    >>> rank_running(rows)
    >>> [numbers for numbers, _ in rows["b_#/d_#"]]
    [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    """
    values: dict[Scope, dict[tuple[int, ...], set[int]]] = defaultdict(lambda: defaultdict(set))
    scopes: dict[str, list[Scope]] = {}
    for text, members in templates.items():
        heads = enumerate(prefixes(text))
        ways = [(head, at) for at, head in heads if at and head.endswith(COUNTED)]
        for way in ways:
            for numbers, _ in members:
                values[way][numbers[: way[1]]].add(numbers[way[1]])
        if ways:
            scopes[text] = ways
    running = {way for way, blocks in values.items() if _runs_on(blocks)}
    for text, ways in scopes.items():
        for way in reversed(ways):  # the inner ones first: they are told by the numbers around
            if way in running:
                ranks = {
                    block: {value: rank for rank, value in enumerate(sorted(row))}
                    for block, row in values[way].items()
                }
                at = way[1]
                templates[text] = [
                    ((*n[:at], ranks[n[:at]][n[at]], *n[at + 1 :]), position)
                    for n, position in templates[text]
                ]


def _runs_on(blocks: dict[tuple[int, ...], set[int]]) -> bool:
    rows = [blocks[block] for block in sorted(blocks)]
    if len(rows) < FEWEST or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return False
    return all(max(one) < min(other) for one, other in pairwise(rows))

"""One-to-one assignment of groups, and for each pair what the best assignment without it costs."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from graphmap.matching.pairs import Pair

__all__ = ["assign"]

FAR = float("inf")


def assign(pairs: Sequence[Pair]) -> list[tuple[Pair, float]]:
    """Return the pairs of the best assignment, each with its margin in bits.

    Best: the sum of bits is largest; a group may stay alone at 0 bits. Margin: that sum minus the
    best sum of an assignment without this pair. Ties are broken by the order of `pairs`.
    """
    useful = [pair for pair in pairs if pair.bits > 0]
    chosen = []
    for part in _components(useful):
        chosen.extend(_Assignment(part).solve())
    return chosen


def _components(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Split the pairs into parts that share no group."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for pair in pairs:
        parent[root(id(pair.expected))] = root(id(pair.actual))
    parts: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        parts[root(id(pair.expected))].append(pair)
    return list(parts.values())


class _Assignment:
    """Successive shortest augmenting paths with potentials (Jonker and Volgenant), sparse.

    Every row has a column of its own beside the real ones: to stay alone, at cost 0.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.rows = list(dict.fromkeys(id(pair.expected) for pair in pairs))
        columns = list(dict.fromkeys(id(pair.actual) for pair in pairs))
        self.width = len(columns)
        row_at = {key: at for at, key in enumerate(self.rows)}
        column_at = {key: at for at, key in enumerate(columns)}
        self.costs: list[dict[int, float]] = [
            {self.width + row: 0.0} for row in range(len(self.rows))
        ]
        self.pair_at: dict[tuple[int, int], Pair] = {}
        for pair in pairs:
            row, column = row_at[id(pair.expected)], column_at[id(pair.actual)]
            self.costs[row][column] = -pair.bits
            self.pair_at[row, column] = pair
        self.takers: list[list[int]] = [[] for _ in range(self.width + len(self.rows))]
        for row, costs in enumerate(self.costs):
            for column in costs:
                self.takers[column].append(row)
        # u + v <= cost everywhere; the rows start at their cheapest cost
        self.u = [min(costs.values()) for costs in self.costs]
        self.v = [0.0] * (self.width + len(self.rows))
        self.row_of: list[int] = [-1] * len(self.v)
        self.column_of: list[int] = [-1] * len(self.rows)

    def solve(self) -> list[tuple[Pair, float]]:
        for row in range(len(self.rows)):
            self._augment(row)
        return [
            (self.pair_at[row, column], self._regret(row, column))
            for row, column in enumerate(self.column_of)
            if column < self.width
        ]

    def _search(self, start: int) -> tuple[int, dict[int, float], dict[int, int]]:
        """Dijkstra over reduced costs from row `start` to a free column.

        Returns that column, the distances of the settled columns, the row before each column.
        """
        before: dict[int, int] = {}
        best: dict[int, float] = {}
        settled: dict[int, float] = {}
        heap: list[tuple[float, int]] = []
        row, done = start, 0.0
        while True:
            for column, cost in self.costs[row].items():
                if column in settled:
                    continue
                far = done + max(0.0, cost - self.u[row] - self.v[column])
                if far < best.get(column, FAR):
                    best[column] = far
                    before[column] = row
                    heapq.heappush(heap, (far, column))
            while True:
                done, column = heapq.heappop(heap)
                if column not in settled:
                    break
            settled[column] = done
            if self.row_of[column] < 0:
                return column, settled, before
            row = self.row_of[column]

    def _augment(self, start: int) -> None:
        column, settled, before = self._search(start)
        length = settled[column]
        for other, far in settled.items():
            if other != column:
                self.u[self.row_of[other]] += length - far
                self.v[other] -= length - far
        self.u[start] += length
        while True:
            row = before[column]
            self.row_of[column] = row
            self.column_of[row], column = column, self.column_of[row]
            if row == start:
                return

    def _regret(self, row: int, column: int) -> float:
        """What the best assignment loses if this pair is forbidden.

        The row looks for another column. Either it ends where it stood (that column is free now),
        or in another free column, and the one it left goes to whom it helps most.
        """
        settled: set[int] = set()
        heap: list[tuple[float, int]] = []
        at, done, least = row, 0.0, FAR
        while True:
            for other, cost in self.costs[at].items():
                if other not in settled and (at != row or other != column):
                    far = done + max(0.0, cost - self.u[at] - self.v[other])
                    heapq.heappush(heap, (far, other))
            while heap and heap[0][1] in settled:
                heapq.heappop(heap)
            if not heap or heap[0][0] >= least:
                return least
            done, other = heapq.heappop(heap)
            settled.add(other)
            if other == column:
                return done
            at = self.row_of[other]
            if at < 0:  # the first free column is the nearest; then only `column` can be better
                least = done + self._freed(row, column)
                at = row

    def _freed(self, row: int, column: int) -> float:
        """The least loss when `row` leaves `column`: it stays empty, or others move up."""
        settled: set[int] = set()
        heap = [(0.0, column)]
        least = FAR
        while heap and heap[0][0] < least:
            done, at = heapq.heappop(heap)
            if at in settled:
                continue
            settled.add(at)
            least = min(least, done - self.v[at])
            for other in self.takers[at]:
                left = self.column_of[other]
                if other != row and left != at and left not in settled:
                    cost = self.costs[other][at] - self.u[other] - self.v[at]
                    heapq.heappush(heap, (done + max(0.0, cost), left))
        return least

"""Two sides that fit each other as wholes: every open group has its place, on both.

Where nothing of either side would be left over, the two are one model, whatever the words say.
Then only pairs that some complete pairing holds are possible, and a pair that all complete pairings
hold is settled by that alone (such edges: Regin, A filtering algorithm for constraints of
difference in CSPs, AAAI 1994).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from graphmap.matching.groups import Group
from graphmap.matching.pairs import Pair

__all__ = ["fitting_pairs"]

MOST = 300  # groups of a side that are looked at

Edges = Mapping[int, Sequence[int]]


def fitting_pairs(
    expected: Sequence[Group], actual: Sequence[Group], pairs: Iterable[Pair]
) -> list[Pair]:
    """Return the pairs that stand in some complete pairing; none where there is none.

    Modules go together as a whole (kernel and bias), or where that fits nothing, groups do.
    """
    if not 0 < len(expected) <= MOST or len(expected) > 2 * len(actual):
        return []
    whole = [p for p in pairs if len(p.links) == len(p.expected) == len(p.actual)]
    return _by_module(expected, actual, whole) or _by_group(expected, actual, whole)


def _by_group(
    expected: Sequence[Group], actual: Sequence[Group], pairs: Sequence[Pair]
) -> list[Pair]:
    rows = {id(group): at for at, group in enumerate(expected)}
    columns = {id(group): at for at, group in enumerate(actual)}
    edges: dict[int, list[int]] = defaultdict(list)
    for pair in pairs:
        edges[rows[id(pair.expected)]].append(columns[id(pair.actual)])
    possible = _possible(edges, len(expected), len(actual))
    return [p for p in pairs if (rows[id(p.expected)], columns[id(p.actual)]) in possible]


def _by_module(
    expected: Sequence[Group], actual: Sequence[Group], pairs: Sequence[Pair]
) -> list[Pair]:
    sizes: list[dict[str, int]] = []
    for side in (expected, actual):
        counts: dict[str, int] = defaultdict(int)
        for group in side:
            counts[group.module] += 1
        sizes.append(counts)
    rows, columns = ({m: at for at, m in enumerate(counts)} for counts in sizes)
    inside: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        inside[pair.expected.module, pair.actual.module].append(pair)
    kept: dict[tuple[int, int], list[Pair]] = {}
    edges: dict[int, list[int]] = defaultdict(list)
    for (mine, other), between in inside.items():
        if sizes[0][mine] != sizes[1][other]:
            continue
        groups = [
            list({id(g): g for g in side}.values())
            for side in zip(*((p.expected, p.actual) for p in between), strict=True)
        ]
        if len(groups[0]) < sizes[0][mine] or len(groups[1]) < sizes[1][other]:
            continue
        fitting = _by_group(groups[0], groups[1], between)
        if fitting:
            kept[rows[mine], columns[other]] = fitting
            edges[rows[mine]].append(columns[other])
    possible = _possible(edges, len(rows), len(columns))
    return [pair for edge in sorted(possible) for pair in kept[edge]]


def _possible(edges: Edges, rows: int, columns: int) -> set[tuple[int, int]]:
    """Return the edges of all complete pairings of equally many rows and columns."""
    if rows != columns:
        return set()
    taken: dict[int, int] = {}  # column: row
    for row in range(rows):
        if not _augment(row, edges, taken, set()):
            return set()
    # An edge row -> column is in another complete pairing if a way leads back from the row that
    # has the column now.
    reach = {row: _reach(row, edges, taken) for row in range(rows)}
    return {
        (row, column)
        for row in range(rows)
        for column in edges[row]
        if taken[column] == row or row in reach[taken[column]]
    }


def _augment(row: int, edges: Edges, taken: dict[int, int], seen: set[int]) -> bool:
    for column in edges.get(row, ()):
        if column in seen:
            continue
        seen.add(column)
        if column not in taken or _augment(taken[column], edges, taken, seen):
            taken[column] = row
            return True
    return False


def _reach(start: int, edges: Edges, taken: Mapping[int, int]) -> set[int]:
    found = {start}
    queue = [start]
    while queue:
        for column in edges.get(queue.pop(), ()):
            row = taken[column]
            if row not in found:
                found.add(row)
                queue.append(row)
    return found

"""A forward part at four distances: each view leaves out ops and joins what lay around them.

The nearer a view, the more it tells apart; the farther, the less a local difference disturbs it
(dropout, another norm, a loop rolled out, a loss behind the outputs).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from graphmap.matching.forward import Forward, Place
from graphmap.matching.layout import Label

__all__ = ["VIEWS", "View", "make_view"]

TELLING = frozenset({"Softmax", "Sigmoid", "Tanh", "MaxPool", "AvgPool", "Split", "Unpack"})
SLOTS = 64  # more than any op has ports; an edge's mark is port * SLOTS + slot
Edge = tuple[int, int]  # mark, node
VIEWS = ("ops", "junctions", "weights", "kernels")


class View(NamedTuple):
    """own: of each node, what it is. before, behind: its edges.

    holders: of each variable, (its role, the nodes it enters).
    """

    own: list[tuple[object, ...]]
    before: list[list[Edge]]
    behind: list[list[Edge]]
    holders: dict[int, list[tuple[object, list[int]]]]


def make_view(forward: Forward, labels: Mapping[int, Label], distance: int) -> View:
    """Return the view at an index of VIEWS."""
    places = {v: rows for v, rows in forward.places.items() if rows}
    if distance < 3:
        exact = {
            v: [p for p in rows if p.path[0][0] != "update"] for v, rows in sorted(places.items())
        }
        return _plain(forward, labels, exact, distance)
    return _kernels(forward, labels, places)


def _plain(
    forward: Forward,
    labels: Mapping[int, Label],
    places: Mapping[int, Sequence[Place]],
    distance: int,
) -> View:
    size = len(forward.classes)
    held: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    users: dict[int, set[int]] = defaultdict(set)
    for v, rows in places.items():
        for place in rows:
            role = place.path if distance < 2 else (place.kind,)
            held[place.op].append((labels[v], role))
            users[place.op].add(v)
    if distance == 0:
        kept = list(range(size))
    elif distance == 1:
        kept = [at for at in range(size) if at in held or _is_junction(forward, at)]
    else:
        kept = sorted(held)
    join = {at: frozenset(users[at]) for at in kept} if distance == 2 else {}
    sources = _nearest(forward, kept, ported=distance < 2)
    own = [(forward.classes[at], tuple(sorted(held[at]))) for at in kept]
    number, merged, before, behind = _merge(kept, own, sources, join)
    holders: dict[int, list[tuple[object, list[int]]]] = {}
    for v, rows in places.items():
        roles = {(p.path if distance < 2 else (p.kind,), number[p.op]) for p in rows}
        by_role: dict[object, list[int]] = defaultdict(list)
        for role, node in sorted(roles):
            by_role[role].append(node)
        if by_role:
            holders[v] = list(by_role.items())
    return View(merged, before, behind, holders)


def _is_junction(forward: Forward, at: int) -> bool:
    return forward.classes[at] in TELLING or len({s for _, _, s in forward.inputs[at]}) > 1


def _kernels(
    forward: Forward, labels: Mapping[int, Label], places: Mapping[int, Sequence[Place]]
) -> View:
    """Only where kernels enter; vectors hang between the kernels before and behind them."""
    big = {v for v in places if len(labels[v]) > 1}
    held: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    users: dict[int, set[int]] = defaultdict(set)
    for v in sorted(big):
        for place in places[v]:
            held[place.op].append(labels[v])
            users[place.op].add(v)
    kept = sorted(held)
    join = {at: frozenset(users[at]) for at in kept}
    sources = _nearest(forward, kept, ported=False)
    own = [(forward.classes[at], tuple(sorted(held[at]))) for at in kept]
    number, merged, before, behind = _merge(kept, own, sources, join)
    up = _reach(forward.inputs, number, range(len(forward.classes)))
    down = _reach(_turned(forward), number, reversed(range(len(forward.classes))))
    holders: dict[int, list[tuple[object, list[int]]]] = {}
    for v, rows in sorted(places.items()):
        if v in big:
            holders[v] = [("kernel", sorted({number[p.op] for p in rows}))]
            continue
        above = sorted({node for p in rows for node in up[p.op]})
        below = sorted({node for p in rows for node in down[p.op]})
        kind = rows[0].kind
        holders[v] = [((kind, "below"), above), ((kind, "above"), below)]
    return View(merged, before, behind, holders)


def _turned(forward: Forward) -> list[list[tuple[int, int, int]]]:
    turned: list[list[tuple[int, int, int]]] = [[] for _ in forward.classes]
    for at, row in enumerate(forward.inputs):
        for _, _, source in row:
            turned[source].append((0, 0, at))
    return turned


def _reach(
    edges: Sequence[Sequence[tuple[int, int, int]]],
    number: Mapping[int, int],
    order: Iterable[int],
) -> list[tuple[int, ...]]:
    """Of each op the nearest kept nodes along `edges`, itself included."""
    masks = [0] * len(edges)
    passed: dict[int, int] = defaultdict(int)
    for at in order:
        mask = 0
        for source in {s for _, _, s in edges[at]}:
            mask |= masks[source]
        mask = _reduced(mask, passed)
        node = number.get(at)
        if node is not None:
            for other in _bits(mask):
                passed[node] |= passed[other] | 1 << other
            mask = 1 << node
        masks[at] = mask
    return [tuple(_bits(mask)) for mask in masks]


def _nearest(
    forward: Forward, kept: Sequence[int], ported: bool
) -> dict[int, list[tuple[int, int]]]:
    """Return {kept op: [(mark, kept op before it)]}; of several on one way only the last."""
    number = {at: n for n, at in enumerate(kept)}
    masks = [0] * len(forward.classes)
    passed = [0] * len(kept)  # of each kept op, all kept ops before it
    found: dict[int, list[tuple[int, int]]] = {}
    for at, row in enumerate(forward.inputs):
        node = number.get(at)
        if node is None or not ported:
            mask = 0
            for source in {s for _, _, s in row}:
                mask |= masks[source]
            mask = _reduced(mask, passed)
        if node is None:
            masks[at] = mask
            continue
        if ported:
            edges = [(port * SLOTS + slot, masks[s]) for port, slot, s in row]
        else:
            edges = [(0, mask)]
        found[at] = [(mark, kept[other]) for mark, many in edges for other in _bits(many)]
        for _, many in edges:
            for other in _bits(many):
                passed[node] |= passed[other] | 1 << other
        masks[at] = 1 << node
    return found


def _reduced(mask: int, passed: Sequence[int] | Mapping[int, int]) -> int:
    if mask & (mask - 1):
        for other in _bits(mask):
            mask &= ~passed[other]
    return mask


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _merge(
    kept: Sequence[int],
    own: Sequence[tuple[object, ...]],
    sources: Mapping[int, Sequence[tuple[int, int]]],
    join: Mapping[int, object],
) -> tuple[dict[int, int], list[tuple[object, ...]], list[list[Edge]], list[list[Edge]]]:
    """Make one node of ops that use the same variables: steps of a loop, copies of a tower."""
    number: dict[int, int] = {}
    first: dict[object, int] = {}
    merged: list[tuple[object, ...]] = []
    for at, mine in zip(kept, own, strict=True):
        key = (join[at], mine[0]) if join else at
        if key not in first:
            first[key] = len(merged)
            merged.append(mine)
        number[at] = first[key]
    before: list[set[Edge] | list[Edge]] = [set() if join else [] for _ in merged]
    for at in kept:
        row = before[number[at]]
        for mark, source in sources[at]:
            if isinstance(row, set):
                if number[source] != number[at]:
                    row.add((mark, number[source]))
            else:
                row.append((mark, number[source]))
    behind: list[list[Edge]] = [[] for _ in merged]
    sorted_before = [sorted(row) for row in before]
    for node, row in enumerate(sorted_before):
        for mark, source in row:
            behind[source].append((mark, node))
    return number, merged, sorted_before, behind

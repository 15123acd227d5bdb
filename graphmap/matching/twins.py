"""Scopes that hold the same things: which one is meant, by the evidence of all their groups.

A single group prefers `generator/` to `model/` by a fraction of a bit; forty groups that all
prefer it decide. Where they do not, the scopes stay undecided and nothing is committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

from graphmap.matching.evidence.count import count_evidence
from graphmap.matching.groups import Group
from graphmap.matching.pairs import Context, Pair
from graphmap.matching.tokens import MARK, segments

__all__ = ["copies", "decide_scopes", "find_twins", "unit_names"]

DEEPEST = 3  # segments of a scope that is compared with others
FEWEST = 3  # groups that two scopes have in common
MOST_SIBLINGS = 200  # scopes under one parent that are compared
COMMON = 0.5  # share of the smaller scope's groups that the other one has too
FULL = 0.8  # the same for copies, of the larger scope
DECIDED = 8.0  # bits of all groups together that choose a scope
LOST = 25.0  # bits that a pair loses with the scope that was not chosen

Scopes = dict[str, dict[str, Group]]  # scope: {what lies below it: group}


def _scopes(groups: Sequence[Group]) -> Scopes:
    found: Scopes = defaultdict(dict)
    for group in groups:
        path = segments(group.template)
        literals = [word for word in group.words if word[0] in "=@"]
        for depth in range(1, min(DEEPEST, len(path) - 1) + 1):
            marks = sum(part.count(MARK) for part in path[:depth])
            inside = literals[sum(at < marks for at, _ in group.fixed) :]
            tail = "/".join(path[depth:]) + "|" + ",".join(inside)
            found["/".join(path[:depth])][tail] = group
    return found


def find_twins(groups: Sequence[Group], share: float = COMMON) -> list[tuple[str, str, Scopes]]:
    """Return pairs of scopes that hold mostly the same: of one parent, or wrapped in another."""
    scopes = _scopes(groups)
    twins: list[tuple[str, str, Scopes]] = []
    for one, other in _siblings(scopes) + (_wrapped(scopes) if share == COMMON else []):
        common = scopes[one].keys() & scopes[other].keys()
        sizes = sorted((len(scopes[one]), len(scopes[other])))
        least = share * (sizes[1] if share == FULL else sizes[0])
        if len(common) >= FEWEST and len(common) >= least:
            twins.append((one, other, {s: scopes[s] for s in (one, other)}))
    return twins


def _siblings(scopes: Scopes) -> list[tuple[str, str]]:
    """Return pairs of scopes under one parent that hold enough; of a crowd none are twins."""
    children: dict[str, list[str]] = defaultdict(list)
    for scope in sorted(scopes):
        if len(scopes[scope]) >= FEWEST:
            children[_parent(scope)].append(scope)
    pairs = [
        p for row in children.values() if len(row) <= MOST_SIBLINGS for p in combinations(row, 2)
    ]
    return sorted(pairs)


def _wrapped(scopes: Scopes) -> list[tuple[str, str]]:
    """Return pairs of a scope and the same name inside another one: `net` and `ema/net`."""
    inner = {scope: scope.partition("/")[2] for scope in scopes}
    return sorted(
        (inside, scope)
        for scope, inside in inner.items()
        if inside and inside in scopes and not scope.startswith(inside + "/")
    )


def _parent(scope: str) -> str:
    return scope.rpartition("/")[0]


def copies(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    """Return (group, its copy) for scopes that are full copies of an earlier one."""
    found: dict[int, tuple[Group, Group]] = {}
    originals: set[int] = set()
    for one, other, scopes in find_twins(groups, FULL):
        common = scopes[one].keys() & scopes[other].keys()
        if len(scopes[one]) < 2 * FEWEST or any(
            scopes[one][tail].shapes != scopes[other][tail].shapes for tail in common
        ):
            continue
        for tail, copy in scopes[other].items():
            original = scopes[one].get(tail)
            if original is None or id(copy) in found or id(copy) in originals:
                continue
            if id(original) not in found:
                found[id(copy)] = (original, copy)
                originals.add(id(original))
    return list(found.values())


def decide_scopes(
    expected: Sequence[Group], actual: Sequence[Group], pairs: Sequence[Pair], context: Context
) -> bool:
    """Note in `context.scopes` what the twins of the actual side lose; whether there were any."""
    twins = find_twins(actual)
    if not twins:
        return False
    best: dict[int, dict[int, float]] = defaultdict(dict)
    for pair in pairs:
        counted = count_evidence(pair, context)  # which is whole does not tell which is meant
        best[id(pair.expected)][id(pair.actual)] = pair.bits - (counted.bits if counted else 0.0)
    units = _units(expected)
    noted = False
    for one, other, scopes in twins:
        sides = [{id(group) for group in scopes[s].values()} for s in (one, other)]
        leans = [_lean(unit, best, sides) for unit in units]
        middle = sum(leans) / len(leans) if len(units) > 1 else 0.0
        for unit, lean in zip(units, leans, strict=True):
            lean -= middle
            if abs(lean) < DECIDED:
                continue
            loser = sides[1] if lean > 0 else sides[0]
            winner = one if lean > 0 else other
            noted = True
            for group in unit:
                for key in best[id(group)]:
                    if key in loser and (id(group), key) not in context.scopes:
                        why = f"all groups together prefer {winner}"
                        context.scopes[id(group), key] = (-LOST, why)
    return noted


def unit_names(expected: Sequence[Group]) -> list[str]:
    """Return the scopes of the expected side that choose on their own: its outermost twins."""
    twins = find_twins(expected)
    names = sorted({name for one, other, _ in twins for name in (one, other)})
    return [n for n in names if not any(n.startswith(m + "/") for m in names)]


def _units(expected: Sequence[Group]) -> list[list[Group]]:
    """Split the expected groups into scopes that choose on their own: its twins, else all."""
    tops = unit_names(expected)
    scopes = _scopes(expected)
    if not tops:
        return [list(expected)]
    return [list(scopes[name].values()) for name in tops]


def _lean(
    unit: Sequence[Group], best: dict[int, dict[int, float]], sides: Sequence[set[int]]
) -> float:
    """Bits by which the groups of a unit together prefer the first side."""
    total = 0.0
    for group in unit:
        found = best.get(id(group), {})
        tops = [max((b for k, b in found.items() if k in side), default=None) for side in sides]
        if tops[0] is not None and tops[1] is not None and max(tops[0], tops[1]) > 0:
            total += tops[0] - tops[1]
    return total

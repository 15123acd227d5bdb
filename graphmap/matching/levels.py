"""Groups -> links between variables, level by level: what one level settles teaches the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphmap.matching.assign import assign
from graphmap.matching.decide import Found
from graphmap.matching.groups import Group, build_groups
from graphmap.matching.pairs import Context, Pair, expected_habit, propose, weights_of
from graphmap.matching.scoring import evidence_of, make_features, score_pairs
from graphmap.model.variable import Variable

__all__ = ["Result", "match_groups"]

SURE = 5.0  # bits of score and of margin that settle a pair for the next level


@dataclass(slots=True)
class Result:
    """links: who is who. rivals: {expected name: [(actual variable, bits)]}, best first."""

    links: list[Found] = field(default_factory=list)
    rivals: dict[str, list[tuple[Variable, float]]] = field(default_factory=dict)


def match_groups(
    wanted: Sequence[Variable],
    open_expected: Sequence[int],
    pool: Sequence[Variable],
    open_actual: Sequence[int],
) -> Result:
    """Match the variables at the open positions of both sides."""
    result = Result()
    anchors: list[Pair] = []
    left, right = list(open_expected), list(open_actual)
    habit = expected_habit(
        build_groups(wanted, open_expected, True), build_groups(pool, open_actual, True)
    )
    for fine in (True, True, False, False):
        if not left or not right:
            break
        settled = _one_level(wanted, left, pool, right, fine, habit, anchors, result)
        left = [at for at in left if at not in settled[0]]
        right = [at for at in right if at not in settled[1]]
    return result


def _one_level(
    wanted: Sequence[Variable],
    left: Sequence[int],
    pool: Sequence[Variable],
    right: Sequence[int],
    fine: bool,
    habit: float,
    anchors: list[Pair],
    result: Result,
) -> tuple[set[int], set[int]]:
    expected = build_groups(wanted, left, fine)
    actual = build_groups(pool, right, fine)
    pairs = propose(expected, actual, loose=not fine)
    context = make_context(expected, actual, anchors)
    context.turned = habit
    score_pairs(pairs, anchors, context)
    used_expected: set[int] = set()
    used_actual: set[int] = set()
    note_rivals(pairs, wanted, pool, result)
    for pair, margin in assign(pairs):
        if min(pair.bits, margin) < SURE:
            continue
        anchors.append(pair)
        evidence = evidence_of(pair, context)
        for e, a in pair.links:
            one, other = pair.expected.members[e][1], pair.actual.members[a][1]
            used_expected.add(one)
            used_actual.add(other)
            result.links.append(Found(wanted[one], pool[other], pair.bits, margin, evidence))
    return used_expected, used_actual


def make_context(
    expected: Sequence[Group], actual: Sequence[Group], anchors: Sequence[Pair]
) -> Context:
    """Weigh the words of both sides, settled groups included."""
    all_expected = [*expected, *(pair.expected for pair in anchors)]
    all_actual = [*actual, *(pair.actual for pair in anchors)]
    features, repeated = make_features(all_expected)
    features_back, repeated_back = make_features(all_actual)
    return Context(
        weights_of(all_expected),
        weights_of(all_actual),
        repeated=(repeated, repeated_back),
        features=features | features_back,
    )


def note_rivals(
    pairs: Sequence[Pair], wanted: Sequence[Variable], pool: Sequence[Variable], result: Result
) -> None:
    """Remember the best actual names of every expected one, whatever is decided."""
    by_group: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_group.setdefault(id(pair.expected), []).append(pair)
    for found in by_group.values():
        found.sort(key=lambda pair: -pair.bits)
        for pair in found[:5]:
            for e, a in pair.links:
                name = wanted[pair.expected.members[e][1]].name
                other = pool[pair.actual.members[a][1]]
                result.rivals.setdefault(name, []).append((other, pair.bits))

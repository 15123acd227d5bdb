"""Candidates: pairs of groups whose kinds and shapes allow them, and what the rules may look at."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from graphmap.matching.alignment import Links, align, could_fit
from graphmap.matching.crowd import nearest
from graphmap.matching.groups import Group
from graphmap.matching.kinds import kind_agreement
from graphmap.matching.layout import find_layout, shapes_fit
from graphmap.matching.tokens import MARK, segments
from graphmap.matching.vocabulary import GENERIC

__all__ = [
    "CLEAR",
    "Context",
    "Learned",
    "Pair",
    "common_words",
    "counters_cross",
    "propose",
    "weights_of",
]

GENERIC_SHARE = 0.3  # weight of a word that wraps without telling, and of a lone letter
LITERAL_SHARE = 0.35  # weight of an index that stands for itself
CLEAR = 0.8  # likeness of words, or share of going together, that surely means the same
HABIT = 0.85  # how far the names of kernels tell the order of their axes
FITS = {"same": 1.0, "transpose": 0.95, "permute": 0.95, "reshape": 0.92}


Learned = dict[str, dict[str, float]]


class Pair:
    """An expected and an actual group.

    fit: how well the shapes agree, None where unknown. turned: whether a kernel that is not
    square changes the order of its axes, None where that cannot be seen. alone: no other pair
    has either group. vetoed: nothing tells which member is which.
    """

    __slots__ = ("actual", "agreement", "alone", "bits", "expected", "fit", "links", "turned",
                 "vetoed")  # fmt: skip

    def __init__(
        self,
        expected: Group,
        actual: Group,
        links: Links,
        agreement: float,
        fit: float | None,
        turned: bool | None = None,
        bits: float = 0.0,
    ) -> None:
        self.expected = expected
        self.actual = actual
        self.links = links
        self.agreement = agreement
        self.fit = fit
        self.turned = turned
        self.alone = False
        self.vetoed = False
        self.bits = bits


class Context:
    """What the rules know beside the pair.

    weights: of the words of each side, by information content.
    learned: {expected feature: {actual feature: how often they go together, in [0, 1]}}.
    learned_back: the same from the other side. shown: by settled stacks alone.
    teaching: {id of a group: sum of weights, (feature, weight) of those that can teach}; backed:
    {id of a group: share of its words that can}. Both are reckoned when they are asked for.
    repeated: features of each side that two modules or more have; only these can teach.
    modules: {expected module: actual modules that settled pairs lead to}.
    turned: belief that the two sides keep kernels the other way round; None: nothing shows it.
    slots: whether any actual variable has optimizer slots.
    leaves: of each whole side, {last part of a name: how many variables have it}.
    common: words that most modules of the expected side have.
    orders: {(id of expected group, id of actual group): bits} from the order of stages.
    scopes: {(id of expected group, id of actual group): bits} from whole scopes.
    crossed: a counter that both sides use stands at other shapes on either side.
    levels: prefixes of expected names whose index falls as variables are made.
    stacks: (expected, actual) prefixes of which pins tell which layer is which.
    attending: prefixes of expected names, ending in an index, below which stands an attention.
    foreign: few of the settled pairs have words in common.
    whole: ids of the groups of pairs with which the two sides fit as wholes.
    told: {(side, scope that counts): bits by which the order of shapes confirms the counting}.
    apart: (expected, actual) scopes that count of which sizes tell every member from the others.
    """

    def __init__(
        self,
        expected_weights: dict[str, float],
        actual_weights: dict[str, float],
        repeated: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
        features: dict[int, tuple[str, ...]] | None = None,
        common: frozenset[str] = frozenset(),
    ) -> None:
        self.expected_weights = expected_weights
        self.actual_weights = actual_weights
        self.learned: Learned = {}
        self.learned_back: Learned = {}
        self.shown: Learned = {}
        self.repeated = repeated
        self.common = common
        self.scopes: dict[tuple[int, int], tuple[float, str]] = {}
        self.orders: dict[tuple[int, int], tuple[float, str]] = {}
        self.features = features or {}
        self.backed: dict[int, float] = {}
        self.teaching: dict[int, tuple[float, list[tuple[str, float]]]] = {}
        self.modules: dict[str, set[str]] = {}
        self.turned: float | None = None
        self.slots = False
        self.leaves: tuple[Mapping[str, int], Mapping[str, int]] = ({}, {})
        self.crossed = False
        self.levels: frozenset[str] = frozenset()
        self.stacks: frozenset[tuple[str, str]] = frozenset()
        self.attending: frozenset[str] = frozenset()
        self.foreign = False
        self.whole: frozenset[tuple[int, int]] = frozenset()
        self.told: dict[tuple[str, str], float] = {}
        self.apart: set[tuple[str, str]] = set()


def weights_of(groups: Sequence[Group]) -> dict[str, float]:
    """Return {word: weight}: rare words tell most; a word of every module tells nothing."""
    modules: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        for word in group.words:
            modules[word].add(group.module)
    total = len({group.module for group in groups})
    weights = {}
    for word, having in modules.items():
        weight = math.log(1 + total / len(having))
        if word[0] in "=@":
            weight *= LITERAL_SHARE
        elif word in GENERIC or (len(word) == 1 and word.isascii()):
            weight *= GENERIC_SHARE
        weights[word] = weight
    return weights


def common_words(groups: Sequence[Group]) -> frozenset[str]:
    """Return the words that more than half of the modules have: scopes, which choose nothing."""
    words = {group.module: set(group.words) for group in groups}
    times = Counter(word for own in words.values() for word in own)
    return frozenset(word for word, having in times.items() if 2 * having > len(words))


def expected_habit(expected: Sequence[Group], actual: Sequence[Group]) -> float:
    """Return the belief, from names alone, that the sides keep kernels the other way round.

    What is called `a.b.weight` is kept as (out, in), whatever else as (in, out).
    """
    sides = [[g for g in groups if g.kind.letter == "M"] for groups in (expected, actual)]
    dotted = [
        2 * sum(g.kind.sub == "weight" and "." in g.template and "/" not in g.template for g in gs)
        > len(gs)
        for gs in sides
    ]
    return HABIT if dotted[0] != dotted[1] else 1 - HABIT


def propose(
    expected: Sequence[Group], actual: Sequence[Group], loose: bool, first: bool
) -> list[Pair]:
    """Return the pairs that kinds and shapes allow, in the order of the groups.

    loose: members of unequal groups may be told apart by their shapes alone. first: nothing has
    been taken yet, so a pair without rivals had none to begin with.
    A bias is no candidate where the kernels beside it do not fit. Groups whose members cannot be
    told apart are a pair without links: it commits nothing, but is a rival to the others.
    """
    pairs = []
    refused = set()  # modules whose kernels (or other tensors of one kind) do not fit
    near = nearest(expected, actual)
    by_letter = _by_letter(actual)
    subs = [{group.kind.sub for group in groups} for groups in (expected, actual)]
    for wanted in expected:
        looked_at = by_letter if near is None else _by_letter(near[id(wanted)])
        for letter, groups in looked_at.items():
            if letter not in ALLOWED[wanted.kind.letter]:
                continue
            for group in groups:
                agreement = kind_agreement(wanted.kind, group.kind)
                if agreement is None or _words_differ(wanted.kind.sub, group.kind.sub, subs):
                    continue
                links = align(wanted, group, loose)
                if links is not None:
                    fit = _fit(wanted, group, links)
                    turned = _is_turned(wanted, group, links)
                    pairs.append(Pair(wanted, group, links, agreement, fit, turned))
                elif could_fit(wanted, group):
                    fit = _fit(wanted, group, ((0, 0),))
                    pairs.append(Pair(wanted, group, (), agreement, fit))
                elif letter == wanted.kind.letter != "?":
                    refused.add((wanted.module, group.module))
    pairs = [p for p in pairs if (p.expected.module, p.actual.module) not in refused]
    if first:
        _mark_alone(pairs)
    return pairs


def _by_letter(groups: Sequence[Group]) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        found[group.kind.letter].append(group)
    return found


def _mark_alone(pairs: Sequence[Pair]) -> None:
    """Mark pairs without rivals, unless a sibling has some: a head's bias is not its proof."""
    rows = Counter(id(pair.expected) for pair in pairs)
    columns = Counter(id(pair.actual) for pair in pairs)
    rivals = {
        pair.expected.module
        for pair in pairs
        if rows[id(pair.expected)] > 1 or columns[id(pair.actual)] > 1
    }
    for pair in pairs:
        pair.alone = pair.fit is not None and pair.expected.module not in rivals


def _words_differ(expected: str, actual: str, subs: Sequence[set[str]]) -> bool:
    """Whether both sides have both words: then `bias` is not what the other calls `beta`."""
    if expected == actual or not expected or not actual or "weight" in (expected, actual):
        return False
    return expected in subs[1] and actual in subs[0]


def counters_cross(expected: Sequence[Group], actual: Sequence[Group]) -> bool:
    """Whether a counter that stands on both sides, equally long, does not fit number by number."""
    there = {_counted(group): group for group in actual if group.counter}
    for group in expected:
        other = there.get(_counted(group)) if group.counter else None
        if other is None or len(group) != len(other) or not _same_sizes(group, other):
            continue
        if not all(map(shapes_fit, group.shapes, other.shapes)):
            return True
    return False


def _counted(group: Group) -> tuple[str, ...]:
    """Return the segments of a template from its counter on."""
    parts = segments(group.template)
    return parts[next((at for at, part in enumerate(parts) if "_" + MARK in part), 0) :]


def _same_sizes(one: Group, other: Group) -> bool:
    sizes = [Counter(tuple(sorted(map(str, s or ()))) for s in g.shapes) for g in (one, other)]
    return sizes[0] == sizes[1]


ALLOWED = {
    "M": "MG?",
    "G": "GM?",
    "B": "BE?",
    "E": "EB?",
    "U": "U?",
    "V": "V?",
    "?": "MBGEUV?",
}


def is_kernel(pair: Pair) -> bool:
    """Whether a pair is of kernels: matrices that are no tables."""
    return _are_kernels(pair.expected, pair.actual)


def _are_kernels(expected: Group, actual: Group) -> bool:
    if "M" not in (expected.kind.letter, actual.kind.letter):
        return False
    return not any(g.kind.sub == "embedding" or "embedding" in g.words for g in (expected, actual))


def _is_turned(expected: Group, actual: Group, links: Links) -> bool | None:
    if not _are_kernels(expected, actual):
        return None
    for e, a in links[:1] if expected.uniform and actual.uniform else links:
        wanted, found = expected.shapes[e], actual.shapes[a]
        if wanted is None or found is None or len(wanted) < 2 or len(found) < 2:
            return None
        layout = find_layout(wanted, found) or "same"
        if "reshape" not in layout and (wanted != wanted[::-1]):
            return layout != "same"
    return None


@lru_cache(maxsize=1024)
def _worth(layout: str) -> float:
    """Return how well shapes agree that need a layout."""
    return min(FITS[word.partition(":")[0]] for word in layout.split("+"))


def _fit(expected: Group, actual: Group, links: Links) -> float | None:
    total = 0.0
    seen = 0
    for e, a in links[:1] if expected.uniform and actual.uniform else links:
        wanted, found = expected.shapes[e], actual.shapes[a]
        if wanted is None or found is None:
            continue
        layout = find_layout(wanted, found) or "same"
        total += _worth(layout)
        seen += 1
    return total / seen if seen else None

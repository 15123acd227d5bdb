"""Pairs -> bits: all rules summed, in rounds that learn which words go together."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from graphmap.matching.evidence import EVIDENCE, VETOES, Rule
from graphmap.matching.evidence.learned import learned_evidence
from graphmap.matching.evidence.lexical import lexical_evidence, shares_a_word
from graphmap.matching.evidence.novelty import novelty_evidence
from graphmap.matching.groups import Group
from graphmap.matching.pairs import CLEAR, Context, Learned, Pair, common_words, weights_of
from graphmap.matching.tokens import similarity
from graphmap.model.namemap import Evidence

__all__ = ["PRIOR", "evidence_of", "is_guess", "make_context", "make_features", "score_pairs"]

PRIOR = -24.0  # bits against a pair of which nothing is known
HEAT = (
    12.0,
    9.0,
    7.0,
    5.5,
    4.5,
)  # bits for a factor of e in the beliefs; cools from round to round
BALANCING = 8  # rounds of row and column scaling
RIVALS = 2  # pairs of a group from which words choose
BELIEVED = 0.02  # least belief that teaches
TWICE = 2.0  # settled pairs that show what a word means
OFTEN = 3  # links from which a settled pair shows that its words mean the same
VETO = tuple(EVIDENCE.index(rule) for rule in VETOES)
# The rules that look at `Context.learned`, which changes from round to round; the first one only
# asks whether anything was learned.
LEARNING = tuple(EVIDENCE.index(rule) for rule in (lexical_evidence, learned_evidence))


def evidence_of(pair: Pair, context: Context) -> tuple[Evidence, ...]:
    """Return every rule's opinion on a pair, and the prior; the bits sum to the score."""
    found = [rule(pair, context) for rule in EVIDENCE]
    prior = Evidence("prior", PRIOR, "most pairs of fitting shape do not belong together")
    return (prior, *(evidence for evidence in found if evidence is not None))


def score_pairs(pairs: Sequence[Pair], anchors: Sequence[Pair], context: Context) -> None:
    """Set `bits` of every pair; `anchors` are pairs that are settled and teach with belief 1.

    A pair teaches as far as its own words and shapes choose it: of three like towers each would
    else talk itself into one of the three on the other side.
    """
    note_settled(anchors, context)
    context.learned, context.learned_back = {}, {}
    opinions: list[list[float | None]] = [[] for _ in pairs]
    _sum_bits(pairs, context, opinions)
    grounds = _beliefs(pairs, HEAT[-1])
    for heat in HEAT:
        beliefs = [b * g for b, g in zip(_beliefs(pairs, heat), grounds, strict=True)]
        everything = [*pairs, *anchors]
        beliefs.extend(1.0 for _ in anchors)
        knew = bool(context.learned)
        context.learned = _learn(everything, beliefs, context)
        context.learned_back = _turned_round(context.learned)
        _sum_bits(pairs, context, opinions, LEARNING[bool(context.learned) == knew :])


def _sum_bits(
    pairs: Sequence[Pair],
    context: Context,
    opinions: Sequence[list[float | None]],
    anew: Sequence[int] = (),
) -> None:
    """Set `bits` of every pair.

    opinions: of each pair the bits of every rule; filled if empty, else only the rules at the
    places `anew` speak again.
    """
    for pair, bits in zip(pairs, opinions, strict=True):
        if not bits:
            bits.extend([_bits(rule, pair, context) for rule in EVIDENCE])
            pair.vetoed = any(bits[at] is not None for at in VETO)
            for at in VETO:
                bits[at] = None  # the groups may belong together all the same
        else:
            for at in anew:
                bits[at] = _bits(EVIDENCE[at], pair, context)
        total = PRIOR
        for one in bits:
            if one is not None:
                total += one
        pair.bits = total


def _bits(rule: Rule, pair: Pair, context: Context) -> float | None:
    found = rule(pair, context)
    return None if found is None else found.bits


Rivals = Mapping[int, Sequence[Group]]  # {id of a group: those of the other side it may be}


def rivals_of(
    pairs: Sequence[Pair], context: Context, least: float = 0.0, linked: bool = True
) -> Rivals:
    """Return for each group those of the other side that more than `least` bits speak for.

    A scope that was not chosen has none. linked: leave out those of another number of members.
    """
    found: dict[int, list[Group]] = defaultdict(list)
    for pair in pairs:
        chosen = context.scopes.get((id(pair.expected), id(pair.actual)), (0.0, ""))[0] >= 0.0
        if pair.bits > least and (pair.links or not linked) and chosen:
            found[id(pair.expected)].append(pair.actual)
            found[id(pair.actual)].append(pair.expected)
    return found


def is_guess(pair: Pair, rivals: Rivals, every: Rivals, others: Rivals, context: Context) -> bool:
    """Whether only learned words choose this pair: one of them may have taught wrong.

    That is so among rivals, and where each has words of its own that the other side knows, but not
    here. A word that a rival has too chooses nothing. every: rivals that nothing speaks for are
    among them, since of modules that stand once and have words that the other side lacks, learned
    words alone chose one. others: rivals of any number of members are among them.
    """
    keys = id(pair.expected), id(pair.actual)
    if keys in context.orders or pair.expected.module in context.modules:
        return False
    if pair.fit is None and _is_numbered_only(pair, others):
        return True
    if pair.fit is None and novelty_evidence(pair, context) is not None:
        return _chooses_nothing(pair, every, context)
    if shares_a_word(pair, context):
        return pair.fit is None and _chooses_nothing(pair, rivals, context)
    if keys in context.whole:
        ways = sum(keys[0] == mine or keys[1] == other for mine, other in context.whole)
        # without shapes whatever has the same kinds fits
        return ways > 1 and (pair.fit is None or _contradict(pair, context))
    # what differs by a number only is chosen by it
    unlike = [{frozenset(_named(group)) for group in rivals.get(key, ())} for key in keys]
    return max(map(len, unlike)) >= RIVALS or _contradict(pair, context)


def _chooses_nothing(pair: Pair, rivals: Rivals, context: Context) -> bool:
    """Whether a rival has all words that the two have in common, and each has others beside.

    A rival has as many members: another number of them speaks against it.
    """
    mine, theirs = map(_named, (pair.expected, pair.actual))
    alike = {word for word in mine if _is_met(word, theirs)}
    if mine - context.common <= alike or all(_is_met(word, mine) for word in theirs):
        return False
    for group, other in ((pair.expected, pair.actual), (pair.actual, pair.expected)):
        for rival in rivals.get(id(group), ()):
            if rival is other or len(rival) != len(other):
                continue
            if all(_is_met(word, rival.words) for word in alike):
                return True
    return False


def _named(group: Group) -> set[str]:
    return {word for word in group.words if word[0] not in "=@"}


def _is_numbered_only(pair: Pair, rivals: Rivals) -> bool:
    """Whether a number alone tells the actual module from a rival, and a word the expected one.

    How many members the two have is then what chose: `sortcut_bn` is not `bn3` for that.
    """
    mine, theirs = _named(pair.expected), _named(pair.actual)
    if len(theirs) == len(pair.actual.words) or len(mine) < len(pair.expected.words):
        return False
    told = {word for word in mine if not _is_met(word, theirs)}
    return bool(told) and any(
        rival is not pair.actual and _named(rival) == theirs
        for rival in rivals.get(id(pair.expected), ())
    )


def _is_met(word: str, words: Iterable[str]) -> bool:
    return any(similarity(word, other) > 0.0 for other in words)


def _contradict(pair: Pair, context: Context) -> bool:
    """Whether each has a word that means itself elsewhere: `dec_t` is not `encoder_top`."""
    mine, other = pair.expected.words, pair.actual.words
    return _is_strange(mine, other, context.actual_weights, context.common) and _is_strange(
        other, mine, context.expected_weights, context.common
    )


def _is_strange(
    words: Sequence[str], others: Sequence[str], known: Mapping[str, float], common: frozenset[str]
) -> bool:
    """Whether one of the words is known to the other side, but nothing here is like it."""
    return any(
        word in known
        and word[0] not in "=@"
        and word not in common
        and max((similarity(word, other) for other in others), default=0.0) < CLEAR
        for word in words
    )


def make_features(groups: Sequence[Group]) -> tuple[dict[int, tuple[str, ...]], frozenset[str]]:
    """Return {id of group: its words and neighbouring words}, and those that modules share."""
    features: dict[int, tuple[str, ...]] = {}
    modules: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        words = [word for word in group.words if word[0] != "="]
        two = [f"{one} {other}" for one, other in itertools.pairwise(words)]
        features[id(group)] = tuple(dict.fromkeys([*words, *two]))
        for feature in features[id(group)]:
            modules[feature].add(group.module)
    return features, frozenset(f for f, having in modules.items() if len(having) > 1)


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
        common=common_words(all_expected),
    )


def _beliefs(pairs: Sequence[Pair], heat: float) -> list[float]:
    """Share out one unit of belief for each group of either side; the rest stays with nobody."""
    raw = [math.exp(max(-60.0, pair.bits / heat)) for pair in pairs]
    sides = [_numbered([id(pair.expected) for pair in pairs])]
    sides.append(_numbered([id(pair.actual) for pair in pairs]))
    for _ in range(BALANCING):
        for places in sides:
            sums = [1e-9] * len(pairs)
            for at, value in zip(places, raw, strict=True):
                sums[at] += value
            raw = [
                value / sums[at] if sums[at] > 1.0 else value
                for at, value in zip(places, raw, strict=True)
            ]
    return raw


def _numbered(keys: Sequence[int]) -> list[int]:
    """Return for each key the place where it stands first."""
    first: dict[int, int] = {}
    return [first.setdefault(key, at) for at, key in enumerate(keys)]


def _learn(
    pairs: Sequence[Pair], beliefs: Sequence[float], context: Context, least: float = 0.0
) -> Learned:
    """Return the squared Dice of every feature pair under the beliefs: {expected: {actual: d}}.

    least: belief in all that a pair of features needs.
    """
    together: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    expected_mass: dict[str, float] = defaultdict(float)
    actual_mass: dict[str, float] = defaultdict(float)
    for pair, belief in zip(pairs, beliefs, strict=True):
        if belief < BELIEVED:
            continue
        there = context.features[id(pair.actual)]
        for target in there:
            actual_mass[target] += belief
        for feature in context.features[id(pair.expected)]:
            expected_mass[feature] += belief
            row = together[feature]
            for target in there:
                row[target] += belief
    return {
        feature: {
            target: (2 * mass / (expected_mass[feature] + actual_mass[target])) ** 2
            for target, mass in row.items()
            if mass >= least
        }
        for feature, row in together.items()
    }


def _turned_round(learned: Learned) -> Learned:
    found: Learned = {}
    for feature, row in learned.items():
        for target, dice in row.items():
            found.setdefault(target, {})[feature] = dice
    return found


def note_settled(anchors: Sequence[Pair], context: Context) -> None:
    """Keep what settled pairs say of their modules, and of the order of axes.

    Only settled pairs speak: two tensors of one module would talk each other into a wrong one.
    """
    for pair in anchors:
        context.modules.setdefault(pair.expected.module, set()).add(pair.actual.home)
    often = [pair for pair in anchors if len(pair.links) >= OFTEN]
    context.shown = _learn(often, [1.0] * len(often), context, TWICE)
    shown = [pair.turned for pair in anchors if pair.turned is not None]
    if shown:
        context.turned = sum(shown) / len(shown)

"""Like modules of one block, told apart by the order in which data passes them.

Two norms of a block are called `attention_norm` and `ffn_norm` here, `LayerNorm` and `LayerNorm_1`
there. No word agrees, but the order does: attention comes before the feed-forward part, in before
out, 0 before 1. Branches that run beside each other (query, key, value) have no such order, so
words of these are compared with words only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, permutations

from graphmap.matching.groups import Group
from graphmap.matching.layout import label_of
from graphmap.matching.pairs import CLEAR, Context, Pair
from graphmap.matching.tokens import MARK, last_segment, scope_of
from graphmap.matching.vocabulary import PARALLEL, STAGES

__all__ = ["decide_order", "stage_of"]

NEAR = 12.0  # bits behind the best of its row and column, within which a pair is a rival
UNDECIDED = 5.0  # bits of margin below which a choice is none
MOST_WEAK = 60  # of such choices that are compared with each other
LARGEST = 4  # modules that are ordered together
WORSE = 8.0  # bits by which the words may prefer another order
BITS = 16.0
LEAST = -12.0  # bits below which a pair is no rival of anything
TAUGHT = "stacks show that these words go together", "stacks show that other words go together"
INITIALS = "a letter here begins the word there", "a letter here begins another word there"
STAGED = "stands at the same stage", "stands at another stage"
CUSTOM = "an attention makes query, key, value in this order", "it makes these in another order"
CUSTOM_BITS = 2.7  # no more: somebody may have made them in another one
PROJECTIONS = ("query", "key", "value", "output")
BETWEEN = 25  # stage of a module whose words tell none, beside one that has a stage

# words that say more, or less, than others
TELLING = {"self": 2, "cross": 2, "pre": 0, "post": 0, "before": 0, "after": 0}

Ranks = tuple[list[int], str]  # stage of each, and what tells it: "words", "numbers" or "made"


def decide_order(
    pairs: Sequence[Pair],
    context: Context,
    ordered: bool,
    sides: tuple[Sequence[Group], Sequence[Group]],
    chosen: Sequence[tuple[Pair, float]] = (),
) -> bool:
    """Note in `context.orders` bits for pairs of equal stages; whether there were any.

    sides: all groups, settled ones too. chosen: pairs and their margins: then only what of these
    could as well be exchanged, else what has nearly equal bits.
    """
    noted = False
    by_ends = {(id(p.expected), id(p.actual)): p for p in pairs if p.links}
    whole = Counter(_template_key(g) for g in {id(p.expected): p.expected for p in pairs}.values())
    whole += Counter(_template_key(g) for g in {id(p.actual): p.actual for p in pairs}.values())
    for side in sides:
        whole.update(map(_block_key, side))
    for expected, actual in _exchanges(chosen, by_ends) if chosen else _rival_sets(pairs):
        order = _taught(expected, actual, context)
        why = TAUGHT
        if order is None:
            order, why = _initials(expected, actual), INITIALS
        if order is None:
            order, why = _order(expected, actual, ordered, whole), STAGED
        bits = BITS
        if order is None:
            order, why, bits = _projections(expected, actual, ordered), CUSTOM, CUSTOM_BITS
        if order is None or not _allowed(expected, actual, order, by_ends):
            continue
        noted = True
        for at, e in enumerate(expected):
            for other, a in enumerate(actual):
                right = order[at] == other
                context.orders[id(e), id(a)] = (bits if right else -bits, why[not right])
    return noted


def _rival_sets(pairs: Sequence[Pair]) -> list[tuple[list[Group], list[Group]]]:
    """Return equally many groups of both sides, each of which could be any of the others."""
    rows: dict[int, float] = defaultdict(lambda: LEAST)
    columns: dict[int, float] = defaultdict(lambda: LEAST)
    usable = [p for p in pairs if p.links and p.bits > LEAST]
    for pair in usable:
        rows[id(pair.expected)] = max(rows[id(pair.expected)], pair.bits)
        columns[id(pair.actual)] = max(columns[id(pair.actual)], pair.bits)
    near: dict[int, list[Pair]] = defaultdict(list)
    for pair in usable:
        best = max(rows[id(pair.expected)], columns[id(pair.actual)])
        if pair.bits >= best - NEAR:
            near[id(pair.expected)].append(pair)
            near[id(pair.actual)].append(pair)
    seen: set[int] = set()
    found = []
    for pair in usable:
        if id(pair.expected) in seen or id(pair.expected) not in near:
            continue
        sides: tuple[dict[int, Group], dict[int, Group]] = ({}, {})
        queue = [id(pair.expected)]
        while queue:
            at = queue.pop()
            if at in seen:
                continue
            seen.add(at)
            for link in near[at]:
                sides[0][id(link.expected)] = link.expected
                sides[1][id(link.actual)] = link.actual
                queue += [id(link.expected), id(link.actual)]
        if 2 <= len(sides[0]) == len(sides[1]) <= LARGEST:
            found.append((list(sides[0].values()), list(sides[1].values())))
    return found


def _exchanges(
    chosen: Sequence[tuple[Pair, float]], by_ends: Mapping[tuple[int, int], Pair]
) -> list[tuple[list[Group], list[Group]]]:
    """Return the groups of both sides that were paired, but for next to nothing in this way.

    Where shapes are known: without them a third one may be meant.
    """
    weak = [p for p, margin in chosen if p.links and p.bits > LEAST and margin < UNDECIDED]
    weak = [p for p in weak if p.fit is not None][:MOST_WEAK]
    sets: dict[int, list[Pair]] = {id(p): [p] for p in weak}
    for one, other in combinations(weak, 2):
        crossed = [
            by_ends.get((id(mine.expected), id(theirs.actual)))
            for mine, theirs in ((one, other), (other, one))
        ]
        cost = one.bits + other.bits - sum(p.bits for p in crossed if p is not None)
        if None not in crossed and cost < NEAR and sets[id(one)] is not sets[id(other)]:
            joined = sets[id(one)] + sets[id(other)]
            sets.update((id(p), joined) for p in joined)
    rows = {id(row): row for row in sets.values() if 2 <= len(row) <= LARGEST}
    return [([p.expected for p in row], [p.actual for p in row]) for row in rows.values()]


def _template_key(group: Group) -> tuple[str, str]:
    return group.template, group.kind.letter


def _block_key(group: Group) -> tuple[str, str]:
    """What groups of one kind in one stack of blocks have in common; shapes told others apart."""
    stack = group.template.partition(MARK)[0] if group.free else group.template
    return f"{stack}{MARK}{len(group)}", f"{group.kind.letter} {label_of(group.shapes[0])}"


def _order(
    expected: Sequence[Group],
    actual: Sequence[Group],
    ordered: bool,
    whole: Mapping[tuple[str, str], int],
) -> dict[int, int] | None:
    """Return {index of expected: index of actual} by equal ranks; None without an order."""
    mine, others = _ranks(expected, whole), _ranks(actual, whole)
    if others is None:
        return None
    if mine is None and ordered and not any(map(_recurs, expected)):
        mine = [group.first for group in expected], "made"
    if mine is None:
        return None
    parallel = any(w in PARALLEL for side in (expected, actual) for own in _own(side) for w in own)
    if parallel and not (mine[1] == others[1] == "words"):
        return None
    if mine[1] == "made" and others[1] != "words":
        return None
    ranked = sorted(range(len(expected)), key=mine[0].__getitem__)
    return dict(zip(ranked, sorted(range(len(actual)), key=others[0].__getitem__), strict=True))


def _recurs(group: Group) -> bool:
    """Whether it stands several times in a block, perhaps in turn with others: `block_#/norm_#`."""
    path = scope_of(group.template)
    return len(group.free) > 1 and MARK in last_segment(path)


def _taught(
    expected: Sequence[Group], actual: Sequence[Group], context: Context
) -> dict[int, int] | None:
    """Return {index of expected: index of actual} by words that settled stacks show to go together.

    One may be left without such a word: it is what remains. None where a word leads to two.
    """
    mine, others = _own(expected), _own(actual)
    found: dict[int, int] = {}
    for at, words in enumerate(mine):
        meant = {
            other
            for other, theirs in enumerate(others)
            if any(context.shown.get(w, {}).get(t, 0.0) >= CLEAR for w in words for t in theirs)
        }
        if len(meant) > 1:
            return None
        found.update((at, other) for other in meant)
    if len(set(found.values())) < len(found) or len(found) < len(mine) - 1:
        return None
    left = set(range(len(actual))) - set(found.values())
    found.update((at, left.pop()) for at in range(len(mine)) if at not in found)
    return found


def _initials(expected: Sequence[Group], actual: Sequence[Group]) -> dict[int, int] | None:
    """Return {index of expected: index of actual} where one side has the first letters of words.

    `theta_b` and `theta_f` beside `theta_backcast` and `theta_forecast`: every module of one side
    has one letter of its own, and exactly one of the other side has a word that begins so.
    """
    sides = [
        [[w for w in words if w[0] not in "=@"] for words in _own(side)]
        for side in (expected, actual)
    ]
    for turned in (False, True):
        short, long = reversed(sides) if turned else sides
        letters = [words[0] for words in short if len(words) == 1 and len(words[0]) == 1]
        begun = [{w[0] for w in words if len(w) > 1} for words in long]
        meant = [[at for at, own in enumerate(begun) if letter in own] for letter in letters]
        if len(letters) < len(short) or any(len(row) != 1 for row in meant):
            continue
        found = {at: row[0] for at, row in enumerate(meant)}
        if len(set(found.values())) == len(long):
            return {other: at for at, other in found.items()} if turned else found
    return None


def _projections(
    expected: Sequence[Group], actual: Sequence[Group], ordered: bool
) -> dict[int, int] | None:
    """Return {index of expected: index of actual} of the projections of one attention.

    Where one side only counts them, in a scope that is the attention's own and holds no more: they
    are made as query, key, value and output nearly always, whatever framework. Not where the code
    itself makes them in another order.
    """
    sides = _own(expected), _own(actual)
    for turned in (False, True):
        named, counted = sides[turned], sides[not turned]
        groups = (actual, expected)[turned]
        roles = [[PROJECTIONS.index(w) for w in words if w in PROJECTIONS] for words in named]
        if roles.count([]) == 1 and len(roles) == len(PROJECTIONS):
            roles[roles.index([])] = [PROJECTIONS.index("output")]
        ranks = [[w for w in words if w[0] in "=@"] for words in counted]
        lone = all(len(role) == len(rank) == 1 for role, rank in zip(roles, ranks, strict=True))
        if not lone or "attention" not in groups[0].words:
            continue
        order = [row[0] for row in roles]
        places = [row[0][1:].partition("/") for row in ranks]
        every = [str(at) for at in range(len(groups))]
        if sorted(order) != list(range(len(groups))) or sorted(p[0] for p in places) != every:
            continue
        if any(place[2] != str(len(groups)) for place in places):
            continue
        made = [expected[role].first for role in sorted(range(len(order)), key=order.__getitem__)]
        if ordered and not turned and made != sorted(made):
            continue
        at = {int(place[0]): index for index, place in enumerate(places)}
        found = {index: at[role] for index, role in enumerate(order)}
        return {other: index for index, other in found.items()} if turned else found
    return None


def _own(groups: Sequence[Group]) -> list[list[str]]:
    """Return the words of each that not all of them have."""
    common = set.intersection(*(set(group.words) for group in groups))
    return [[word for word in group.words if word not in common] for group in groups]


def _ranks(groups: Sequence[Group], whole: Mapping[tuple[str, str], int]) -> Ranks | None:
    """Rank by words; by numbers only where none of the numbered ones is missing.

    One of two without a word that tells is in between, where no third one is like them.
    """
    own = _own(groups)
    numbers = [[w for w in words if w[0] in "=@"] for words in own]
    stages = [stage_of(words) for words in own]
    known = [stage for stage in stages if stage is not None]
    if {"postattention", "cross"} <= {word for words in own for word in words}:
        return None  # behind the first attention, or behind both
    third = whole[_block_key(groups[0])] > len(groups)
    if len(groups) == 2 and not third and len(known) == 1 and abs(known[0] - BETWEEN) > 4:
        stages = [BETWEEN if stage is None else stage for stage in stages]
    if None not in stages and len(set(stages)) == len(groups):
        return [stage for stage in stages if stage is not None], "words"
    lone = all(len(n) == len(words) == 1 for n, words in zip(numbers, own, strict=True))
    complete = whole[_template_key(groups[0])] == len(groups)
    if lone and complete and len({n[0] for n in numbers}) == len(groups):
        return [int(n[0][1:].partition("/")[0]) for n in numbers], "numbers"
    return None


def stage_of(words: Iterable[str]) -> int | None:
    """Return the stage that the words of a module speak of, the most telling first."""
    known = [(TELLING.get(word, 1), STAGES[word]) for word in words if word in STAGES]
    return max(known)[1] if known else None


def _allowed(
    expected: Sequence[Group],
    actual: Sequence[Group],
    order: dict[int, int],
    by_ends: dict[tuple[int, int], Pair],
) -> bool:
    """Whether no other way of pairing them has words that agree much better."""
    rows = [[by_ends.get((id(e), id(a))) for a in actual] for e in expected]
    if any(pair is None for row in rows for pair in row):
        return False
    bits = [[pair.bits for pair in row if pair is not None] for row in rows]
    mine = sum(bits[at][order[at]] for at in range(len(expected)))
    best = max(
        sum(bits[at][other] for at, other in enumerate(way))
        for way in permutations(range(len(actual)))
    )
    return mine >= best - WORSE

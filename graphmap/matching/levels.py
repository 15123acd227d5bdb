"""Groups -> links between variables, level by level: what one level settles teaches the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from itertools import repeat

from graphmap.matching.assign import assign
from graphmap.matching.closing import (
    LONE,
    by_creation,
    drop_orphans,
    eliminate,
    fit_at_once,
    fit_wholes,
    keep_same,
    share,
    tie,
)
from graphmap.matching.conventions import plain_names
from graphmap.matching.decide import CERTAIN, Found, Ranking, probability
from graphmap.matching.evidence.counter import note_counters
from graphmap.matching.evidence.level import attending
from graphmap.matching.evidence.tail import keeps_end
from graphmap.matching.exchange import open_exchanges
from graphmap.matching.groups import Group, Roles, build_groups
from graphmap.matching.instances import tell_instances
from graphmap.matching.layout import Shapes
from graphmap.matching.modules import (
    by_forms,
    by_neighbours,
    doubt_homes,
    doubt_norms,
    doubt_swaps,
    follow_kernels,
    keep_modules,
)
from graphmap.matching.order import decide_order
from graphmap.matching.overlaying import walk_scopes
from graphmap.matching.pairs import (
    Context,
    Pair,
    counters_cross,
    expected_habit,
    is_kernel,
    propose,
)
from graphmap.matching.renaming import find_renaming, follows
from graphmap.matching.renumber import Renumbering, counts_down, find_renumbering
from graphmap.matching.repeating import repeat_layer
from graphmap.matching.rooms import Rooms
from graphmap.matching.scoring import evidence_of, is_guess, make_context, rivals_of, score_pairs
from graphmap.matching.tokens import Names, last_segment, split_name, split_names
from graphmap.matching.told import Heads, told_stacks
from graphmap.matching.towers import Towers
from graphmap.matching.twins import copies, decide_scopes, find_twins
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

__all__ = ["Result", "Run", "match_groups"]

MOST_RIVALS = 4  # pairs of a group that are remembered
MOST_APART = 4  # members of a group that stand for different things
NONE = (0.0, "")
INFINITE = float("inf")
SURE = 5.0  # bits of score and of margin that settle a pair for the next level


class Result:
    """links: who is who. rivals: {position of an expected variable: its rankings}.

    vetoes: {position of an expected variable: why its group was found, but not its place in it}.
    turned: the two sides keep kernels the other way round. placed: how many expected variables
    stand in a graph where an actual one does. shapes: how many variables of either side have each.
    """

    def __init__(self) -> None:
        self.links: list[Found] = []
        self.rivals: dict[int, list[Ranking]] = {}
        self.vetoes: dict[int, tuple[Evidence, ...]] = {}
        self.turned = False
        self.placed = 0
        self.shapes: Shapes = (Counter(), Counter())


def match_groups(
    wanted: Sequence[Variable],
    open_expected: Sequence[int],
    pool: Sequence[Variable],
    open_actual: Sequence[int],
    trained: frozenset[str] = frozenset(),
    ordered: bool = False,
    settled_names: Sequence[tuple[str, str]] = (),
) -> Result:
    """Match the variables at the open positions of both sides.

    ordered: the expected positions are the order in which the code makes its variables.
    settled_names: (expected, actual) names that are settled already, by pins.
    """
    run = Run(wanted, pool, trained, ordered)
    if settled_names:
        told = [(split_name(mine), split_name(other)) for mine, other in settled_names]
        run.told = told_stacks(told, run.wanted_names, run.pool_names)
    left, right = open_expected, open_actual
    copied = run.start(left, right)
    left = without(left, copied)
    settled = fit_at_once(run, left, right)
    left, right = without(left, settled[0]), without(right, settled[1])
    for fine in (True, True, False, False):
        if not left or not right:
            break
        settled = run.level(left, right, fine)
        left, right = without(left, settled[0]), without(right, settled[1])
    if left and right:
        settled = run.split_level(left, right)
        left, right = without(left, settled[0]), without(right, settled[1])
    if ordered:
        settled = by_creation(run, set(left), set(right))
        left, right = without(left, settled[0]), without(right, settled[1])
    originals = without(open_expected, copied)
    by_forms(run, originals, open_actual)
    walk_scopes(run)
    keep_same(run, open_expected, open_actual)
    repeat_layer(run)
    if left and right:
        drop_orphans(run, set(left), set(right))
    if left:
        tie(run, left, right)
    if fit_wholes(run, originals, open_actual):
        keep_modules(run)
    eliminate(run)
    follow_kernels(run)
    doubt_norms(run)
    if open_exchanges(run):
        by_neighbours(run)
    doubt_homes(run)
    doubt_swaps(run)
    share(run, copied)
    shown = [pair.turned for pair in run.anchors if pair.turned is not None]
    run.result.turned = 2 * sum(shown) > len(shown) if shown else run.habit > 0.5
    return run.result


def without(places: Sequence[int], settled: Collection[int]) -> Sequence[int]:
    """Return the places that are still open."""
    return [at for at in places if at not in settled] if settled else places


class Run:
    """One matching: what is settled so far, and what it taught."""

    def __init__(
        self,
        wanted: Sequence[Variable],
        pool: Sequence[Variable],
        trained: frozenset[str],
        ordered: bool,
    ) -> None:
        self.wanted = wanted
        self.pool = pool
        self.trained = trained
        self.ordered = ordered
        names = [[v.name for v in side] for side in (wanted, pool)]
        taken = list(map(split_names, names))
        plain = map(plain_names, (wanted, pool), [one.skeletons for one in taken])
        meant = list(tell_instances(*plain))
        self.as_written = meant == names
        self.wanted_names, self.pool_names = taken if self.as_written else map(split_names, meant)
        self.first: tuple[list[Group], list[Group]] | None = None
        self.whole: tuple[list[Group], list[Group]] = ([], [])
        self.roles = (Roles(), Roles())
        self.habit = 0.5
        self.crossed = False
        self.renumbered: Renumbering = {}
        self.told: tuple[Renumbering, Heads] = ({}, frozenset())
        self.towers = Towers((), ())
        self.rooms = Rooms((), ())
        self.levels: frozenset[str] = frozenset()
        self.attending: frozenset[str] = frozenset()
        self.leaves = _leaves(self.wanted_names), _leaves(self.pool_names)
        self.anchors: list[Pair] = []
        self.result = Result()
        self.complete = False  # every expected name was seen to have a link

    def start(self, left: Sequence[int], right: Sequence[int]) -> dict[int, int]:
        """Return {position of a copy: of its original} where EXPECTED alone holds copies."""
        expected, actual = self.groups(left, right, True)
        self.renumbered = find_renumbering(expected, actual) | self.told[0]
        if self.renumbered:
            self.roles = (Roles(), Roles())
            expected, actual = self.groups(left, right, True)
        self.first = self.whole = expected, actual
        self.towers = Towers(expected, actual)
        self.rooms = Rooms(expected, actual)
        self.levels = counts_down(expected)
        self.attending = attending(expected)
        self.habit = expected_habit(expected, actual)
        self.crossed = counters_cross(expected, actual)
        if find_twins(actual) or len(right) >= len(left) or _kernels(actual) >= _kernels(expected):
            return {}  # the other side has as many, so nothing need stand for two
        copied = {}
        for original, copy in copies(expected):
            self.first = None
            for (_, one), (_, other) in zip(original.members, copy.members, strict=True):
                copied[other] = one
        return copied

    def groups(
        self,
        left: Sequence[int],
        right: Sequence[int],
        fine: bool,
        split: Collection[str] = (),
    ) -> tuple[list[Group], list[Group]]:
        expected = build_groups(
            self.wanted, self.wanted_names, left, fine, self.roles[0], None, split
        )
        actual = build_groups(
            self.pool, self.pool_names, right, fine, self.roles[1], self.renumbered, split
        )
        for group in actual if self.trained else ():
            group.trained = any(self.pool[at].name in self.trained for _, at in group.members)
        return expected, actual

    def level(
        self, left: Sequence[int], right: Sequence[int], fine: bool
    ) -> tuple[set[int], set[int]]:
        """Settle what is sure; returns the positions of both sides that are settled."""
        expected, actual = self.first or self.groups(left, right, fine)
        self.first = None
        pairs = propose(expected, actual, loose=not fine, first=not self.anchors)
        return self.settle_sure(expected, actual, pairs, ())

    def split_level(self, left: Sequence[int], right: Sequence[int]) -> tuple[set[int], set[int]]:
        """Settle the two norms of a block that stands once: `LayerNorm` and `LayerNorm_1`.

        Their index tells them apart only where words of the other side tell the same order, or
        where the other side has the same words with the same number.
        """
        expected, actual = self.groups(left, right, True)
        pairs = propose(expected, actual, loose=True, first=False)
        linked = {id(g) for p in pairs if p.links for g in (p.expected, p.actual)}
        apart = {
            group.template
            for group in (*expected, *actual)
            if 1 < len(group) <= MOST_APART and id(group) not in linked
        }
        if not apart:
            return set(), set()
        expected, actual = self.groups(left, right, True, apart)
        pairs = propose(expected, actual, loose=True, first=False)
        return self.settle_sure(expected, actual, pairs, (), in_order=True)

    def settle_sure(
        self,
        expected: Sequence[Group],
        actual: Sequence[Group],
        pairs: Sequence[Pair],
        whole: Sequence[Pair],
        in_order: bool = False,
    ) -> tuple[set[int], set[int]]:
        """Settle what is sure of the pairs.

        whole: those with which the sides fit as wholes. in_order: only what the order of stages
        tells.
        """
        context = make_context(expected, actual, self.anchors)
        context.whole = frozenset((id(p.expected), id(p.actual)) for p in whole)
        alike = sum(any(w in p.actual.words for w in p.expected.words) for p in self.anchors)
        context.foreign = 2 * alike <= len(self.anchors)
        context.turned = self.habit
        context.slots = bool(self.trained)
        context.leaves = self.leaves
        context.crossed = self.crossed
        context.levels = self.levels
        context.attending = self.attending
        context.stacks = self.told[1]
        note_counters([*pairs, *self.anchors], context)
        self.towers.note(pairs, self.anchors, context)
        self.rooms.note(pairs, context)
        score_pairs(pairs, self.anchors, context)
        if decide_scopes(expected, actual, pairs, context):
            score_pairs(pairs, self.anchors, context)
        if decide_order(pairs, context, self.ordered, self.whole):
            score_pairs(pairs, self.anchors, context)
        rows = assign(pairs)
        if rows and decide_order(pairs, context, self.ordered, self.whole, rows):
            score_pairs(pairs, self.anchors, context)
            rows = assign(pairs)
        settled: tuple[set[int], set[int]] = (set(), set())
        chosen = [row for row in rows if row[0].links and min(row[0].bits, row[1]) >= SURE]
        rivals, every = (rivals_of(pairs, context, least) for least in (0.0, -INFINITE))
        others = rivals_of(pairs, context, linked=False)
        chosen = [row for row in chosen if not is_guess(row[0], rivals, every, others, context)]
        for pair in [pair for pair, _ in chosen if pair.vetoed]:
            reasons = evidence_of(pair, context)
            self.result.vetoes.update((at, reasons) for _, at in pair.expected.members)
        chosen = [row for row in chosen if not row[0].vetoed]
        if in_order:
            told = context.orders
            chosen = [
                r
                for r in chosen
                if told.get((id(r[0].expected), id(r[0].actual)), NONE) > NONE or keeps_end(r[0])
            ]
        certain: set[int] = set()
        for pair, margin in self._consistent(chosen):
            self._settle(pair, margin, context, settled)
            if probability(min(pair.bits, margin)) > CERTAIN and len(pair.links) == len(
                pair.expected
            ):
                certain.add(id(pair.expected))
        note_rivals([p for p in pairs if id(p.expected) not in certain], self.result)
        return settled

    def _consistent(self, chosen: list[tuple[Pair, float]]) -> list[tuple[Pair, float]]:
        """Leave out small pairs that break the habit of names, and siblings that part."""
        habit = find_renaming([*self.anchors, *(pair for pair, _ in chosen)])
        kept = [row for row in chosen if follows(row[0], habit)]
        surest: dict[str, tuple[float, str]] = {}
        for pair, margin in kept:
            vote = (margin, pair.actual.home)
            surest[pair.expected.module] = max(vote, surest.get(pair.expected.module, vote))
        return [r for r in kept if surest[r[0].expected.module][1] == r[0].actual.home]

    def _settle(
        self, pair: Pair, margin: float, context: Context, settled: tuple[set[int], set[int]]
    ) -> None:
        self.anchors.append(pair)
        evidence = tuple(
            Evidence(e.kind, round(e.bits, 3), e.why) for e in evidence_of(pair, context)
        )
        kernel = is_kernel(pair)
        mine, others = pair.expected.positions, pair.actual.positions
        ours = [mine[e] for e, _ in pair.links]
        theirs = [others[a] for _, a in pair.links]
        whole = len(pair.links) >= LONE  # what such a group has more the other side does not have
        settled[0].update(mine if whole else ours)
        settled[1].update(others if whole else theirs)
        told = map(repeat, (pair.bits, margin, evidence, kernel, False, ""))
        wanted, pool = map(self.wanted.__getitem__, ours), map(self.pool.__getitem__, theirs)
        make = partial(tuple.__new__, Found)  # of 100,000 links, in half the time
        self.result.links += map(make, zip(wanted, pool, *told, strict=False))


def _kernels(groups: Sequence[Group]) -> int:
    """Count the kernels: other tensors may be missing throughout, such as the scales of norms."""
    return sum(len(group) for group in groups if group.kind.letter == "M")


def _leaves(names: Names) -> Counter[str]:
    """Count the last parts of names."""
    leaves: Counter[str] = Counter()
    for text, members in names.members.items():
        leaves[last_segment(text)] += len(members)
    return leaves


def note_rivals(pairs: Sequence[Pair], result: Result) -> None:
    """Remember the best pairs of every expected group, whatever is decided."""
    by_group: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_group.setdefault(id(pair.expected), []).append(pair)
    for found in by_group.values():
        found.sort(key=lambda pair: -pair.bits)
        ranking: Ranking = [
            (
                {pair.expected.members[e][1]: pair.actual.members[a][1] for e, a in pair.links},
                pair.bits,
            )
            for pair in found[:MOST_RIVALS]
        ]
        for _, position in found[0].expected.members:
            result.rivals.setdefault(position, []).append(ranking)

"""Groups -> links between variables, level by level: what one level settles teaches the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphmap.matching.assign import assign
from graphmap.matching.creation import align_sides
from graphmap.matching.decide import CERTAIN, Found, Ranking, probability
from graphmap.matching.elimination import find_leftovers
from graphmap.matching.evidence.counter import note_counters
from graphmap.matching.groups import Group, Roles, build_groups
from graphmap.matching.order import decide_order
from graphmap.matching.pairs import (
    Context,
    Pair,
    counters_cross,
    expected_habit,
    is_kernel,
    propose,
    weights_of,
)
from graphmap.matching.renaming import find_renaming, follows
from graphmap.matching.renumber import Renumbering, counts_down, find_renumbering
from graphmap.matching.scoring import evidence_of, make_features, score_pairs
from graphmap.matching.ties import find_ties
from graphmap.matching.tokens import last_segment, split_name
from graphmap.matching.twins import copies, decide_scopes, find_twins
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

__all__ = ["Result", "match_groups"]

LONE = 3  # members from which repetition vouches for a pair
MOST_RIVALS = 4  # pairs of a group that are remembered
KEPT = 0.8  # share of equal names, but for a prefix, that make keeping them a habit
LEFT_BITS = 6.0  # of a pair that is left over when all else is settled
SURE = 5.0  # bits of score and of margin that settle a pair for the next level


@dataclass(slots=True)
class Result:
    """links: who is who. rivals: {position of an expected variable: its rankings}.

    turned: the two sides keep kernels the other way round. placed: how many expected variables
    stand in a graph where an actual one does.
    """

    links: list[Found] = field(default_factory=list)
    rivals: dict[int, list[Ranking]] = field(default_factory=dict)
    turned: bool = False
    placed: int = 0


def match_groups(
    wanted: Sequence[Variable],
    open_expected: Sequence[int],
    pool: Sequence[Variable],
    open_actual: Sequence[int],
    trained: frozenset[str] = frozenset(),
    ordered: bool = False,
) -> Result:
    """Match the variables at the open positions of both sides.

    ordered: the expected positions are the order in which the code makes its variables.
    """
    run = _Run(wanted, pool, trained, ordered)
    left, right = list(open_expected), list(open_actual)
    copied = run.start(left, right)
    left = [at for at in left if at not in copied]
    for fine in (True, True, False, False):
        if not left or not right:
            break
        settled = run.level(left, right, fine)
        left = [at for at in left if at not in settled[0]]
        right = [at for at in right if at not in settled[1]]
    if ordered:
        settled = run.by_creation(set(left), set(right))
        left = [at for at in left if at not in settled[0]]
        right = [at for at in right if at not in settled[1]]
    run.drop_orphans(set(left), set(right))
    run.eliminate()
    run.share(copied)
    shown = [pair.turned for pair in run.anchors if pair.turned is not None]
    run.result.turned = 2 * sum(shown) > len(shown) if shown else run.habit > 0.5
    links = run.result.links
    taken = {link.expected.name for link in links}, {link.actual.name for link in links}
    open_ones = [wanted[at] for at in left if wanted[at].name not in taken[0]]
    links += find_ties(
        open_ones, [pool[at] for at in right if pool[at].name not in taken[1]], links
    )
    return run.result


class _Run:
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
        self.wanted_names = [split_name(v.name) for v in wanted]
        self.pool_names = [split_name(v.name) for v in pool]
        self.first: tuple[list[Group], list[Group]] | None = None
        self.whole: tuple[list[Group], list[Group]] = ([], [])
        self.roles = (Roles(), Roles())
        self.habit = 0.5
        self.crossed = False
        self.renumbered: Renumbering = {}
        self.levels: frozenset[str] = frozenset()
        self.leaves = (
            Counter(last_segment(text) for text, _ in self.wanted_names),
            Counter(last_segment(text) for text, _ in self.pool_names),
        )
        self.anchors: list[Pair] = []
        self.result = Result()

    def start(self, left: Sequence[int], right: Sequence[int]) -> dict[int, int]:
        """Return {position of a copy: of its original} where EXPECTED alone holds copies."""
        expected, actual = self._groups(left, right, True)
        self.renumbered = find_renumbering(expected, actual)
        if self.renumbered:
            self.roles = (Roles(), Roles())
            expected, actual = self._groups(left, right, True)
        self.first = self.whole = expected, actual
        self.levels = counts_down(expected)
        self.habit = expected_habit(expected, actual)
        self.crossed = counters_cross(expected, actual)
        if find_twins(actual):
            return {}
        copied = {}
        for original, copy in copies(expected):
            self.first = None
            for (_, one), (_, other) in zip(original.members, copy.members, strict=True):
                copied[other] = one
        return copied

    def _groups(
        self, left: Sequence[int], right: Sequence[int], fine: bool
    ) -> tuple[list[Group], list[Group]]:
        expected = build_groups(self.wanted, self.wanted_names, left, fine, self.roles[0])
        actual = build_groups(
            self.pool, self.pool_names, right, fine, self.roles[1], self.renumbered
        )
        for group in actual:
            group.trained = any(self.pool[at].name in self.trained for _, at in group.members)
        return expected, actual

    def level(
        self, left: Sequence[int], right: Sequence[int], fine: bool
    ) -> tuple[set[int], set[int]]:
        """Settle what is sure; returns the positions of both sides that are settled."""
        expected, actual = self.first or self._groups(left, right, fine)
        self.first = None
        pairs = propose(expected, actual, loose=not fine, first=not self.anchors)
        context = make_context(expected, actual, self.anchors)
        context.turned = self.habit
        context.slots = bool(self.trained)
        context.leaves = self.leaves
        context.crossed = self.crossed
        context.levels = self.levels
        note_counters([*pairs, *self.anchors], context)
        score_pairs(pairs, self.anchors, context)
        if decide_scopes(expected, actual, pairs, context):
            score_pairs(pairs, self.anchors, context)
        if decide_order(pairs, context, self.ordered):
            score_pairs(pairs, self.anchors, context)
        settled: tuple[set[int], set[int]] = (set(), set())
        chosen = [row for row in assign(pairs) if row[0].links and min(row[0].bits, row[1]) >= SURE]
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
            vote = (margin, pair.actual.module)
            surest[pair.expected.module] = max(vote, surest.get(pair.expected.module, vote))
        return [r for r in kept if surest[r[0].expected.module][1] == r[0].actual.module]

    def _settle(
        self, pair: Pair, margin: float, context: Context, settled: tuple[set[int], set[int]]
    ) -> None:
        self.anchors.append(pair)
        evidence = tuple(
            Evidence(e.kind, round(e.bits, 3), e.why) for e in evidence_of(pair, context)
        )
        if len(pair.links) >= LONE:  # what such a group has more is missing on the other side
            settled[0].update(at for _, at in pair.expected.members)
            settled[1].update(at for _, at in pair.actual.members)
        kernel = is_kernel(pair)
        for e, a in pair.links:
            one, other = pair.expected.members[e][1], pair.actual.members[a][1]
            settled[0].add(one)
            settled[1].add(other)
            self.result.links.append(
                Found(self.wanted[one], self.pool[other], pair.bits, margin, evidence, kernel)
            )

    def by_creation(self, left: set[int], right: set[int]) -> tuple[set[int], set[int]]:
        """Settle open variables by the order of creation, if what is settled agrees with it."""
        if min(len(left), len(right)) < LONE:
            return set(), set()
        names = {link.expected.name: link.actual.name for link in self.result.links}
        backed = {actual: expected for expected, actual in names.items()}
        settled: tuple[set[int], set[int]] = (set(), set())
        for row in align_sides(self.whole, self.wanted_names, self.pool_names, self.roles[1]):
            mine, other = self.wanted[row.expected], self.pool[row.actual]
            known = names.get(mine.name), backed.get(other.name)
            if known == (None, None) and row.expected in left and row.actual in right:
                why = f"the same place in the order of {row.of} modules"
                evidence = (Evidence("creation", round(row.bits, 3), why),)
                self.result.links.append(Found(mine, other, row.bits, row.bits, evidence))
                settled[0].add(row.expected)
                settled[1].add(row.actual)
        return settled

    def drop_orphans(self, left: set[int], right: set[int]) -> None:
        """Take back a lone bias whose kernel stayed open though one stands beside either."""
        still_open = [
            {g.module for g in groups if any(at in places for _, at in g.members)}
            for groups, places in zip(self.whole, (left, right), strict=True)
        ]
        dropped = {
            self.wanted[at].name
            for pair in self.anchors
            if len(pair.links) < LONE
            and pair.expected.module in still_open[0]
            and pair.actual.module in still_open[1]
            for _, at in pair.expected.members
        }
        if dropped:
            links = self.result.links
            self.result.links = [k for k in links if k.expected.name not in dropped]

    def eliminate(self) -> None:
        """Pair what is left over where all else is settled and nothing would stay open."""
        links = self.result.links
        kept = sum(k.expected.name.endswith(k.actual.name) for k in links)
        if max(kept, sum(k.actual.name.endswith(k.expected.name) for k in links)) > KEPT * len(
            links
        ):
            return  # where all keep their names, one that does not is new
        taken = ({k.expected.name for k in links}, {k.actual.name for k in links})
        rows: list[list[tuple[Variable, str]]] = []
        for groups, names, side in zip(self.whole, taken, (self.wanted, self.pool), strict=True):
            rows.append(
                [
                    (
                        side[at],
                        "G" if g.kind.letter == "G" else "B" if g.kind.letter in "BE" else "M",
                    )
                    for g in groups
                    for _, at in g.members
                    if side[at].name not in names
                ]
            )
        evidence = (Evidence("elimination", LEFT_BITS, "all else has its counterpart"),)
        for mine, other in find_leftovers(rows[0], rows[1], len(links)):
            kernel = len(mine.shape or ()) > 1
            links.append(Found(mine, other, LEFT_BITS, LEFT_BITS, evidence, kernel))

    def share(self, copied: dict[int, int]) -> None:
        """Give every copy what its original got."""
        links = {link.expected.name: link for link in self.result.links}
        for copy, original in sorted(copied.items()):
            link = links.get(self.wanted[original].name)
            if link is not None:
                self.result.links.append(link._replace(expected=self.wanted[copy]))


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

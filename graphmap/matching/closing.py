"""Beside the levels: what whole sides, the order of creation, ties and leftovers settle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from graphmap.matching.decide import Found
from graphmap.matching.groups import Group
from graphmap.matching.links import least_odds
from graphmap.matching.pairs import Pair, propose
from graphmap.matching.whole import fitting_pairs
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = [
    "LONE",
    "all_linked",
    "by_creation",
    "drop_orphans",
    "eliminate",
    "fit_at_once",
    "fit_wholes",
    "keep_same",
    "keeps_names",
    "share",
    "shares_names",
    "tie",
]

_expected, _actual = itemgetter(0), itemgetter(1)  # of a Found
LONE = 3  # members from which repetition vouches for a pair
WEAK = 13.0  # bits below which a link may be settled anew
FEWEST = 6  # variables that can fit as a whole
KEPT = 0.8  # share of equal names, but for a prefix, that make keeping them a habit
SAME_BITS = 20.0  # of a name that is kept where all others are
LEFT_BITS = 12.0  # of a pair that is left over when all else is settled


def by_creation(run: Run, left: set[int], right: set[int]) -> tuple[set[int], set[int]]:
    """Settle open variables by the order of creation, if what is settled agrees with it."""
    if min(len(left), len(right)) < LONE:
        return set(), set()
    from graphmap.matching.creation import align_sides  # needless where nothing is left

    names = {link.expected.name: link.actual.name for link in run.result.links}
    backed = {actual: expected for expected, actual in names.items()}
    settled: tuple[set[int], set[int]] = (set(), set())
    for row in align_sides(run.whole, run.wanted_names, run.pool_names, run.roles[1]):
        mine, other = run.wanted[row.expected], run.pool[row.actual]
        known = names.get(mine.name), backed.get(other.name)
        if known == (None, None) and row.expected in left and row.actual in right:
            why = f"the same place in the order of {row.of} modules"
            evidence = (Evidence("creation", round(row.bits, 3), why),)
            run.result.links.append(Found(mine, other, row.bits, row.bits, evidence))
            settled[0].add(row.expected)
            settled[1].add(row.actual)
    return settled


def keep_same(run: Run, wanted: Sequence[int], pool: Sequence[int]) -> None:
    """Give names of a stack that is shorter on the other side the same names there.

    Nothing lines up in such a stack. Names are trusted where at least half of a side's are kept and
    no link leads from a kept name elsewhere; TensorFlow's own counters are not.
    """
    if len(wanted) < len(run.wanted) or all_linked(run):
        return  # pins may say that names are not kept
    links = run.result.links
    ours = {run.wanted[at].name: at for at in wanted}
    theirs = {run.pool[at].name: at for at in pool}
    shapes = {v.name: v.shape for v in run.pool}
    same = [n for n, at in ours.items() if n in theirs and run.wanted[at].shape == shapes[n]]
    if 2 * len(same) < min(len(ours), len(theirs)):
        return
    moved = ((k.expected.name, k.actual.name) for k in links if k.expected.name != k.actual.name)
    if any(mine in theirs or other in ours for mine, other in moved):
        return
    sizes = [{at: g for g in groups for _, at in g.members} for groups in run.whole]
    done = {k.expected.name for k in links} | {k.actual.name for k in links}
    done |= {run.wanted[at].name for at in run.result.vetoes}
    evidence = (Evidence("name", SAME_BITS, "the same name, as far as names are on both sides"),)
    for name in same:
        mine, other = sizes[0][ours[name]], sizes[1][theirs[name]]
        if name not in done and len(mine) > len(other) and not (mine.counter or other.counter):
            one, two = run.wanted[ours[name]], run.pool[theirs[name]]
            links.append(Found(one, two, SAME_BITS, SAME_BITS, evidence))


def drop_orphans(run: Run, left: set[int], right: set[int]) -> None:
    """Take back a lone bias whose kernel stayed open though one stands beside either."""
    links = run.result.links
    taken = {k.expected.name for k in links}, {k.actual.name for k in links}
    left = {at for at in left if run.wanted[at].name not in taken[0]}
    right = {at for at in right if run.pool[at].name not in taken[1]}
    still_open = [
        {g.module for g in groups if any(at in places for _, at in g.members)}
        for groups, places in zip(run.whole, (left, right), strict=True)
    ]
    dropped = {
        run.wanted[at].name
        for pair in run.anchors
        if len(pair.links) < LONE
        and pair.expected.module in still_open[0]
        and pair.actual.module in still_open[1]
        for _, at in pair.expected.members
    }
    if dropped:
        run.result.links = [k for k in links if k.expected.name not in dropped]
        run.complete = False


def tie(run: Run, left: Sequence[int], right: Sequence[int]) -> None:
    """Give open names the tensors that they share with others."""
    from graphmap.matching.ties import find_ties

    links = run.result.links
    taken = {link.expected.name for link in links}, {link.actual.name for link in links}
    links += find_ties(
        [run.wanted[at] for at in left if run.wanted[at].name not in taken[0]],
        [run.pool[at] for at in right if run.pool[at].name not in taken[1]],
        links,
    )


def fit_at_once(run: Run, left: Sequence[int], right: Sequence[int]) -> tuple[set[int], set[int]]:
    """Settle what the shapes force where the two sides fit as wholes, before words are read."""
    if len(left) != len(right) or len(left) < FEWEST or run.first is None:
        return set(), set()
    if shares_names(run, left, right):
        return set(), set()  # what has another name may well be new
    expected, actual = run.first
    fitting = _fitting(run, expected, actual)
    rows = Counter(id(p.expected) for p in fitting)
    columns = Counter(id(p.actual) for p in fitting)
    forced = [
        p for p in fitting if p.fit == 1.0 and rows[id(p.expected)] == columns[id(p.actual)] == 1
    ]
    if not forced:
        return set(), set()
    run.first = None
    return run.settle_sure(expected, actual, forced, forced)


def shares_names(run: Run, left: Sequence[int], right: Sequence[int]) -> bool:
    """Whether nearly all names are on both sides, but for a first scope."""
    if run.as_written and len(left) == len(run.wanted) and not _lack_scopes(run):
        here, there = run.leaves  # names that are alike end alike
        if sum([n for leaf, n in here.items() if leaf in there]) <= KEPT * len(left):
            return False
    ours = [run.wanted[at].name for at in left]
    theirs = {run.pool[at].name for at in right}
    theirs |= {name[_first_scope(name) :] for name in theirs}
    kept, least = len(ours), KEPT * len(ours)
    for name in ours:
        if name not in theirs and name[_first_scope(name) :] not in theirs:
            kept -= 1
            if kept <= least:  # where few are kept, the first tell it
                return False
    return kept > least


def _first_scope(name: str) -> int:
    """Return the length of the first scope of a name with its separator; 0 where there is none."""
    ends = [at for at in (name.find("/"), name.find(".")) if at >= 0]
    return min(ends) + 1 if ends else 0


def _lack_scopes(run: Run) -> bool:
    """Whether names of both sides are but a leaf, and so all alike without their first scope."""
    sides = run.wanted_names, run.pool_names
    return all(any(not _first_scope(text) for text in names.members) for names in sides)


def fit_wholes(run: Run, wanted: Sequence[int], pool: Sequence[int]) -> bool:
    """Settle what is open, or as good as open, where it fits what is so on the other side."""
    if _all_strong(run):
        return False
    links = [k for k in run.result.links if min(k.bits, k.margin) >= WEAK]
    taken = {k.expected.name for k in links}, {k.actual.name for k in links}
    left = [at for at in wanted if run.wanted[at].name not in taken[0]]
    right = [at for at in pool if run.pool[at].name not in taken[1]]
    if not left or len(left) != len(right) or len(wanted) < FEWEST or keeps_names(run):
        return False
    for fine in (False, True):
        expected, actual = run.groups(left, right, fine)
        fitting = _fitting(run, expected, actual)
        if fitting:
            before = run.result.links
            run.result.links = []
            run.settle_sure(expected, actual, fitting, fitting)
            _replace(run, before)
            return True
    return False


def _fitting(run: Run, expected: Sequence[Group], actual: Sequence[Group]) -> list[Pair]:
    """Return the pairs with which all groups fit; equal shapes before those to be laid out."""
    pairs = propose(expected, actual, loose=True, first=False)
    equal = [p for p in pairs if p.fit is None or p.fit == 1.0]
    return fitting_pairs(expected, actual, equal) or fitting_pairs(expected, actual, pairs)


def _replace(run: Run, before: Sequence[Found]) -> None:
    """Put back the links that the new ones leave room for."""
    links = run.result.links
    run.complete = False
    taken = {k.expected.name for k in links}, {k.actual.name for k in links}
    links += [
        k for k in before if k.expected.name not in taken[0] and k.actual.name not in taken[1]
    ]


def all_linked(run: Run) -> bool:
    """Whether one of the sides has nothing left, so that leftovers need not be looked for."""
    links = run.result.links
    if len(links) < min(len(run.wanted), len(run.pool)):
        return False
    if not run.complete and len(set(map(id, map(_expected, links)))) == len(run.wanted):
        run.complete = True
    return run.complete or len(set(map(id, map(_actual, links)))) == len(run.pool)


def _all_strong(run: Run) -> bool:
    """Whether every expected name has a link, and no link is weak."""
    if least_odds(run.result.links) < WEAK:
        return False
    return all_linked(run) and run.complete


def keeps_names(run: Run) -> bool:
    """Whether nearly all names stay the same: then one that does not is new."""
    links = run.result.links
    kept = sum(k.expected.name.endswith(k.actual.name) for k in links)
    back = sum(k.actual.name.endswith(k.expected.name) for k in links)
    return bool(links) and max(kept, back) > KEPT * len(links)


def eliminate(run: Run) -> None:
    """Pair what is left over where all else is settled and nothing would stay open."""
    links = run.result.links
    if all_linked(run) or keeps_names(run):
        return
    from graphmap.matching.elimination import Leftover, find_leftovers

    taken = ({k.expected.name for k in links}, {k.actual.name for k in links})
    rows = []
    for groups, names, side in zip(run.whole, taken, (run.wanted, run.pool), strict=True):
        homes: dict[str, set[str]] = defaultdict(set)
        for g in groups:
            for word in g.words:
                homes[word].add(g.module)
        rows.append(
            [
                Leftover(
                    side[at],
                    "G" if g.kind.letter == "G" else "B" if g.kind.letter in "BE" else "M",
                    tuple(w for w in g.words if w[0] not in "=@" and len(homes[w]) == 1),
                )
                for g in groups
                for _, at in g.members
                if side[at].name not in names
            ]
        )
    why = "all else has its counterpart"
    for mine, other, role in find_leftovers(rows[0], rows[1], len(links)):
        found = Evidence("role", LEFT_BITS, f"{why}, and both are a {role}")
        evidence = (found if role else Evidence("elimination", LEFT_BITS, why),)
        kernel = len(mine.shape or ()) > 1
        links.append(Found(mine, other, LEFT_BITS, LEFT_BITS, evidence, kernel))


def share(run: Run, copied: dict[int, int]) -> None:
    """Give every copy what its original got."""
    if not copied:
        return
    links = {link.expected.name: link for link in run.result.links}
    for copy, original in sorted(copied.items()):
        link = links.get(run.wanted[original].name)
        if link is not None and run.wanted[copy].name not in links:
            run.result.links.append(link._replace(expected=run.wanted[copy]))

"""Links and their bits -> decisions with confidence, layout and candidates; the verdict."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.calibration import calibrated, calibrated_open
from graphmap.matching.coherence import strays
from graphmap.matching.layout import find_layout
from graphmap.matching.settings import MatchSettings, Side
from graphmap.matching.sides import shadows_by_primary, unused_names
from graphmap.matching.tokens import split_name
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Status, Verdict
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.levels import Result

__all__ = ["CERTAIN", "Found", "Ranking", "decide", "probability"]

MOST_CANDIDATES = 5
MOST_LOOKS = 300_000  # pairs of names that are compared letter by letter for a first candidate
WEAK_BITS = -10.0  # of a candidate that only looks like the name asked for
SMALL = 8  # variables below which a share says nothing
SURE_BITS = 4.0
LEAST_SHAPED = 0.2  # share of one side that is found in the same model, however it grew
LEAST_NAMED = 0.3
NEARLY_ALL = 0.98  # the same from which the few that differ say nothing
LEAST_SPECIAL = 3  # variables of sizes of their own that tell two models apart
REPEATED = 3  # names of one template from which they are layers of a stack
ALIKE = 0.9  # share of like sizes from which two sides are one model, however little was found
LEAST_BOTH = 1.4  # least sum of what was found and of like sizes where these are fewer
NEAR = 0.2  # confidence of a candidate from which an open name is called ambiguous
LEAST = 1e-300  # a sum of shares that underflowed
CERTAIN = 0.9999  # from here on no rival is worth showing
REFUSED_BITS = 3.0  # most that a link is worth where all else says that this is another model
REFUSED_SHARE = (
    0.9  # most confidence in such a link, whatever links of few bits are worth elsewhere
)
# Pairs of one expected group, best first: {position of a member: of its counterpart}, bits.
Ranking = list[tuple[dict[int, int], float]]


class Found(NamedTuple):
    """An expected variable and the actual one found for it."""

    expected: Variable
    actual: Variable
    bits: float
    margin: float
    evidence: tuple[Evidence, ...]
    kernel: bool = False  # a kernel, whose axes one side may keep the other way round
    refused: bool = False  # the two sides are taken for different models


def probability(bits: float) -> float:
    """Turn log2 odds into a probability.

    >>> probability(0.0), round(probability(5.0), 3)
    (0.5, 0.97)
    """
    return 1 / (1 + math.exp2(-max(-50.0, min(50.0, bits))))


def decide(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    actual: Side,
    found: Mapping[str, Found],
    result: Result,
    settings: MatchSettings,
    knowledge: str,
) -> NameMap:
    """Make the name map; what is less likely than `min_confidence` is left open."""
    found = {
        name: link
        for name, link in found.items()
        if link.actual.name not in settings.refused.get(name, ())
    }
    found |= _open_strays(found)
    alike = 2 * result.placed > len(wanted)  # most of the computation is the same
    if not alike and _is_other(wanted, pool, found, len(result.vetoes)):
        found = {name: _refused(link) for name, link in found.items()}
    decider = _Decider(pool, actual, found, result, settings, knowledge)
    decisions = tuple([decider.decide(at, v) for at, v in enumerate(wanted)])
    matched = [d for d in decisions if d.status == "matched"]
    used = {d.actual for d in matched if d.actual}
    used |= {found[d.expected].actual.name for d in matched}
    return NameMap(
        decisions,
        verdict=_verdict(len(wanted), len(matched)),
        unused=unused_names(actual, used),
        expected_wrong=round(sum(1 - d.confidence for d in matched), 3),
    )


def _open_strays(found: Mapping[str, Found]) -> dict[str, Found]:
    """Return the links that leave the tower of their scope, without what makes them certain."""
    free = {n: f.actual.name for n, f in found.items() if not _is_pinned(f)}
    why = "nearly all names of its scope went elsewhere, where its place belongs to"
    return {
        name: found[name]._replace(
            margin=0.0, evidence=(*found[name].evidence, Evidence("twin", 0.0, f"{why} {holder}"))
        )
        for name, holder in strays(free).items()
    }


def _is_pinned(link: Found) -> bool:
    return bool(link.evidence) and link.evidence[0].kind == "pin"


def _is_other(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    found: Mapping[str, Found],
    unclear: int,
) -> bool:
    """Whether so little of either side was found that this is another model.

    A few fitting names are found in any two models; without shapes a few more. unclear: expected
    names of which only the group was found, not the member.
    """
    if len(wanted) < SMALL or len(pool) < SMALL:
        return False
    sure = [f for f in found.values() if min(f.bits, f.margin) >= SURE_BITS]
    used = len({f.actual.name for f in sure})
    share = max(len(sure) / len(wanted), used / len(pool))
    sizes = [_sizes(side) for side in (wanted, pool)]
    if not all(sizes):
        return share < LEAST_NAMED
    alike = _alike(*sizes)
    if alike < NEARLY_ALL and _only_stacks(wanted, pool, sure):
        return True
    if alike >= ALIKE:
        share = max((len(sure) + unclear) / len(wanted), (used + unclear) / len(pool))
    if share >= ALIKE:
        return False
    return share < LEAST_SHAPED or (alike < ALIKE and share + alike < LEAST_BOTH)


def _only_stacks(
    wanted: Sequence[Variable], pool: Sequence[Variable], sure: Sequence[Found]
) -> bool:
    """Whether nothing fits but repeated layers: two models of one width may share these alone.

    A norm or a dense layer of the width of all layers fits in any model of that width, so that it
    is enough if nothing fits that stands once and has sizes of its own: tables, stems, heads.
    """
    alone: list[list[str]] = []
    special: list[list[str]] = []
    for side in (wanted, pool):
        texts = [split_name(v.name).text for v in side]
        often = Counter(texts)
        layers = {_size_of(v) for v, t in zip(side, texts, strict=True) if often[t] >= REPEATED}
        once = [v for v, text in zip(side, texts, strict=True) if often[text] < REPEATED]
        alone.append([v.name for v in once])
        special.append([v.name for v in once if layers and _size_of(v) not in layers])
    used = {f.expected.name for f in sure}, {f.actual.name for f in sure}
    return any(
        min(map(len, both)) >= least
        and sum(map(len, both)) >= total
        and all(names.isdisjoint(row) for names, row in zip(used, both, strict=True))
        for both, least, total in ((alone, 1, SMALL), (special, LEAST_SPECIAL, 0))
    )


def _sizes(side: Sequence[Variable]) -> Counter[int]:
    """Count the variables of each number of elements, which no layout changes."""
    shapes = [tuple(n for n in v.shape if n is not None) for v in side if v.shape is not None]
    return Counter(math.prod(shape) for shape in shapes)


def _alike(one: Counter[int], other: Counter[int]) -> float:
    """Return the share of the smaller side's sizes that the other side has, in [0, 1].

    The mean of two: of all variables, and of the sizes that differ. Two models of one width share
    many sizes, but not most of those that differ.
    """
    small = min(one, other, key=Counter.total)
    both = (one & other).total() / small.total()
    return (both + len(one.keys() & other.keys()) / len(small)) / 2


def _refused(link: Found) -> Found:
    """Take a link back, so that it is shown but not committed; a pin is taken as given."""
    odds = min(link.bits, link.margin)
    if _is_pinned(link):
        return link
    if odds <= REFUSED_BITS:
        return link._replace(refused=True)
    why = "so little else fits that this seems to be another model"
    evidence = (*link.evidence, Evidence("whole", round(REFUSED_BITS - odds, 3), why))
    return link._replace(bits=REFUSED_BITS, margin=REFUSED_BITS, evidence=evidence, refused=True)


def _verdict(wanted: int, matched: int) -> Verdict:
    if matched == wanted:
        return "same"
    return "partial" if matched else "other"


class _Decider:
    """What all decisions of one map look at."""

    def __init__(
        self,
        pool: Sequence[Variable],
        actual: Side,
        found: Mapping[str, Found],
        result: Result,
        settings: MatchSettings,
        knowledge: str,
    ) -> None:
        self.pool = pool
        self.knowledge = knowledge
        self.found = found
        self.result = result
        self.settings = settings
        self.all_asked = settings.only is None and settings.exclude is None
        self.shadows = shadows_by_primary(actual) if settings.prefer_ema else {}
        self.sized: dict[tuple[int, ...] | None, list[str]] = defaultdict(list)
        self.looks = MOST_LOOKS
        self.uses = Counter(link.actual.name for link in found.values())

    def decide(self, at: int, v: Variable) -> Decision:
        """Decide on the expected variable at a position."""
        if not (self.all_asked or self.settings.asks_for(v.name)):
            return Decision(v.name, "unmatched", v.shape)
        link = self.found.get(v.name)
        sure = 0.0 if link is None else self._sure(link)
        candidates, near = self._candidates(at, v, link, sure)
        if link is None or sure < self.settings.min_confidence:
            status: Status = "ambiguous" if near else "unmatched"
            reasons = self.result.vetoes.get(at, ()) if link is None else link.evidence
            return Decision(v.name, status, v.shape, evidence=reasons, candidates=candidates)
        meant = self._meant(link)
        return Decision(
            v.name,
            "matched",
            v.shape,
            meant.name,
            f"{meant.node or meant.name}:0",
            meant.checkpoint_key,
            round(sure, 6),
            round(link.margin, 3),
            self._layout(link, v, meant),
            (),
            link.evidence,
            candidates,
        )

    def _meant(self, link: Found) -> Variable:
        """Return the moving average of what was found, where that is asked for and stored."""
        return self.shadows.get(link.actual.name, link.actual)

    def _sure(self, link: Found) -> float:
        """Return the probability of a link; a pin is taken as given."""
        odds = min(link.bits, link.margin)
        if _is_pinned(link):
            return probability(odds)
        share = calibrated(odds, self.knowledge)
        return min(share, REFUSED_SHARE) if link.refused else share

    def _layout(self, link: Found, v: Variable, meant: Variable) -> str:
        if v.name in self.settings.layouts and _is_pinned(link):
            return self.settings.layouts[v.name]
        turned = self.result.turned and link.kernel
        layout = find_layout(v.shape, meant.shape, turned) or "same"
        if layout == "same" and self.uses[link.actual.name] > 1:
            return "tied"
        return layout

    def _candidates(
        self, at: int, v: Variable, link: Found | None, sure: float
    ) -> tuple[tuple[Candidate, ...], bool]:
        """Best first, and whether the first comes near to being meant.

        What the chosen name leaves of 1 is shared among its rivals and "none".
        """
        chosen = [] if link is None else [Candidate(self._meant(link).name, round(sure, 6))]
        if link is not None and probability(min(link.bits, link.margin)) > CERTAIN:
            return tuple(chosen), True
        weights = _weights(at, self.result.rivals.get(at, []), self.pool)
        mine = None if link is None else link.actual.name
        refused = {mine, *self.settings.refused.get(v.name, ())}
        others = sorted(
            (-bits, self.shadows[name].name if name in self.shadows else name)
            for name, bits in weights.items()
            if name not in refused
        )
        if link is None and not others:
            others = [(-WEAK_BITS, name) for name in self._alike(v) if name not in refused]
        top = max(0.0, -others[0][0]) if others else 0.0
        shares = [math.exp2(-bits - top) for bits, _ in others]
        total = sum(shares) + math.exp2(-top)
        rest, near = 1.0 - sure, sure > NEAR
        if link is None and others:
            near = shares[0] / total > NEAR
            best = calibrated_open(shares[0] / total)
            chosen.append(Candidate(others[0][1], round(best, 6)))
            rest, total = 1.0 - best, total - shares[0]
            others, shares = others[1:], shares[1:]
        for (_, name), share in zip(others[: MOST_CANDIDATES - len(chosen)], shares, strict=False):
            most = chosen[-1].confidence if chosen else 1.0
            chosen.append(Candidate(name, round(min(most, rest * share / max(total, LEAST)), 6)))
        return tuple(chosen), near

    def _alike(self, v: Variable) -> list[str]:
        """Return the names most like this one among variables of its sizes, if these are few."""
        from rapidfuzz import fuzz, process

        if not self.sized:
            for other in self.pool:
                self.sized[_size_of(other)].append(other.name)
        pool = self.sized.get(_size_of(v), [])
        self.looks -= len(pool)
        if self.looks < 0:
            return []
        found = process.extract(v.name[:300], [n[:300] for n in pool], scorer=fuzz.ratio, limit=3)
        return [pool[at] for _, _, at in sorted(found, key=lambda row: (-row[1], row[2]))]


def _size_of(v: Variable) -> tuple[int, ...] | None:
    if v.shape is None or None in v.shape:
        return None
    return tuple(sorted(n for n in v.shape if n is not None and n != 1))


def _weights(at: int, rankings: Sequence[Ranking], pool: Sequence[Variable]) -> dict[str, float]:
    """Return {actual name: its most bits} for the expected variable at a position."""
    weights: dict[str, float] = {}
    for ranking in rankings:
        for links, bits in ranking:
            other = links.get(at)
            if other is not None:
                name = pool[other].name
                if name not in weights or weights[name] < bits:
                    weights[name] = bits
    return weights

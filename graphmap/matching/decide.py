"""Links and their bits -> decisions with confidence, layout and candidates; the verdict."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.chunks import chunks
from graphmap.matching.calibration import calibrated, calibrated_open
from graphmap.matching.certain import Weighed, decide_certain
from graphmap.matching.coherence import strays
from graphmap.matching.layout import find_layout
from graphmap.matching.otherness import is_other, size_of
from graphmap.matching.settings import MatchSettings, Side
from graphmap.matching.sides import shadows_by_primary, unused_names
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Status, Verdict
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.levels import Result

__all__ = ["CERTAIN", "Found", "Ranking", "decide", "probability"]

_name = itemgetter(0)  # of a Variable
_actual, _confidence = itemgetter(3), itemgetter(6)  # of a Decision
MOST_CANDIDATES = 5
MOST_LOOKS = 300_000  # pairs of names that are compared letter by letter for a first candidate
WEAK_BITS = -10.0  # of a candidate that only looks like the name asked for
NEAR = 0.2  # confidence of a candidate from which an open name is called ambiguous
LEAST = 1e-300  # a sum of shares that underflowed
SCOPE = re.compile(r"[^/.]*[/.](?=.)", re.DOTALL)
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
    refused: bool = False  # shown, not committed: another model, or a part in another order
    layout: str = ""  # where the shapes do not tell it: a part of what is stored


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
    refused = settings.refused
    if refused:
        found = {
            name: link
            for name, link in found.items()
            if link.actual.name not in refused.get(name, ())
        }
    if not _share_scope(pool):
        found = {**found, **_open_strays(found)}
    alike = 2 * result.placed > len(wanted)  # most of the computation is the same
    if not alike and is_other(wanted, pool, list(found.values()), result):
        found = {name: _refused(link) for name, link in found.items()}
    decider = _Decider(pool, actual, found, result, settings, knowledge)
    decisions = decider.decide_all(wanted)
    matched = [d for d in decisions if d.status == "matched"]
    used = {name for name in map(_actual, matched) if name}
    if settings.prefer_ema:  # what an average stands for is asked for too
        used |= {found[d.expected].actual.name for d in matched}
    return NameMap(
        decisions,
        verdict=_verdict(len(wanted), len(matched)),
        unused=unused_names(actual, used),
        expected_wrong=round(sum(map((1.0).__sub__, map(_confidence, matched))), 3),
    )


def _repeated(names: Sequence[str]) -> frozenset[str]:
    """Return the names that stand there several times."""
    if len(set(names)) == len(names):
        return frozenset()
    return frozenset(name for name, times in Counter(names).items() if times > 1)


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


def _share_scope(pool: Sequence[Variable]) -> bool:
    """Whether all names, which are sorted, begin with one scope: then there is one tower only."""
    if not pool:
        return True
    first, last = pool[0].name, pool[-1].name
    scope = SCOPE.match(first)
    return scope is not None and last.startswith(scope[0])


def _is_pinned(link: Found) -> bool:
    return bool(link.evidence) and link.evidence[0].kind == "pin"


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


IMPOSSIBLE = Weighed(0.0, 0.0, 0.0, False)


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
        self.tied = _repeated([link.actual.name for link in found.values()])
        self.certain: dict[tuple[int, float, float, bool], Weighed | None] = {}
        self.weighed: dict[tuple[float, float, bool, bool], Weighed] = {}

    def decide_all(self, wanted: Sequence[Variable]) -> tuple[Decision, ...]:
        """Decide on all expected variables, in the way of `decide`.

        Where links are certain, which most are, nothing but names and shapes is looked at.
        """
        if not self.all_asked or self.shadows or self.settings.layouts:
            return tuple([self.decide(at, v) for at, v in enumerate(wanted)])
        decisions: list[Decision] = []
        for chunk in chunks(wanted):
            first = len(decisions)
            links: list[Any] = list(map(self.found.get, map(_name, chunk)))
            weighed: list[Any] = list(map(self._certain, links))
            if all(weighed):
                decisions += decide_certain(chunk, links, weighed, self.result.turned, self.tied)
                continue
            variables = list(compress(chunk, weighed))
            sure, worth = (list(compress(column, weighed)) for column in (links, weighed))
            made = decide_certain(variables, sure, worth, self.result.turned, self.tied)
            for at, (v, one) in enumerate(zip(chunk, weighed, strict=True), first):
                decisions.append(next(made) if one else self.decide(at, v))
        return tuple(decisions)

    def _certain(self, link: Found | None) -> Weighed | None:
        """Return what a link is worth that is matched and has no rival, once for a group."""
        if link is None:
            return None
        _, _, bits, margin, reasons, _, refused, _ = link
        key = id(reasons), bits, margin, refused  # all links are kept, and so are their reasons
        try:
            return self.certain[key]
        except KeyError:
            weighed = self._weigh(link)
            is_plain = weighed.certain and weighed.sure >= self.settings.min_confidence
            self.certain[key] = weighed if is_plain else None
            return self.certain[key]

    def decide(self, at: int, v: Variable) -> Decision:
        """Decide on the expected variable at a position."""
        if not (self.all_asked or self.settings.asks_for(v.name)):
            return Decision(v.name, "unmatched", v.shape)
        link = self.found.get(v.name)
        weighed = IMPOSSIBLE if link is None else self._weigh(link)
        candidates, near = self._candidates(at, v, link, weighed)
        if link is None or weighed.sure < self.settings.min_confidence:
            status: Status = "ambiguous" if near else "unmatched"
            reasons = self.result.vetoes.get(at, ()) if link is None else link.evidence
            return Decision(v.name, status, v.shape, evidence=reasons, candidates=candidates)
        meant = self._meant(link)
        name = meant.name
        return Decision(
            v.name,
            "matched",
            v.shape,
            name,
            f"{meant.node or name}:0",
            meant.checkpoint_key,
            weighed.confidence,
            weighed.margin,
            self._layout(link, v, meant),
            (),
            link.evidence,
            candidates,
        )

    def _meant(self, link: Found) -> Variable:
        """Return the moving average of what was found, where that is asked for and stored."""
        return self.shadows.get(link.actual.name, link.actual) if self.shadows else link.actual

    def _weigh(self, link: Found) -> Weighed:
        """Return what the bits of a link are worth, once for all links of a group."""
        key = link.bits, link.margin, link.refused, _is_pinned(link)
        known = self.weighed.get(key)
        if known is None:
            sure = self._sure(link)
            certain = probability(min(link.bits, link.margin)) > CERTAIN
            known = Weighed(sure, round(sure, 6), round(link.margin, 3), certain)
            self.weighed[key] = known
        return known

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
        if link.layout:
            return link.layout
        turned = self.result.turned and link.kernel
        layout = find_layout(v.shape, meant.shape, turned) or "same"
        if layout == "same" and link.actual.name in self.tied:
            return "tied"
        return layout

    def _candidates(
        self, at: int, v: Variable, link: Found | None, weighed: Weighed
    ) -> tuple[tuple[Candidate, ...], bool]:
        """Best first, and whether the first comes near to being meant.

        What the chosen name leaves of 1 is shared among its rivals and "none".
        """
        sure = weighed.sure
        first = () if link is None else (Candidate(self._meant(link).name, weighed.confidence),)
        if weighed.certain:
            return first, True
        chosen = list(first)
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
            best = calibrated_open(shares[0] / total, self.knowledge)
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
                self.sized[size_of(other)].append(other.name)
        pool = self.sized.get(size_of(v), [])
        self.looks -= len(pool)
        if self.looks < 0:
            return []
        found = process.extract(v.name[:300], [n[:300] for n in pool], scorer=fuzz.ratio, limit=3)
        return [pool[at] for _, _, at in sorted(found, key=lambda row: (-row[1], row[2]))]


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

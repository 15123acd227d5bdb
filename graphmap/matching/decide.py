"""Links and their bits -> decisions with confidence, layout and candidates; the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.layout import find_layout
from graphmap.matching.settings import MatchSettings, Side
from graphmap.matching.sides import shadows_by_primary, unused_names
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Verdict
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.levels import Result

__all__ = ["Found", "decide", "probability"]

MOST_CANDIDATES = 5


class Found(NamedTuple):
    """An expected variable and the actual one found for it."""

    expected: Variable
    actual: Variable
    bits: float
    margin: float
    evidence: tuple[Evidence, ...]
    tied: bool = False


def probability(bits: float) -> float:
    """Turn log2 odds into a probability.

    >>> probability(0.0), round(probability(5.0), 3)
    (0.5, 0.97)
    """
    return 1 / (1 + math.exp2(-max(-50.0, min(50.0, bits))))


def decide(
    wanted: Sequence[Variable],
    actual: Side,
    found: Mapping[str, Found],
    result: Result,
    settings: MatchSettings,
) -> NameMap:
    """Make the name map; what is less likely than `min_confidence` is left open."""
    shadows = shadows_by_primary(actual) if settings.prefer_ema else {}
    turned = _is_turned(found)
    uses = Counter(link.actual.name for link in found.values())
    found = {name: link._replace(tied=uses[link.actual.name] > 1) for name, link in found.items()}
    decisions = tuple(
        _decide_one(v, found.get(v.name), result.rivals.get(v.name, []), settings, shadows, turned)
        for v in wanted
    )
    matched = [d for d in decisions if d.status == "matched"]
    used = {d.actual for d in matched if d.actual}
    used |= {found[d.expected].actual.name for d in matched}
    return NameMap(
        decisions,
        verdict=_verdict(len(wanted), len(matched)),
        unused=unused_names(actual, used),
        expected_wrong=round(sum(1 - d.confidence for d in matched), 3),
    )


def _verdict(wanted: int, matched: int) -> Verdict:
    if matched == wanted:
        return "same"
    return "partial" if matched else "other"


def _is_turned(found: Mapping[str, Found]) -> bool:
    """Whether the two sides keep kernels the other way round, by those that are not square."""
    votes = 0
    for link in found.values():
        shape, other = link.expected.shape, link.actual.shape
        if shape is None or other is None or len(shape) < 2 or set(shape) == set(other[:1]):
            continue
        layout = find_layout(shape, other) or "same"
        votes += 1 if "permute" in layout or "transpose" in layout else 0
    return votes > 0


def _decide_one(
    v: Variable,
    link: Found | None,
    rivals: Sequence[tuple[Variable, float]],
    settings: MatchSettings,
    shadows: Mapping[str, Variable],
    turned: bool,
) -> Decision:
    if not settings.asks_for(v.name):
        return Decision(v.name, "unmatched", v.shape)
    sure = 0.0 if link is None else probability(min(link.bits, link.margin))
    candidates = _candidates(link, rivals, sure)
    if link is None or sure < settings.min_confidence:
        near = bool(candidates) and candidates[0].confidence > 0.2
        return Decision(
            v.name, "ambiguous" if near else "unmatched", v.shape, candidates=candidates
        )
    meant = shadows.get(link.actual.name, link.actual)
    layout = "tied" if link.tied else find_layout(v.shape, meant.shape, False) or "same"
    return Decision(
        v.name,
        "matched",
        v.shape,
        meant.name,
        f"{meant.node or meant.name}:0",
        meant.checkpoint_key,
        round(sure, 6),
        round(link.margin, 3),
        layout,
        (),
        tuple(Evidence(e.kind, round(e.bits, 3), e.why) for e in link.evidence),
        candidates,
    )


def _candidates(
    link: Found | None, rivals: Sequence[tuple[Variable, float]], sure: float
) -> tuple[Candidate, ...]:
    weights: dict[str, float] = {}
    for other, bits in rivals:
        weights[other.name] = max(weights.get(other.name, -99.0), bits)
    chosen = [] if link is None else [Candidate(link.actual.name, round(sure, 6))]
    rest = 1.0 - sure
    mine = link.actual.name if link is not None else None
    others = sorted((n for n in weights if n != mine), key=lambda n: (-weights[n], n))
    top = max(weights.values(), default=0.0)
    total = sum(2.0 ** (weights[n] - top) for n in others) + 2.0 ** min(50.0, -top)
    for name in others[: MOST_CANDIDATES - len(chosen)]:
        share = 2.0 ** (weights[name] - top) / total
        chosen.append(Candidate(name, round(rest * share, 6)))
    return tuple(chosen)

"""Expected and actual variables -> NameMap."""

from __future__ import annotations

import re
from dataclasses import replace

from graphmap.matching.layout import find_layout
from graphmap.matching.settings import DEFAULTS, MatchSettings, Side
from graphmap.matching.sides import (
    answering,
    asked,
    check_pins,
    shadows_by_primary,
    unused_names,
)
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Status
from graphmap.model.variable import Variable

__all__ = ["match_variables"]


def match_variables(expected: Side, actual: Side, settings: MatchSettings = DEFAULTS) -> NameMap:
    """Map every expected name to one actual name, or say why not."""
    check_pins(settings, expected, actual)
    wanted = asked(expected, settings)
    pool = answering(actual)
    shadows = shadows_by_primary(actual) if settings.prefer_ema else {}
    by_name = {v.name: v for v in actual.variables}
    by_tail: dict[str, list[str]] = {}
    for v in pool:
        by_tail.setdefault(re.split(r"[/.]", v.name)[-1], []).append(v.name)
    decisions = []
    for v in wanted:
        decisions.append(_decide(v, by_name, by_tail, settings))
    if shadows:
        decisions = [
            replace(d, actual=shadows[d.actual].name) if d.actual in shadows else d
            for d in decisions
        ]
    used = {d.actual for d in decisions if d.status == "matched" and d.actual}
    return NameMap(tuple(decisions), unused=unused_names(actual, used))


def _decide(
    v: Variable,
    by_name: dict[str, Variable],
    by_tail: dict[str, list[str]],
    settings: MatchSettings,
) -> Decision:
    pin = settings.pins.get(v.name)
    tails = by_tail.get(re.split(r"[/.]", v.name)[-1], [])
    fits = [
        n
        for n in tails
        if (n == v.name or n.endswith("/" + v.name) or v.name.endswith("/" + n))
        and find_layout(v.shape, by_name[n].shape) == "same"
    ]
    if pin is not None:
        evidence: tuple[Evidence, ...] = (Evidence("pin", 20.0, "pinned by the user"),)
        fits = [pin]
    else:
        evidence = (Evidence("lexical", 8.0, "one name ends in the other"),)
    if v.name in fits:
        fits = [v.name]
    candidates = tuple(Candidate(n, 0.99 / len(fits)) for n in fits[:5])
    if len(fits) == 1 and (pin is not None or settings.asks_for(v.name)):
        return Decision(
            v.name,
            "matched",
            v.shape,
            fits[0],
            f"{fits[0]}:0",
            by_name[fits[0]].checkpoint_key,
            0.99,
            8.0,
            "same",
            (),
            evidence,
            candidates,
        )
    status: Status = "ambiguous" if fits else "unmatched"
    return Decision(v.name, status, v.shape, candidates=candidates)

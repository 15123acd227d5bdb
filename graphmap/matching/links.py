"""Links between the two sides, made and taken back by their positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from graphmap.matching.decide import Found
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = [
    "FORM_BITS",
    "all_firm",
    "firm_places",
    "least_odds",
    "link_open",
    "link_or_confirm",
    "open_links",
    "settled_places",
    "take_back",
]

FORM_BITS = 14.0  # of a module that fits no other one
WEAK = 12.0  # bits below which a link needs to be confirmed
_odds = itemgetter(2, 3)  # bits and margin of a Found


def settled_places(run: Run) -> dict[int, int]:
    """Return {expected position: actual one} of what is linked."""
    places = {v.name: at for at, v in enumerate(run.pool)}
    known = {k.expected.name: places[k.actual.name] for k in run.result.links}
    return {at: known[v.name] for at, v in enumerate(run.wanted) if v.name in known}


def least_odds(links: Sequence[Found]) -> float:
    """Return the least bits or margin of all links, of which few differ; 0 where there is none."""
    return min(map(min, set(map(_odds, links))), default=0.0)


def all_firm(run: Run) -> bool:
    """Whether no link needs a second witness."""
    return least_odds(run.result.links) >= WEAK


def firm_places(run: Run, settled: Mapping[int, int]) -> dict[int, int]:
    """Return those of settled positions whose link needs no second witness."""
    weak = {k.expected.name for k in run.result.links if _is_weak(k)}
    return {at: a for at, a in settled.items() if run.wanted[at].name not in weak}


def link_or_confirm(
    run: Run, rows: Sequence[tuple[int, int]], settled: dict[int, int], evidence: Evidence
) -> None:
    """Link open pairs of positions, and add the evidence to weak links that say the same.

    It must not come from these.
    """
    same = {run.wanted[mine].name for mine, other in rows if settled.get(mine) == other}
    if same:
        run.result.links = [
            _confirmed(link, evidence) if link.expected.name in same and _is_weak(link) else link
            for link in run.result.links
        ]
    link_open(run, rows, settled, evidence)


def link_open(
    run: Run, rows: Sequence[tuple[int, int]], settled: dict[int, int], evidence: Evidence
) -> None:
    """Link pairs of positions that are open on both sides, and count them as settled."""
    taken = set(settled.values())
    for mine, other in rows:
        if mine not in settled and other not in taken:
            one, two = run.wanted[mine], run.pool[other]
            kernel = len(one.shape or ()) > 1
            run.result.links.append(
                Found(one, two, evidence.bits, evidence.bits, (evidence,), kernel)
            )
            run.result.vetoes.pop(mine, None)
            settled[mine] = other
            taken.add(other)


def _is_weak(link: Found) -> bool:
    return min(link.bits, link.margin) < WEAK


def _confirmed(link: Found, evidence: Evidence) -> Found:
    more = evidence.bits
    return link._replace(
        bits=link.bits + more, margin=link.margin + more, evidence=(*link.evidence, evidence)
    )


def open_links(run: Run, kind: str, found: Mapping[int, str], settled: dict[int, int]) -> None:
    """Take back links of expected positions, and keep why."""
    if found:
        run.result.vetoes.update((at, (Evidence(kind, 0.0, why),)) for at, why in found.items())
        take_back(run, found.keys() & settled.keys(), settled)


def take_back(run: Run, places: set[int], settled: dict[int, int]) -> None:
    """Take back the links of expected positions; `settled` loses them too."""
    names = {run.wanted[at].name for at in places}
    run.result.links = [k for k in run.result.links if k.expected.name not in names]
    run.complete = False
    for at in places:
        del settled[at]

"""Modules settled by where they stand: in the order of the code, in scopes like no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from graphmap.matching.links import FORM_BITS, firm_places, link_open, link_or_confirm, take_back
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.forms import Form
    from graphmap.matching.levels import Run

__all__ = ["by_order", "by_parallels"]


def by_order(run: Run, sides: tuple[list[Form], list[Form]], settled: dict[int, int]) -> None:
    """Settle modules that have one place in the order of the code, as scopes and forms allow.

    A small group that was laid into a longer one gives way: its place in that was a guess. What
    no walk has stays open.
    """
    from graphmap.matching.arrangement import arrange
    from graphmap.matching.forms import homes_of, inside, paired_forms

    if not (run.ordered and all(sides)):
        return
    laid = {
        k.expected.name
        for k in run.result.links
        if any(e.kind == "count" and e.bits < 0 for e in k.evidence)
    }
    firm = firm_places(run, settled)
    firm = {at: a for at, a in firm.items() if run.wanted[at].name not in laid}
    found = arrange(*sides, paired_forms(*sides, firm))
    if not found.places:
        return
    rows = [pair for e, a in found.pairs for pair in inside(sides[0][e], sides[1][a])]
    meant = dict(rows)
    homes = homes_of(sides[0]), homes_of(sides[1])
    moved = {
        at
        for at, a in settled.items()
        if meant.get(at, a) != a
        or homes[0][at] not in found.places.get(homes[1][a], {homes[0][at]})
    }
    if moved:
        take_back(run, moved, settled)
    why = "its only place in the order of the code, as scopes and forms allow"
    link_or_confirm(run, rows, settled, Evidence("creation", FORM_BITS, why))
    _layers(run, sides, found.places, settled)


def _layers(
    run: Run,
    sides: tuple[list[Form], list[Form]],
    places: Mapping[int, set[int]],
    settled: dict[int, int],
) -> None:
    """Settle layers of which only the group was known, where their block has one place.

    places: {actual form: expected ones that may be it}.
    """
    from graphmap.matching.forms import homes_of

    homes = homes_of(sides[0]), homes_of(sides[1])
    groups = [{at: g for g in side for at in g.positions} for side in run.whole]
    rows = []
    for at, reasons in run.result.vetoes.items():
        told = sum(e.bits for e in reasons if e.kind != "stack")
        best = next((r[0][0] for r in run.result.rivals.get(at, ()) if at in r[0][0]), {})
        if reasons[-1].kind != "stack" or told < FORM_BITS or at in settled or at not in best:
            continue
        like = {homes[0].get(p) for p in groups[0][at].positions}
        own = {homes[0].get(at)}
        fitting = [
            p
            for p in groups[1][best[at]].positions
            if p in homes[1] and places.get(homes[1][p], set()) & like == own
        ]
        rows += [(at, p) for p in fitting if len(fitting) == 1]
    why = "its group is known, and its block has one place in the order of the code"
    link_open(run, rows, settled, Evidence("creation", FORM_BITS, why))


def by_parallels(run: Run, sides: tuple[list[Form], list[Form]], settled: dict[int, int]) -> None:
    """Settle what scopes hold that only their words tell apart, by order and forms in each."""
    from graphmap.matching.arrangement import arrange
    from graphmap.matching.forms import fit_forms, homes_of, inside, paired_forms
    from graphmap.matching.parallels import parallel_scopes

    rows = []
    firm = firm_places(run, settled)
    for mine, theirs in parallel_scopes(*sides, paired_forms(*sides, firm)):
        parts = [sides[0][at] for at in mine], [sides[1][at] for at in theirs]
        tensors = homes_of(parts[0])
        known = {p: firm[p] for p in tensors if p in firm}
        if len(known) == len(tensors):
            continue
        if run.ordered:
            found = arrange(*parts, paired_forms(*parts, known), counterparts=True).pairs
            counted = Counter(form.signature for form in parts[0])
            rows += [
                pair
                for e, a in found
                for pair in inside(parts[0][e], parts[1][a])
                if counted[parts[0][e].signature] == 1 or not _is_counted(run, pair[0])
            ]
        rows += fit_forms(*parts, known)
    why = "its scope is the counterpart of one with like words, among scopes that hold the same"
    link_or_confirm(run, rows, settled, Evidence("form", FORM_BITS, why))


def _is_counted(run: Run, at: int) -> bool:
    """Whether an expected position stays open for a counter that need not be the order."""
    return any(e.kind == "counter" for e in run.result.vetoes.get(at, ()))

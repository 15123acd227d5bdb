"""What modules settle: what they hold, what stands beside them, and their order in the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphmap.matching.closing import LONE, all_linked, keeps_names, shares_names
from graphmap.matching.links import (
    FORM_BITS,
    all_firm,
    firm_places,
    link_open,
    link_or_confirm,
    open_links,
    settled_places,
    take_back,
)
from graphmap.matching.placing import by_order, by_parallels
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.forms import Form, Row
    from graphmap.matching.groups import Group
    from graphmap.matching.levels import Run

__all__ = [
    "by_forms",
    "by_neighbours",
    "doubt_norms",
    "doubt_swaps",
    "follow_kernels",
    "keep_modules",
]

DERIVED = ("form", "creation")  # of what follows from others
LARGE = 300  # expected names from which blocks stand for all others of their stack
ENDS = 3  # blocks at either end of a stack that do


def by_forms(run: Run, wanted: Sequence[int], pool: Sequence[int]) -> None:
    """Settle modules by what they hold, where the two sides hold as many elements."""
    if min(len(wanted), len(pool)) < LONE or keeps_names(run):
        return
    if all_firm(run) and all_linked(run):
        return
    if shares_names(run, wanted, pool):
        return
    from graphmap.matching.forms import fit_forms

    sides, settled = _modules(run)
    by_order(run, sides, settled)
    by_parallels(run, sides, settled)
    _complete(run, sides, settled)
    why = "no other module fits it, in two sides that fit"
    link_open(run, fit_forms(*sides, settled), settled, Evidence("form", FORM_BITS, why))
    _beside(run, sides, settled)


def _complete(run: Run, sides: tuple[list[Form], list[Form]], settled: dict[int, int]) -> None:
    """Settle what is left of modules whose kernel or scale is settled."""
    from graphmap.matching.forms import inside, paired_forms

    biases = {p for f in sides[0] for (letter, _), row in f.tensors.items() for p in row
              if letter == "B"}  # fmt: skip
    told = {at: a for at, a in settled.items() if at not in biases}  # a bias is no module's proof
    paired = paired_forms(*sides, told)
    if len(set(paired.values())) == len(paired):
        rows = [pair for e, a in paired.items() for pair in inside(sides[0][e], sides[1][a])]
        why = "its module is settled, and nothing else in that is like it"
        link_open(run, rows, settled, Evidence("form", FORM_BITS, why))


def keep_modules(run: Run) -> None:
    """Bring back to the module of their kernel the tensors that words led to another one."""
    from graphmap.matching.forms import strays

    sides, settled = _modules(run)
    moved = strays(*sides, settled)
    if moved:
        take_back(run, moved, settled)
        _complete(run, sides, settled)


def follow_kernels(run: Run) -> None:
    """Settle norms that go with one kernel each by what their kernels are; others give way."""
    if not any(group.kind.letter == "V" for group in run.whole[0]):
        return
    from graphmap.matching.following import followed_norms
    from graphmap.matching.forms import inside, targets_of

    sides, settled = _modules(run)
    owners = followed_norms(*sides, run.ordered)
    if owners is None:
        return
    homes = targets_of(*sides, settled)
    keepers = {norm: kernel for kernel, norm in owners[1].items()}
    rows, moved = list[tuple[int, int]](), set[int]()
    for kernel, norm in owners[0].items():
        targets, norms = homes.get(kernel, set()), homes.get(norm, set())
        whose = [keepers[at] for at in norms if at in keepers]
        if not targets and any(_unlike(sides[0][kernel], sides[1][at]) for at in whose):
            moved.update(p for row in sides[0][norm].tensors.values() for p in row if p in settled)
        if len(targets) != 1:
            continue
        meant = owners[1].get(next(iter(targets)))
        if meant is None or sides[0][norm].signature != sides[1][meant].signature:
            continue
        if norms and norms != {meant}:
            moved.update(p for row in sides[0][norm].tensors.values() for p in row if p in settled)
        rows += inside(sides[0][norm], sides[1][meant])
    back = {a: e for e, a in settled.items()}
    taken = {back[a] for _, a in rows if a in back} - {e for e, a in rows if settled.get(e) == a}
    if moved | taken:
        take_back(run, moved | taken, settled)
    why = "its kernel is settled, and this norm goes with that"
    link_open(run, rows, settled, Evidence("form", FORM_BITS, why))


def _unlike(one: Form, other: Form) -> bool:
    """Whether the kernels of two modules have other sizes."""
    kernels = [{sizes for _, sizes in form.tensors if len(sizes) > 1} for form in (one, other)]
    return kernels[0].isdisjoint(kernels[1])


def doubt_norms(run: Run) -> None:
    """Open norms that a number led away from the kernel they follow in the code.

    `bn1` of one block may be `bn2` of another that has one layer less in front.
    """
    numbered = any(
        pair.expected.kind.letter == "V" and _numbers(pair.expected) != _numbers(pair.actual)
        for pair in run.anchors
    )
    if not (run.ordered and numbered):
        return
    from graphmap.matching.forms import misplaced_norms

    sides, settled = _modules(run)
    moved = {at for at in misplaced_norms(*sides, settled) if at in settled}
    why = "in the code it follows a kernel that has another norm beside it"
    open_links(run, "form", dict.fromkeys(moved, why), settled)


def doubt_homes(run: Run) -> None:
    """Open modules that words led out of a scope that has a free one like them."""
    from graphmap.matching.homes import truer_homes

    taken = {k.actual.name for k in run.result.links}
    free = [
        group
        for group in run.whole[1]
        if not any(run.pool[at].name in taken for at in group.positions)
    ]
    found = {
        at: f"{group.template} is free, and has a word of it that this one lacks"
        for pair, group in truer_homes(run.anchors, run.whole[0], free)
        for at in pair.expected.positions
    }
    open_links(run, "home", found, settled_places(run) if found else {})


def doubt_swaps(run: Run) -> None:
    """Open like modules of one block that might as well be exchanged.

    Of a large model the first and last blocks of its stacks are asked first: they stand for all.
    """
    from graphmap.matching.forms import rows_of

    ends = _ends(run)
    if ends is not None and not _swapped(run, *ends):
        return
    settled = settled_places(run)
    found = _swapped(run, [list(rows_of(side)) for side in run.whole], settled)
    open_links(run, "swap", found, settled)


def _swapped(run: Run, rows: Sequence[Sequence[Row]], settled: Mapping[int, int]) -> dict[int, str]:
    """Return {settled position: why} of what might be exchanged. rows: tensors of both sides."""
    from graphmap.matching.forms import modules_of
    from graphmap.matching.leanings import Asked
    from graphmap.matching.swaps import doubtful_swaps

    sides = modules_of(rows[0], run.wanted_names), modules_of(rows[1], run.pool_names)
    shapes = [{at: shape for _, at, shape in side} for side in rows]
    tables = [{at for group, at, _ in side if _is_table(group)} for side in rows]
    looked_up = tables[0] | {e for e, a in settled.items() if a in tables[1]}
    kernels = {at for group, at, _ in rows[0] if group.kind.letter == "M"} - looked_up
    turned = run.habit > 0.5
    asked = Asked(*sides, settled, (shapes[0], shapes[1]), looked_up, kernels, run.ordered, turned)
    left = {k.expected.name for k in run.result.links if k.evidence[0].kind in DERIVED}
    derived = {at for at in settled if run.wanted[at].name in left} if left else set[int]()
    opened = {at for at, why in run.result.vetoes.items() if why[0].kind == "exchange"}
    found = doubtful_swaps(asked, opened, derived)
    return {at: why for at, why in found.items() if at in settled}


def _ends(run: Run) -> tuple[list[list[Row]], dict[int, int]] | None:
    """Return the tensors at the ends of stacks and what they are; None if not all are in stacks."""
    linked = sum(len(pair.links) for pair in run.anchors)
    if len(run.wanted) < LARGE or not linked == len(run.result.links) == len(run.wanted):
        return None
    rows: list[list[Row]] = [[], []]
    settled: dict[int, int] = {}
    for pair in run.anchors:
        for ends in dict.fromkeys((*pair.links[:ENDS], *pair.links[-ENDS:])):
            for group, side, at in zip((pair.expected, pair.actual), rows, ends, strict=True):
                side.append((group, group.positions[at], group.shapes[at]))
            settled[rows[0][-1][1]] = rows[1][-1][1]
    return rows, settled


def _is_table(group: Group) -> bool:
    return group.kind.sub == "embedding" or "embedding" in group.words


def _numbers(group: Group) -> int:
    return sum(word[0] in "=@" for word in group.words)


def by_neighbours(run: Run) -> None:
    """Settle norms that stand beside settled kernels, where nothing else there is like them."""
    _beside(run, *_modules(run))


def _beside(run: Run, sides: tuple[list[Form], list[Form]], settled: dict[int, int]) -> None:
    from graphmap.matching.companions import companions

    rows = companions(*sides, firm_places(run, settled))
    why = "it stands beside what is settled, and nothing else there is like it"
    link_or_confirm(run, rows, settled, Evidence("form", FORM_BITS, why))


def _modules(run: Run) -> tuple[tuple[list[Form], list[Form]], dict[int, int]]:
    """Return the modules of both sides, and {expected position: actual one} of what is settled."""
    from graphmap.matching.forms import modules_of, rows_of

    sides = (
        modules_of(rows_of(run.whole[0]), run.wanted_names),
        modules_of(rows_of(run.whole[1]), run.pool_names),
    )
    return sides, settled_places(run)

"""Which variable gets which new name; every collision is found before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from graphmap.errors import NameMapError
from graphmap.model.variable import Variable
from graphmap.patterns import compile_pattern

__all__ = ["RenamePlan", "follow_slot", "plan_renames"]

NewNames = Callable[[str], tuple[str, ...] | None]  # None: this name is not spoken of
_STATE_ROLES = ("slot", "optimizer")  # what --no-slots leaves out
_SHOWN = 10


class RenamePlan(NamedTuple):
    """New names of every variable of an artifact.

    names: {old: new names}, several where one value is stored under each, () where it is left out.
    renamed: old names whose new ones differ. kept: old names that nothing was said of.
    dropped: old names that are left out.
    """

    names: Mapping[str, tuple[str, ...]]
    renamed: tuple[str, ...]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]

    def first(self, old: str) -> str | None:
        """Return the one new name that a graph can have, None where it is left out."""
        found = self.names.get(old, (old,))
        return found[0] if found else None


def plan_renames(
    variables: Iterable[Variable],
    new_names: NewNames,
    *,
    only: str | None = None,
    no_slots: bool = False,
    follow: bool = True,
    where: str = "",
) -> RenamePlan:
    """Return the new name of every variable.

    only: keeps variables in whose name it is found, and their slots. no_slots: leaves slots and
    other optimizer state out. follow: slots take the name of their primary. Raises NameMapError
    that lists all names that two variables would have.
    """
    listed = list(variables)
    search = None if only is None else compile_pattern(only, f"--only {only}").search
    names: dict[str, tuple[str, ...]] = {}
    kept = []
    for variable in listed:
        followed = variable.slot_of if follow else None
        given = new_names(variable.name)
        if given is None and followed is not None:
            given = _follow_all(variable.name, followed, new_names(followed))
        subject = variable.slot_of or variable.name
        if (no_slots and variable.role in _STATE_ROLES) or (search and not search(subject)):
            names[variable.name] = ()
        elif given is None:
            names[variable.name] = (variable.name,)
            kept.append(variable.name)
        else:
            names[variable.name] = given
    _check_collisions(names, where)
    return RenamePlan(
        names,
        tuple(old for old, new in names.items() if new and new != (old,)),
        tuple(kept),
        tuple(old for old, new in names.items() if not new),
    )


def _follow_all(
    slot: str, primary: str, new_primaries: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    if new_primaries is None:
        return None
    found = [follow_slot(slot, primary, new) for new in new_primaries]
    return tuple(new for new in found if new is not None) or None


def follow_slot(slot: str, primary: str, new_primary: str) -> str | None:
    """Return a slot's name after its primary's was changed, None where it does not hold it.

    >>> follow_slot("W/Adam_1", "W", "net/W"), follow_slot("opt/a/W/m", "a/W", "b")
    ('net/W/Adam_1', 'opt/b/m')
    >>> follow_slot("adam/seq_d_kernel_momentum", "seq/d/kernel", "x/k")
    'adam/x_k_momentum'
    """
    if slot.startswith(primary):
        return new_primary + slot[len(primary) :]
    for old, new in (
        (primary, new_primary),
        tuple(n.replace("/", "_") for n in (primary, new_primary)),
    ):
        found = re.search(rf"(?:^|(?<=[/_])){re.escape(old)}(?=[/_]|$)", slot)
        if found:
            return slot[: found.start()] + new + slot[found.end() :]
    return None


def _check_collisions(names: Mapping[str, tuple[str, ...]], where: str) -> None:
    owners: dict[str, list[str]] = {}
    for old, new in names.items():
        for name in new:
            owners.setdefault(name, []).append(old)
    empty = owners.get("", [])
    if empty:
        raise NameMapError(
            f"would leave {len(empty)} variables without a name, the first is {empty[0]}",
            where=where,
            remedy="Give each variable a name.",
        )
    twice = {name: found for name, found in owners.items() if len(found) > 1}
    if twice:
        shown = "; ".join(
            f"{name} from {' and '.join(found)}" for name, found in list(twice.items())[:_SHOWN]
        )
        more = f"; and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
        raise NameMapError(
            f"{len(twice)} names would stand twice: {shown}{more}",
            where=where,
            remedy="Change the map, or leave variables out with --only.",
        )

"""Who takes part: the expected names that are asked for, the actual ones that may answer."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

from graphmap.analysis.slot_names import is_slot_leaf
from graphmap.errors import NameMapError, UsageError
from graphmap.matching.layout import find_layout
from graphmap.matching.settings import MatchSettings, Side
from graphmap.matching.states import holds_states, holds_suffixes, mirrored_states, suffixed_states
from graphmap.matching.suggest import rank_candidates
from graphmap.model.skeletons import DIGIT, distinct_skeletons, is_nested
from graphmap.model.variable import Variable

__all__ = [
    "answering",
    "asked",
    "check_pins",
    "shadows_by_primary",
    "trained_names",
    "unused_names",
]

ANSWERING = frozenset({"weight", "other"})  # roles that compete for an expected name
FEWEST_SLOTS = 3  # variables below others that show a habit
COUNTED = re.compile(r"_[0-9]{1,9}$")
BOOKKEEPING = "_CHECKPOINTABLE_OBJECT_GRAPH"
_name, _role = itemgetter(0), itemgetter(3)  # of a variable


def asked(expected: Side, settings: MatchSettings) -> tuple[Variable, ...]:
    """Return the expected variables that get an entry; raises NameMapError on a name twice."""
    names = list(map(_name, expected.variables))
    if len(set(names)) < len(names):
        counts = Counter(names)
        twice = sorted(name for name, count in counts.items() if count > 1)
        raise NameMapError(
            f"stands {counts[twice[0]]} times among the expected names",
            where=twice[0],
            remedy="Keep one line for each expected name.",
        )
    if settings.include_slots or (_all_answer(expected.variables) and BOOKKEEPING not in names):
        return expected.variables
    return tuple([v for v in expected.variables if v.role in ANSWERING and v.name != BOOKKEEPING])


def answering(actual: Side, wanted: Sequence[Variable] = ()) -> tuple[Variable, ...]:
    """Return the actual variables that compete, sorted by name: their order tells nothing.

    A moving average whose weight is not stored stands in for it; a slot does not. wanted: what is
    asked for.
    """
    column = list(map(_name, actual.variables))
    names = set(column)
    all_answer = len(names) == len(column) and _all_answer(actual.variables)
    if all_answer and _stand_alone(column):
        return tuple(sorted(actual.variables, key=_name))
    found = {
        v.name: v
        for v in reversed(actual.variables)
        if v.role in ANSWERING or (v.role == "shadow" and v.slot_of not in names)
    }
    leaves: dict[str, str] = {}  # few differ: each with what the first one stands below
    nested = False
    for name in found:
        parent, _, leaf = name.rpartition("/")
        leaves.setdefault(leaf, parent)
        nested = nested or parent in names
    nested = nested or any(parent.rpartition("/")[2] in leaves for parent in leaves.values())
    slots = frozenset(filter(is_slot_leaf, leaves))
    for name in [name for name in found if name.rpartition("/")[2] in slots] if slots else ():
        if name.rpartition("/")[0] not in names:
            del found[name]
    found.pop(BOOKKEEPING, None)
    for states in (mirrored_states, suffixed_states):
        for name in states(found.keys(), map(_name, wanted)):
            del found[name]
    if nested:
        known = {_word_of(v.name) for v in actual.variables if v.role == "slot"}
        for name in _appended(found, wanted, known):
            del found[name]
    return tuple(sorted(found.values(), key=_name))


def _all_answer(variables: Sequence[Variable]) -> bool:
    return set(map(_role, variables)) <= ANSWERING


def _stand_alone(names: Sequence[str]) -> bool:
    """Whether no name surely is a slot's, nor may be: as in most listings, and quick to see."""
    found = distinct_skeletons(names)
    if found is None or is_nested(found) or holds_states(found) or BOOKKEEPING in names:
        return False
    if holds_suffixes(found):
        return False
    leaves = {name.rpartition("/")[2] for name in found}
    if "" in leaves or any(leaf in leaves for n in found for leaf in n.split("/")[-2:-1]):
        return False
    return not any(is_slot_leaf(leaf.replace(DIGIT, "1")) for leaf in leaves)


def _appended(
    names: Mapping[str, Variable], wanted: Sequence[Variable], known: Collection[str]
) -> list[str]:
    """Return what most variables have below themselves under one word: an optimizer's own slots.

    No list of optimizers is complete, and the factored slots of Adafactor have no shape of a
    weight. known: words of what surely is a slot. Nothing is left out under a word that ends an
    expected name. Some keep slots in a tree of their own that mirrors the weights:
    `state/dense/kernel/m` beside `target/dense/kernel`.
    """
    by_leaf: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    asked_for = {_word_of(v.name) for v in wanted}
    for name in names:
        parent, word = name.rpartition("/")[0], _word_of(name)
        if parent in names:
            below[word].append(name)
        elif parent and word not in asked_for:
            by_leaf[word].append(name)
    for word, rows in by_leaf.items():
        if len(rows) >= FEWEST_SLOTS and word not in below:
            below[word] = _mirroring(rows, names)
    weights = len(names) - sum(map(len, below.values()))
    return [
        name
        for leaf, children in below.items()
        if leaf not in asked_for
        and len(children) >= FEWEST_SLOTS
        and (leaf in known or 2 * len({name.rpartition("/")[0] for name in children}) >= weights)
        for name in children
    ]


def _word_of(name: str) -> str:
    """Return the last part of a name, without a number that TensorFlow gave it."""
    return COUNTED.sub("", name.rpartition("/")[2])


def _mirroring(rows: Sequence[str], names: Mapping[str, Variable]) -> list[str]:
    """Return those of names of one leaf that have a weight at the same place of another scope."""
    parents = {name: name.rpartition("/")[0] for name in rows}
    ending = "/" + parents[rows[0]].rpartition("/")[2]
    if not any(name.endswith(ending) for name in names):
        return []  # what these stand below is no weight's leaf
    ways = {name: parent.split("/") for name, parent in parents.items()}
    depth = 0
    while len({way[depth] if len(way) > depth else "" for way in ways.values()}) == 1:
        depth += 1
    paths = {name: "/".join(way[depth:]) for name, way in ways.items() if len(way) > depth}
    if not depth or not paths:
        return []
    ending = "/" + next(iter(paths.values()))
    homes = [n[: -len(ending)] for n in names if n.endswith(ending)]
    mirrored = [[n for n, path in paths.items() if f"{home}/{path}" in names] for home in homes]
    return max(mirrored, key=len, default=[])


def check_pins(settings: MatchSettings, expected: Side, actual: Side) -> None:
    """Raise UsageError for the first pin that names nothing, or whose shapes cannot be one."""
    if not settings.pins:
        return
    here = {v.name: v for v in expected.variables}
    there = {v.name: v for v in actual.variables}
    for left, right in settings.pins.items():
        for name, names, side in ((left, here, "expected"), (right, there, "actual")):
            if name in names:
                continue
            near = rank_candidates(name, names, 3)
            raise UsageError(
                f"is not among the {side} names",
                where=f"pin {left}={right}: {name}",
                remedy=f"Did you mean {', '.join(near)}?" if near else "Check the listing.",
            )
        one, other = here[left], there[right]
        if left not in settings.layouts and find_layout(one.shape, other.shape) is None:
            raise UsageError(
                f"no layout turns the stored shape {_text(other)} into {_text(one)}",
                where=f"pin {left}={right}",
                remedy="Pin another name, or leave this one open.",
            )


def _text(variable: Variable) -> str:
    return str(list(variable.shape or ())).replace("None", "?")


def shadows_by_primary(actual: Side) -> dict[str, Variable]:
    """Return {primary: its moving average}."""
    return {v.slot_of: v for v in actual.variables if v.role == "shadow" and v.slot_of}


def trained_names(actual: Side) -> frozenset[str]:
    """Return the names of the variables that have optimizer slots."""
    return frozenset(v.slot_of for v in actual.variables if v.role == "slot" and v.slot_of)


def unused_names(actual: Side, used: set[str]) -> tuple[str, ...]:
    """Return the actual names nobody asked for, without the slots of used variables."""
    if len(used) == len(actual.variables):
        return ()
    return tuple(
        sorted(
            [
                v.name
                for v in actual.variables
                if v.name not in used and v.slot_of not in used and v.name != BOOKKEEPING
            ]
        )
    )

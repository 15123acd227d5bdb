"""What a pin says about the other layers and about the leaves beside it.

A pin of one name of a template settles the template where the numbers of both sides are the same
after a shift: every combination of numbers that one side has, the other has too. It settles the
other leaves of its module where each side has one of a kind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from graphmap.matching.kinds import kind_of
from graphmap.matching.layout import shapes_fit
from graphmap.model.variable import Variable

__all__ = ["spread_pins"]

_NUMBER = re.compile("[0-9]+")
_LEAF = re.compile(r"(.*[/.])([^/.]+)")
MOST_DIGITS = 9


class _Parts(NamedTuple):
    texts: tuple[str, ...]
    numbers: tuple[int, ...]


def spread_pins(
    pins: Mapping[str, str], expected: Sequence[Variable], actual: Sequence[Variable]
) -> dict[str, tuple[str, str]]:
    """Return {expected: (actual, the pinned name that it follows from)}, without the pins.

    Where two pins say different things of one name, nothing is said of it.
    """
    sides = _Side(expected), _Side(actual)
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for left, right in pins.items():
        pairs = [(left, right), *_leaves_beside(left, right, *sides)]
        for one, other in pairs:
            for name, found in [(one, other), *_other_layers(one, other, *sides)]:
                said[name].setdefault(found, left)
    taken = set(pins.values())
    settled = {
        name: next(iter(found.items()))
        for name, found in said.items()
        if name not in pins and len(found) == 1
    }
    uses = defaultdict(list)
    for name, (found, _) in settled.items():
        uses[found].append(name)
    return {
        name: pair
        for name, pair in settled.items()
        if len(uses[pair[0]]) == 1 and pair[0] not in taken
    }


class _Side:
    """The variables of one side by name, by template, by module."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        self.by_name = {v.name: v for v in variables}
        self.parts = {name: _parts(name) for name in self.by_name}
        self.templates: dict[tuple[str, ...], dict[tuple[int, ...], str]] = defaultdict(dict)
        self.modules: dict[str, list[str]] = defaultdict(list)
        for name, parts in self.parts.items():
            self.templates[parts.texts][parts.numbers] = name
            self.modules[_module(name)].append(name)


def _parts(name: str) -> _Parts:
    numbers = tuple(int(text) if len(text) <= MOST_DIGITS else -1 for text in _NUMBER.findall(name))
    return _Parts(tuple(_NUMBER.split(name)), numbers)


def _module(name: str) -> str:
    found = _LEAF.fullmatch(name)
    return found[1] if found else ""


def _leaves_beside(left: str, right: str, expected: _Side, actual: _Side) -> list[tuple[str, str]]:
    here, there = _module(left), _module(right)
    if not (here and there):
        return []
    by_kind = []
    for side, module in ((expected, here), (actual, there)):
        kinds = defaultdict(list)
        for name in side.modules[module]:
            shape = side.by_name[name].shape
            kind, _ = kind_of(name[len(module) :], None if shape is None else len(shape))
            kinds[kind.letter].append(name)
        by_kind.append({k: names[0] for k, names in kinds.items() if len(names) == 1 and k != "?"})
    mine, other = by_kind
    return [
        (name, other[kind])
        for kind, name in mine.items()
        if kind in other
        and name != left
        and other[kind] != right
        and _fit(name, other[kind], expected, actual)
    ]


def _other_layers(left: str, right: str, expected: _Side, actual: _Side) -> list[tuple[str, str]]:
    """Shift every number as the pair does; nothing unless both sides have the same layers."""
    mine, other = expected.parts[left], actual.parts[right]
    here, there = expected.templates[mine.texts], actual.templates[other.texts]
    if len(mine.numbers) != len(other.numbers) or len(here) != len(there):
        return []
    shifts = [b - a for a, b in zip(mine.numbers, other.numbers, strict=True)]
    pairs = []
    for numbers, name in here.items():
        found = there.get(tuple(n + shift for n, shift in zip(numbers, shifts, strict=True)))
        if found is None or not _fit(name, found, expected, actual):
            return []
        pairs.append((name, found))
    return pairs


def _fit(name: str, found: str, expected: _Side, actual: _Side) -> bool:
    return shapes_fit(expected.by_name[name].shape, actual.by_name[found].shape)

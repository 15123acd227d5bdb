"""What a pin says about the other layers and about the leaves beside it.

A pin of one name of a template settles the template where the numbers of both sides are the same
after a shift: every combination of numbers that one side has, the other has too. It settles the
other leaves of its module where each side has one of a kind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from graphmap.matching.kinds import kind_of
from graphmap.matching.layout import find_layout, shapes_fit
from graphmap.model.graph import Dims
from graphmap.model.variable import Variable

__all__ = ["LayoutTable", "SpreadColumns", "layout_table", "spread_columns", "spread_pins"]

_NUMBER = re.compile("([0-9]+)")
_LEAF = re.compile(r"(.*[/.])([^/.]+)")
MOST_DIGITS = 9
MOST_PAIRS = 1_000_000  # pairs of shapes that are told; a model has a hundred shapes


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
        if right not in sides[1].by_name:  # a slot, which names nothing but itself
            continue
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
    pieces = _NUMBER.split(name)
    numbers = [int(text) if len(text) <= MOST_DIGITS else -1 for text in pieces[1::2]]
    return _Parts(tuple(pieces[::2]), tuple(numbers))


def _module(name: str) -> str:
    found = _LEAF.fullmatch(name)
    return found[1] if found else ""


def _kind(variable: Variable) -> str:
    """Return the letter of what the leaf of a name says that it is, or ?."""
    shape = variable.shape
    leaf = variable.name[len(_module(variable.name)) :]
    return _letter(leaf, None if shape is None else len(shape))


@lru_cache(maxsize=65536)
def _letter(leaf: str, rank: int | None) -> str:
    return kind_of(leaf, rank)[0].letter


def _leaves_beside(left: str, right: str, expected: _Side, actual: _Side) -> list[tuple[str, str]]:
    here, there = _module(left), _module(right)
    if not (here and there):
        return []
    by_kind = []
    for side, module in ((expected, here), (actual, there)):
        kinds = defaultdict(list)
        for name in side.modules[module]:
            kinds[_kind(side.by_name[name])].append(name)
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


class SpreadColumns(NamedTuple):
    """What the rule asks of one side, for who applies it elsewhere; one entry a variable.

    Variables of one template differ in their numbers alone; those of one module (-1: none) stand
    beside each other. kind: a letter, "?" where the leaf does not tell.
    """

    template: list[int]
    numbers: list[tuple[int, ...]]
    module: list[int]
    kind: list[str]


def spread_columns(variables: Iterable[Variable]) -> SpreadColumns:
    """Return the columns of the variables of one side, in their order."""
    templates: dict[tuple[str, ...], int] = {}
    modules: dict[str, int] = {"": -1}
    columns = SpreadColumns([], [], [], [])
    for variable in variables:
        parts = _parts(variable.name)
        columns.template.append(templates.setdefault(parts.texts, len(templates)))
        columns.numbers.append(parts.numbers)
        columns.module.append(modules.setdefault(_module(variable.name), len(modules) - 1))
        columns.kind.append(_kind(variable))
    return columns


# (expected shape, actual shape, layout, layout of a kernel that the other side keeps turned)
LayoutTable = list[tuple[Dims, Dims, str, str]]


def layout_table(expected: Iterable[Dims], actual: Iterable[Dims]) -> LayoutTable | None:
    """Return the pairs of shapes that fit, and how; None where they are too many to tell."""
    here, there = dict.fromkeys(expected), dict.fromkeys(actual)
    by_size: dict[int, list[Dims]] = defaultdict(list)
    for shape in there:
        by_size[_size_of(shape)].append(shape)
    table: LayoutTable = []
    tried = 0
    for one in here:
        size = _size_of(one)
        near = there if size < 0 else [*by_size[size], *by_size[-1]]
        tried += len(near)
        if tried > MOST_PAIRS:
            return None
        for other in near:
            layout = find_layout(one, other)
            if layout is not None:
                turned = find_layout(one, other, transposed=True)
                table.append((one, other, layout, turned or layout))
    return table


def _size_of(shape: Dims) -> int:
    """Return how many values a shape holds; -1 where that is unknown."""
    size = 1
    for one in shape if shape is not None else (None,):
        if one is None:
            return -1
        size *= one
    return size

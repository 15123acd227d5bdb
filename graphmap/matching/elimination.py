"""What is left when all else has its counterpart: modules that fit each other and nothing else.

A head may have any name. Where every other variable of both sides is settled, and the modules that
are left over fit one to one by kinds and shapes, they belong together. Where anything stays open on
either side nothing is concluded: a new head may well have the shapes of an old one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from graphmap.matching.layout import find_layout
from graphmap.matching.tokens import scope_of, similarity
from graphmap.matching.vocabulary import ROLES
from graphmap.model.variable import Variable

__all__ = ["Leftover", "find_leftovers"]

MOST = 8  # modules that may be left over
LIKE = 0.6  # similarity of words that may mean the same
LEAST_SETTLED = 3  # settled variables for each that is left

Signature = tuple[tuple[str, tuple[int, ...] | None], ...]


class Leftover(NamedTuple):
    """An open variable, the letter of its kind, and words that are its module's own on its side."""

    variable: Variable
    letter: str
    words: tuple[str, ...] = ()


def find_leftovers(
    expected: Iterable[Leftover], actual: Iterable[Leftover], settled: int
) -> list[tuple[Variable, Variable, str]]:
    """Return pairs of the open variables, and the role that vouches for them, if any.

    settled: how many variables have their counterpart. Without shapes two modules also need a like
    word, or words of one role, or be norms: a new head may stand where an old one stood.
    """
    mine, theirs = _modules(expected), _modules(actual)
    if mine is None or theirs is None or not 0 < len(mine) == len(theirs) <= MOST:
        return []
    count = sum(map(len, mine.values()))
    if settled < LEAST_SETTLED * count:
        return []
    left, right = _by_signature(mine), _by_signature(theirs)
    if {s: len(many) for s, many in left.items()} != {s: len(many) for s, many in right.items()}:
        return []
    found = []
    for signature, modules in left.items():
        pairs = [(modules[0], right[signature][0])] if len(modules) == 1 else []
        if not pairs and _is_shaped(modules[0]):
            return []
        for module, other in pairs or _by_role(modules, right[signature]):
            fitting = _inside(module, other)
            if fitting is None:
                return []
            role = "" if _is_shaped(module) or _role(module) != _role(other) else _role(module)
            if _is_shaped(module) or role or _related(fitting):
                found += [(e.variable, a.variable, role) for e, a in fitting]
    return found


def _is_shaped(module: Module) -> bool:
    return module[0][1].variable.shape is not None


def _inside(module: Module, other: Module) -> list[tuple[Leftover, Leftover]] | None:
    """Pair the tensors of two modules; None where one of them fits none, or two."""
    theirs = dict(other)
    pairs = [(row, theirs.get(key)) for key, row in module]
    fitting = [(e, a) for e, a in pairs if a is not None and _fits(e, a)]
    return fitting if len(fitting) == len(pairs) == len(theirs) else None


def _by_role(left: Sequence[Module], right: Sequence[Module]) -> list[tuple[Module, Module]]:
    """Pair modules that hold the same by their roles, of which each side has one of a kind."""
    sides = [Counter(map(_role, modules)) for modules in (left, right)]
    alone = {role for role in sides[0] if role and sides[0][role] == sides[1][role] == 1}
    theirs = {_role(other): other for other in right}
    return [(one, theirs[role]) for one in left if (role := _role(one)) in alone]


def _fits(one: Leftover, other: Leftover) -> bool:
    return find_layout(one.variable.shape, other.variable.shape) is not None


def _related(pairs: Sequence[tuple[Leftover, Leftover]]) -> bool:
    """Whether two modules without shapes are norms, or have a like word that no other has."""
    letters = {e.letter for e, _ in pairs}
    if "G" in letters and "M" not in letters:
        return True
    if "?" in letters:
        return False
    mine, theirs = (
        {word for row in side for word in row.words} for side in zip(*pairs, strict=True)
    )
    return any(similarity(e, a) >= LIKE for e in mine for a in theirs)


Module = list[tuple[tuple[str, tuple[int, ...] | None], Leftover]]


def _modules(rows: Iterable[Leftover]) -> Mapping[str, Module] | None:
    """Return {path: its tensors}; None where a shape is known in part, or of some only."""
    found: dict[str, Module] = defaultdict(list)
    for row in rows:
        shape, name = row.variable.shape, row.variable.name
        if shape is not None and None in shape:
            return None
        sizes = None if shape is None else tuple(sorted(n for n in shape if n and n != 1))
        found[scope_of(name)].append(((row.letter, sizes), row))
    known = {sizes is not None for module in found.values() for (_, sizes), _ in module}
    return found if len(known) == 1 else None


def _by_signature(modules: Mapping[str, Module]) -> dict[Signature, list[Module]]:
    """Return {what a module holds: the modules that do}."""
    found: dict[Signature, list[Module]] = defaultdict(list)
    for rows in modules.values():
        found[tuple(sorted((key for key, _ in rows), key=str))].append(rows)
    return found


def _role(module: Module) -> str:
    """Return what a module is for, if its words speak of one thing; "" if they do not."""
    found = {ROLES[word] for _, row in module for word in row.words if word in ROLES}
    return found.pop() if len(found) == 1 else ""

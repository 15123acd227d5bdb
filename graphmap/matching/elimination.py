"""What is left when all else has its counterpart: modules that fit each other and nothing else.

A head may have any name. Where every other variable of both sides is settled, and the modules that
are left over fit one to one by kinds and shapes, they belong together. Where anything stays open on
either side nothing is concluded: a new head may well have the shapes of an old one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from graphmap.matching.layout import find_layout
from graphmap.model.variable import Variable

__all__ = ["find_leftovers"]

MOST = 8  # modules that may be left over
LEAST_SETTLED = 3  # settled variables for each that is left

Signature = tuple[tuple[str, tuple[int, ...]], ...]


def find_leftovers(
    expected: Iterable[tuple[Variable, str]],
    actual: Iterable[tuple[Variable, str]],
    settled: int,
) -> list[tuple[Variable, Variable]]:
    """Return pairs of the open variables, each given with the letter of its kind.

    settled: how many variables have their counterpart.
    """
    mine, theirs = _modules(expected), _modules(actual)
    if mine is None or theirs is None or not 0 < len(mine) == len(theirs) <= MOST:
        return []
    count = sum(map(len, mine.values()))
    if settled < LEAST_SETTLED * count:
        return []
    left, right = _by_signature(mine), _by_signature(theirs)
    if left.keys() != right.keys() or len(left) < len(mine):
        return []
    found = []
    for signature, module in left.items():
        other = dict(right[signature])
        pairs = [(v, other.get(key)) for key, v in module]
        if any(a is None or find_layout(v.shape, a.shape) is None for v, a in pairs):
            return []
        found += [(v, a) for v, a in pairs if a is not None]
    return found


Module = list[tuple[tuple[str, tuple[int, ...]], Variable]]


def _modules(rows: Iterable[tuple[Variable, str]]) -> Mapping[str, Module] | None:
    """Return {path: its tensors}; None where a shape is unknown."""
    found: dict[str, Module] = defaultdict(list)
    for v, letter in rows:
        if v.shape is None or None in v.shape:
            return None
        sizes = tuple(sorted(size for size in v.shape if size is not None and size != 1))
        cut = max(v.name.rfind("/"), v.name.rfind("."))
        found[v.name[: max(cut, 0)]].append(((letter, sizes), v))
    return found


def _by_signature(modules: Mapping[str, Module]) -> dict[Signature, Module]:
    """Return {what a module holds: the module}; modules that hold the same are left out."""
    signatures = {path: tuple(sorted(key for key, _ in rows)) for path, rows in modules.items()}
    counts = Counter(signatures.values())
    return {
        signatures[path]: rows
        for path, rows in modules.items()
        if counts[signatures[path]] == 1 and len(set(signatures[path])) == len(rows)
    }

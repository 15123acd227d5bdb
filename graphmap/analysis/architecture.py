"""A fingerprint of what a model is, whatever its variables are called."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from graphmap.model.graph import Dims
from graphmap.model.variable import Variable

__all__ = ["architecture"]


def architecture(variables: Iterable[Variable]) -> str | None:
    """Return 16 hex digits over the shapes of the weights, or None where none has a known shape.

    The multiset of shapes, each without sizes of 1 and sorted: names, order, slots, steps and the
    layout of a framework do not count, so a checkpoint, its frozen graph and a port of it fall
    together. Two models whose weights have the same shapes do too, whatever lies between them.

    >>> a = [Variable("W", (3, 4)), Variable("b", (4,)), Variable("W/Adam", (3, 4), role="slot")]
    >>> b = [Variable("dense/bias", (4,)), Variable("dense/weight", (4, 3))]
    >>> architecture(a) == architecture(b)
    True
    >>> architecture([]) is None
    True
    """
    shapes = Counter(_plain(v.shape) for v in variables if v.role == "weight")
    if not shapes or all(shape is None for shape in shapes):
        return None
    rows = sorted(f"{shape} x {number}" for shape, number in shapes.items())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def _plain(shape: Dims) -> tuple[int, ...] | None:
    """Return the sizes other than 1, sorted; -1 for one that is not known."""
    if shape is None:
        return None
    return tuple(sorted(-1 if size is None else size for size in shape if size != 1))

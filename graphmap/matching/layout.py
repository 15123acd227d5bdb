"""How the value of one shape is got from a value of another: the words of the contract."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["Label", "Shapes", "find_layout", "label_of", "shapes_fit"]

Shape = tuple[int | None, ...]
Label = tuple[str, ...]
Shapes = tuple["Counter[Dims]", "Counter[Dims]"]  # of either side: how many tensors have each
# The orders in which frameworks keep kernels, the commonest first. Rank 4: height, width, in, out
# beside out, in, height, width; height and width stay in order, so all axes reversed comes last.
AXES: dict[int, tuple[tuple[int, ...], ...]] = {
    3: ((0, 2, 1), (1, 0, 2)),
    4: ((3, 2, 0, 1), (2, 3, 1, 0), (2, 3, 0, 1), (0, 1, 3, 2)),
    5: ((4, 3, 0, 1, 2), (2, 3, 4, 1, 0)),
}


@lru_cache(maxsize=65536)
def find_layout(expected: Dims, actual: Dims, transposed: bool = False) -> str | None:
    """Return the layout that turns `actual` into `expected`; None if no layout does.

    transposed: the two sides keep kernels the other way round, so a square one is turned too.
    An unknown size or rank fits everything, as "same".

    >>> find_layout((3, 4), (3, 4)), find_layout((3, 4), (4, 3)), find_layout((3, 2, 2), (3, 4))
    ('same', 'transpose', 'reshape')
    >>> find_layout((3, 4), (3, 5)) is None, find_layout((8, 4, 3, 3), (3, 3, 4, 8))
    (True, 'permute:3,2,0,1')
    >>> find_layout((1, 3, 2), (2, 3)), find_layout((2, 3), (1, 1, 3, 2))
    ('transpose+reshape', 'reshape+transpose')
    >>> find_layout((4, 2, 2), (5, 2, 2)) is None, find_layout((4, 4), (4, 4), transposed=True)
    (True, 'transpose')
    """
    if expected is None or actual is None or None in expected or None in actual:
        return "same" if unknown_fits(expected, actual) else None
    if expected == actual and not (transposed and len(expected) > 1):
        return "same"
    if expected == actual and _reordered(expected, actual) is None:
        return "same"  # no other order of the axes gives this shape
    if len(expected) == len(actual):
        squeezed = _squeezed(expected)
        if squeezed == _squeezed(actual) and (
            not transposed or len(set(squeezed)) == len(squeezed)
        ):
            return "reshape"  # only sizes of 1 moved
        layout = _reordered(expected, actual)
        if layout is not None:
            return layout
        if _squeezed(expected) == _squeezed(actual):
            return "reshape"
    return _reshaped(expected, actual, transposed)


def label_of(shape: Dims) -> Label:
    """Sizes other than 1, sorted: the same for both orders of axes.

    >>> label_of((1, 4, 3)), label_of(None)
    (('3', '4'), ('?',))
    """
    if shape is None:
        return ("?",)
    return tuple(sorted(str(size) for size in shape if size != 1))


def unknown_fits(expected: Dims, actual: Dims) -> bool:
    """Whether two shapes, one with unknown sizes, can be the same."""
    if expected is None or actual is None:
        return True
    if len(expected) != len(actual):
        return False
    return all(e is None or a is None or e == a for e, a in zip(expected, actual, strict=True))


def shapes_fit(expected: Dims, actual: Dims) -> bool:
    """Whether some layout turns `actual` into `expected`."""
    return find_layout(expected, actual) is not None


def _reordered(expected: Dims, actual: Dims) -> str | None:
    assert expected is not None and actual is not None
    if len(expected) < 4 and expected == actual[::-1]:
        return "transpose"
    for axes in AXES.get(len(expected), ()):
        if tuple(actual[axis] for axis in axes) == expected:
            return "permute:" + ",".join(map(str, axes))
    return "transpose" if expected == actual[::-1] else None


def _squeezed(shape: Dims) -> tuple[int | None, ...]:
    return tuple(size for size in shape or () if size != 1)


def _reshaped(expected: Dims, actual: Dims, transposed: bool) -> str | None:
    """Heads split off or merged, sizes of 1 added or dropped; rows stay rows."""
    assert expected is not None and actual is not None
    if _size(expected) != _size(actual):
        return None
    if _squeezed(expected) == _squeezed(actual):
        return "reshape"
    short, long = sorted((_squeezed(expected), _squeezed(actual)), key=len)
    if len(short) == len(long) == 2 and short == long[::-1]:  # a single head, a window of one
        return "transpose+reshape" if len(actual) <= len(expected) else "reshape+transpose"
    if not short or len(short) == len(long):
        return None
    straight = _merges(short, long)
    turned = _merges(short[::-1], long) or _merges(short, long[::-1])
    if straight and not (transposed and len(short) > 1):
        return "reshape"
    if turned:
        return "transpose+reshape" if len(actual) <= len(expected) else "reshape+transpose"
    return _heads(expected, actual, transposed)


def _heads(expected: Shape, actual: Shape, transposed: bool) -> str | None:
    """Attention heads kept apart, (heads, in, size), on one side; (in, heads x size) on the other.

    Or (heads x size, in), where that side keeps its kernels the other way round.
    """
    three, two = (expected, actual) if len(expected) == 3 else (actual, expected)
    if len(three) != 3 or len(two) != 2:
        return None
    heads, inner, size = three
    if heads is None or size is None:
        return None
    ways = {(inner, heads * size): "1,0,2", (heads * size, inner): "0,2,1"}
    order = "1,0,2" if two[0] == two[1] == inner and not transposed else ways.get(two)
    if order is None:
        return None
    return f"reshape+permute:{order}" if three is expected else f"permute:{order}+reshape"


def _merges(short: tuple[int | None, ...], long: tuple[int | None, ...]) -> bool:
    """Whether neighbouring sizes of `long` multiply to the sizes of `short`, in order."""
    at = 0
    for size in short:
        product = 1
        while at < len(long) and product < (size or 0):
            product *= long[at] or 0
            at += 1
        if product != size:
            return False
    return at == len(long)


def _size(shape: Dims) -> int:
    product = 1
    for size in shape or ():
        product *= size or 0
    return product

"""The layout words of a name map, applied to values and turned round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphmap.errors import NameMapError

if TYPE_CHECKING:
    import numpy

    from graphmap.model.graph import Dims

__all__ = ["apply_layout", "invert_layout", "join_parts"]


def apply_layout(value: numpy.ndarray, layout: str, shape: Dims, where: str = "") -> numpy.ndarray:
    """Return the expected value that lies in an actual one; a view where numpy can give one.

    shape: the expected shape, which "reshape" and "split" need. `a+b` applies a first.
    Raises NameMapError for a layout that cannot be applied.
    """
    words = layout.split("+")
    for at, word in enumerate(words):
        value = _apply_one(value, word, _before(shape, words[at + 1 :]), where)
    return value


def _before(shape: Dims, words: Sequence[str]) -> Dims:
    """Return the shape that the orders of axes in `words` turn into `shape`."""
    if shape is None:
        return None
    for word in reversed(words):
        if word == "transpose":
            shape = shape[::-1]
        elif word.startswith("permute:"):
            axes = word.partition(":")[2].split(",")
            if sorted(axes) != [str(axis) for axis in range(len(shape))]:
                return shape  # applying it says what is wrong
            shape = tuple(shape[axes.index(str(axis))] for axis in range(len(axes)))
    return shape


def invert_layout(layout: str, where: str = "") -> str:
    """Return the layout that leads back; raises NameMapError where none does.

    >>> invert_layout("same"), invert_layout("permute:2,0,1"), invert_layout("transpose")
    ('same', 'permute:1,2,0', 'transpose')
    """
    if layout in ("same", "transpose"):
        return layout
    word, _, detail = layout.partition(":")
    if word != "permute":
        raise NameMapError(
            f"layout {layout!r} cannot be turned round: the actual shape is not in the map",
            where=where,
            remedy="Match the other way: graphmap match EXPECTED --expected PATH",
        )
    axes = [int(axis) for axis in detail.split(",")]
    return "permute:" + ",".join(str(axes.index(axis)) for axis in range(len(axes)))


def _apply_one(value: numpy.ndarray, word: str, shape: Dims, where: str) -> numpy.ndarray:
    kind, _, detail = word.partition(":")
    if kind in ("same", "tied"):
        return value
    if kind == "transpose":
        return value.T
    try:
        if kind == "permute":
            return value.transpose([int(axis) for axis in detail.split(",")])
        if kind == "reshape":
            return value.reshape(_known(shape, word, where))
        if kind == "split":
            return _split(value, detail, shape)
        if kind == "gates":
            return _gates(value, detail)
    except (ValueError, IndexError) as cause:
        raise NameMapError(
            f"layout {word!r} does not fit a value of shape {list(value.shape)}: {cause}",
            where=where,
            remedy="Match again with this artifact.",
        ) from cause
    raise NameMapError(
        f"layout {word!r} is no layout that is known here",
        where=where,
        remedy="Use one of: same, tied, transpose, permute, reshape, split, gates, join.",
    )


def join_parts(values: Sequence[numpy.ndarray], layout: str, where: str = "") -> numpy.ndarray:
    """Return parts one behind the other along the axis of "join:AXIS"; raises NameMapError."""
    import numpy

    try:
        return numpy.concatenate(values, axis=int(layout.partition(":")[2]))
    except ValueError as cause:
        raise NameMapError(
            f"the parts of {layout!r} do not fit one another: {cause}",
            where=where,
            remedy="Match again with this artifact.",
        ) from cause


def _gates(value: numpy.ndarray, detail: str) -> numpy.ndarray:
    """Reorder equal blocks of the last axis, "ijfo->ifco" style: letters name the blocks.

    The letters of the two orders correspond by what they mean; where a letter is written
    otherwise (j and c are both the candidate), the one that is left takes its place.
    """
    actual, arrow, expected = detail.partition("->")
    if not arrow or len(actual) != len(expected) or len(set(actual)) != len(actual):
        raise ValueError(f"{detail!r} names no two orders of the same blocks")
    left = [letter for letter in actual if letter not in expected]
    order = [actual.index(letter if letter in actual else left.pop(0)) for letter in expected]
    if sorted(order) != list(range(len(actual))) or value.shape[-1] % len(actual):
        raise ValueError(f"{detail!r} does not divide its last axis")
    blocks = value.reshape(*value.shape[:-1], len(actual), -1)
    return blocks[..., order, :].reshape(value.shape)


def _split(value: numpy.ndarray, detail: str, shape: Dims) -> numpy.ndarray:
    """Take part I of N ("AXIS:I/N") or rows ("AXIS:FROM:TO") of an axis.

    Reshaped to the expected shape where that is known.
    """
    axis, _, rest = detail.partition(":")
    length = value.shape[int(axis)]
    if "/" in rest:
        part, _, of = rest.partition("/")
        if length % int(of):
            raise ValueError(f"{length} is no multiple of {of}")
        step = length // int(of)
        start, stop = int(part) * step, (int(part) + 1) * step
    else:
        first, _, last = rest.partition(":")
        start, stop = int(first), int(last)
    if not 0 <= start < stop <= length:
        raise ValueError(f"rows {start} to {stop} lie outside {length}")
    index: list[slice] = [slice(None)] * value.ndim
    index[int(axis)] = slice(start, stop)
    piece = value[tuple(index)]
    if shape is None or None in shape:
        return piece
    return piece.reshape(_known(shape, "split", ""))


def _known(shape: Dims, word: str, where: str) -> tuple[int, ...]:
    if shape is None or None in shape:
        raise NameMapError(
            f"layout {word!r} needs the expected shape, which the map does not hold",
            where=where,
            remedy="Match again with a listing that has shapes.",
        )
    return tuple(size for size in shape if size is not None)

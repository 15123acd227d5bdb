"""The layout words of a name map, applied to values and turned round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmap.errors import NameMapError
from graphmap.model.graph import Dims

if TYPE_CHECKING:
    import numpy

__all__ = ["apply_layout", "invert_layout"]


def apply_layout(value: numpy.ndarray, layout: str, shape: Dims, where: str = "") -> numpy.ndarray:
    """Return the expected value that lies in an actual one; a view where numpy can give one.

    shape: the expected shape, which "reshape" and "split" need. `a+b` applies a first.
    Raises NameMapError for a layout that cannot be applied.
    """
    for word in layout.split("+"):
        value = _apply_one(value, word, shape, where)
    return value


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
        if kind == "split" and "/" in detail:
            return _split(value, detail, shape)
    except ValueError as cause:
        raise NameMapError(
            f"layout {word!r} does not fit a value of shape {list(value.shape)}: {cause}",
            where=where,
            remedy="Match again with this artifact.",
        ) from cause
    raise NameMapError(
        f"layout {word!r} is not applied yet",
        where=where,
        remedy="Read the value with artifact.read and rearrange it by hand.",
    )


def _split(value: numpy.ndarray, detail: str, shape: Dims) -> numpy.ndarray:
    """Take part I of N along an axis ("AXIS:I/N"), reshaped to the expected shape if known."""
    axis, _, fraction = detail.partition(":")
    part, _, of = fraction.partition("/")
    length = value.shape[int(axis)]
    if length % int(of):
        raise ValueError(f"{length} is no multiple of {of}")
    step = length // int(of)
    index: list[slice] = [slice(None)] * value.ndim
    index[int(axis)] = slice(int(part) * step, (int(part) + 1) * step)
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

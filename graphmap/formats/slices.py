"""The pieces of a partitioned variable: where they lie, and their binary keys.

Source: tensorflow/core/lib/strings/ordered_code.cc and util/saved_tensor_slice_util.cc.
"""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from math import prod
from typing import TYPE_CHECKING

from graphmap.formats.dtypes import shaped

if TYPE_CHECKING:
    import numpy

__all__ = ["Box", "Slice", "join_pieces", "slice_box", "slice_key", "slices_defect"]

Slice = tuple[tuple[int, int], ...]  # (start, length) of each axis; length -1 is the whole axis
_PRIME = (1 << 127) - 1
Box = tuple[tuple[int, int], ...]  # (start, stop) of each axis


def slices_defect(
    name: bytes, shape: tuple[int, ...], slices: tuple[Slice, ...], keys: Container[bytes]
) -> str:
    """Say why the pieces do not make up the whole, or return ""."""
    boxes = []
    for part in slices:
        box = slice_box(part, shape)
        if box is None:
            return f"its piece {part} lies outside the shape {list(shape)}"
        if slice_key(name, part) not in keys:
            return f"the index lacks its piece {part}"
        boxes.append(box)
    if not _is_partition(boxes, shape):
        return "its pieces overlap or leave gaps"
    return ""


def join_pieces(
    shape: tuple[int, ...], pieces: Sequence[tuple[Box, numpy.ndarray]]
) -> numpy.ndarray:
    """Put the pieces of one value at their places; at least one, and together they cover it."""
    import numpy

    joined = shaped(numpy.empty(prod(shape), dtype=pieces[0][1].dtype), shape)
    for box, value in pieces:
        joined[tuple(slice(start, stop) for start, stop in box)] = value
    return joined


def slice_box(part: Slice, shape: tuple[int, ...]) -> Box | None:
    """Return (start, stop) of each axis, or None where a slice lies outside the shape."""
    if len(part) != len(shape):
        return None
    box = []
    for (start, length), size in zip(part, shape, strict=True):
        stop = size if length < 0 else start + length
        if not 0 <= start <= stop <= size:
            return None
        box.append((start, stop))
    return tuple(box)


def _is_partition(boxes: Sequence[Box], shape: tuple[int, ...]) -> bool:
    """Tell whether boxes cover each element of a shape once; linear in their number.

    Every edge of every axis gets a random number, and a box the product over its axes of the
    difference between its edges. Where each element is covered once, these add up to the number
    of the whole; where not, they do so with a chance of one in 2^120 (Schwartz-Zippel).
    """
    edges: list[dict[int, int]] = [{} for _ in shape]

    def number(axis: int, edge: int) -> int:
        known = edges[axis].get(edge)
        if known is None:
            known = edges[axis][edge] = int.from_bytes(os.urandom(16), "little")
        return known

    def volume(box: Box) -> int:
        found = 1
        for axis, (start, stop) in enumerate(box):
            found = found * (number(axis, stop) - number(axis, start)) % _PRIME
        return found

    whole = volume(tuple((0, size) for size in shape))
    return sum(map(volume, boxes)) % _PRIME == whole


def slice_key(name: bytes, part: Slice) -> bytes:
    """Return the key of one piece.

    >>> slice_key(b"w", ((0, 4), (35, 69)))
    b'\\x00w\\x00\\x01\\x01\\x02\\x80\\x84\\xa3\\xc0E'
    """
    out = bytearray(b"\0")
    out += name.replace(b"\0", b"\0\xff").replace(b"\xff", b"\xff\0") if _special(name) else name
    out += b"\0\1"
    out += _unsigned(len(part))
    for start, length in part:
        out += _signed(start) + _signed(length)
    return bytes(out)


def _special(name: bytes) -> bool:
    return b"\0" in name or b"\xff" in name


def _unsigned(value: int) -> bytes:
    width = (value.bit_length() + 7) // 8
    return bytes([width]) + value.to_bytes(width, "big")


def _signed(value: int) -> bytes:
    """Encode so that bytes sort as numbers do: N leading ones, then 7 N - 1 bits."""
    magnitude = ~value if value < 0 else value
    width = 1
    while magnitude >> (7 * width - 1):
        width += 1
    header = ((1 << width) - 1) << (7 * width)
    coded = (header | magnitude).to_bytes(width, "big")
    return bytes(byte ^ 0xFF for byte in coded) if value < 0 else coded

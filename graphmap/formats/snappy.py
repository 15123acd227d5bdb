"""Snappy decompression (google/snappy format_description.txt), for compressed table blocks."""

from __future__ import annotations

from graphmap.formats.wire import WireError, read_varint

__all__ = ["SnappyError", "decompress"]

LIMIT = 64 << 20  # bytes of one block; TensorFlow writes blocks of 256 KiB


class SnappyError(ValueError):
    """The bytes are no snappy stream."""


def decompress(data: bytes, limit: int = LIMIT) -> bytes:
    """Return the plain bytes; raises SnappyError for broken or over-large input."""
    try:
        size, position = read_varint(data, 0)
        if size > limit:
            raise SnappyError(f"declares {size} bytes, over the limit of {limit}")
        out = bytearray()
        while position < len(data):
            position = _element(data, position, out, size)
    except (WireError, IndexError) as cause:
        raise SnappyError("compressed bytes end too early") from cause
    if len(out) != size:
        raise SnappyError(f"holds {len(out)} bytes and declares {size}")
    return bytes(out)


def _element(data: bytes, position: int, out: bytearray, size: int) -> int:
    tag = data[position]
    position += 1
    kind = tag & 3
    if kind == 0:
        length = tag >> 2
        if length >= 60:
            width = length - 59
            length = int.from_bytes(data[position : position + width], "little")
            position += width
        length += 1
        if position + length > len(data) or len(out) + length > size:
            raise SnappyError("has a literal past its end")
        out += data[position : position + length]
        return position + length
    if kind == 1:
        length, offset = ((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | data[position]
        position += 1
    else:
        width = 2 if kind == 2 else 4
        if position + width > len(data):
            raise SnappyError("ends inside a copy")
        length, offset = (tag >> 2) + 1, int.from_bytes(data[position : position + width], "little")
        position += width
    if not 0 < offset <= len(out) or len(out) + length > size:
        raise SnappyError("has a copy from outside")
    copied = out[len(out) - offset : len(out) - offset + length]
    out += (copied * (length // len(copied) + 1))[:length]  # a copy may overlap itself
    return position

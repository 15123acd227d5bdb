"""The binary keys of the pieces of a partitioned variable.

Source: tensorflow/core/lib/strings/ordered_code.cc and util/saved_tensor_slice_util.cc.
"""

from __future__ import annotations

from graphmap.formats.bundle import Slice

__all__ = ["slice_key"]


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

"""Bob Jenkins' lookup3, the checksum of HDF5's newer structures.

Source: the algorithm as its author describes it (burtleburtle.net/bob/hash/evahash.html, lookup3.c,
public domain: hashlittle with an initial value of 0), named by the HDF5 format specification.
"""

from __future__ import annotations

import struct

__all__ = ["lookup3"]

_BITS = 0xFFFFFFFF
_START = 0xDEADBEEF


def lookup3(data: bytes) -> int:
    """Return the 32-bit hash.

    >>> hex(lookup3(b"")), hex(lookup3(b"Four score and seven years ago"))
    ('0xdeadbeef', '0x17770551')
    """
    length = len(data)
    a = b = c = (_START + length) & _BITS
    if not length:
        return c
    whole = (length - 1) // 12  # the last 1 to 12 bytes are mixed in another way
    for x, y, z in struct.iter_unpack("<3I", data[: whole * 12]):
        a, b, c = _mix((a + x) & _BITS, (b + y) & _BITS, (c + z) & _BITS)
    x, y, z = struct.unpack("<3I", data[whole * 12 :].ljust(12, b"\0"))
    return _final((a + x) & _BITS, (b + y) & _BITS, (c + z) & _BITS)


def _rotated(value: int, by: int) -> int:
    return ((value << by) | (value >> (32 - by))) & _BITS


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - c) & _BITS ^ _rotated(c, 4)
    c = (c + b) & _BITS
    b = (b - a) & _BITS ^ _rotated(a, 6)
    a = (a + c) & _BITS
    c = (c - b) & _BITS ^ _rotated(b, 8)
    b = (b + a) & _BITS
    a = (a - c) & _BITS ^ _rotated(c, 16)
    c = (c + b) & _BITS
    b = (b - a) & _BITS ^ _rotated(a, 19)
    a = (a + c) & _BITS
    c = (c - b) & _BITS ^ _rotated(b, 4)
    b = (b + a) & _BITS
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = (c ^ b) - _rotated(b, 14) & _BITS
    a = (a ^ c) - _rotated(c, 11) & _BITS
    b = (b ^ a) - _rotated(a, 25) & _BITS
    c = (c ^ b) - _rotated(b, 16) & _BITS
    a = (a ^ c) - _rotated(c, 4) & _BITS
    b = (b ^ a) - _rotated(a, 14) & _BITS
    return (c ^ b) - _rotated(b, 24) & _BITS

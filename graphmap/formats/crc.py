"""CRC-32C (Castagnoli) and TensorFlow's mask over it.

Three ways, measured on import and on throughput: google-crc32c imports in 0.007 s but takes bytes
only; crc32c takes any buffer without a copy at 8.8 GB/s but costs 0.05 s to import; a table in
Python needs neither and does 0.01 GB/s. So indexes use the first, values the second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

__all__ = ["crc_of_buffer", "crc_of_bytes", "mask"]

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
Checksum = Callable[[bytes, int], int]


def mask(crc: int) -> int:
    """Return the masked form that TensorFlow stores (tensorflow/core/lib/hash/crc32c.h).

    >>> hex(mask(0))
    '0xa282ead8'
    """
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def crc_of_bytes(data: bytes, crc: int = 0) -> int:
    """Continue `crc` over bytes; quick to start, for index blocks."""
    return _for_bytes()(data, crc)


def crc_of_buffer(data: memoryview, crc: int = 0) -> int:
    """Continue `crc` over a buffer without copying it where the crc32c package is there."""
    return _for_buffers()(data, crc)


@cache
def _for_bytes() -> Checksum:
    try:
        import google_crc32c

        if google_crc32c.implementation == "c":
            return lambda data, crc: int(google_crc32c.extend(crc, data))
    except ImportError:
        pass
    return _for_buffers_or_table()


@cache
def _for_buffers() -> Callable[[memoryview, int], int]:
    try:
        from crc32c import crc32c
    except ImportError:
        by_bytes = _for_bytes()
        return lambda data, crc: by_bytes(bytes(data), crc)
    return lambda data, crc: int(crc32c(data, crc))


@cache
def _for_buffers_or_table() -> Checksum:
    try:
        from crc32c import crc32c
    except ImportError:
        return _in_python
    return lambda data, crc: int(crc32c(data, crc))


@cache
def _table() -> list[int]:
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
        rows.append(byte)
    return rows


def _in_python(data: bytes, crc: int) -> int:
    table = _table()
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF

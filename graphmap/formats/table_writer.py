"""Writing a table (see sstable.py) byte for byte as TensorFlow does.

Source: tensorflow/core/lib/io/{table_builder,block_builder}.cc and leveldb's comparator.cc: blocks
are cut once they reach BLOCK bytes, keys restart every RESTART entries, and the index holds the
shortest key that separates two blocks.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.footer import FOOTER_SIZE, MAGIC
from graphmap.formats.wire import write_varint

__all__ = ["Block", "table_bytes"]

BLOCK = 262_144  # bytes, table_options.h
RESTART = 16  # entries


class Block:
    """A block that grows by one entry at a time; keys restart every `interval` entries."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._out = bytearray()
        self._restarts = [0]
        self._since = 0
        self._last = b""

    def add(self, key: bytes, value: bytes) -> None:
        """Append an entry; its key shares what it can with the one before."""
        shared = 0
        if self._since >= self._interval:
            self._restarts.append(len(self._out))
            self._since = 0
        elif self._since:
            shared = _shared(self._last, key)
        out, unshared, size = self._out, len(key) - shared, len(value)
        if shared | unshared | size < 0x80:
            out += bytes((shared, unshared, size))
        else:
            out += write_varint(shared) + write_varint(unshared) + write_varint(size)
        out += key[shared:]
        out += value
        self._last = key
        self._since += 1

    def __len__(self) -> int:
        return len(self._out) + 4 * len(self._restarts) + 4

    @property
    def is_empty(self) -> bool:
        """Whether no entry was added."""
        return not self._out

    def finish(self) -> bytes:
        """Return the block with its restart points, uncompressed and without a trailer."""
        tail = b"".join(restart.to_bytes(4, "little") for restart in self._restarts)
        return bytes(self._out) + tail + len(self._restarts).to_bytes(4, "little")


def table_bytes(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole table of (key, value) entries, whose keys strictly increase."""
    out = bytearray()
    index, block = Block(1), Block(RESTART)
    pending: tuple[bytes, bytes] | None = None  # last key of the block before, and its handle
    last = b""
    for key, value in entries:
        if pending is not None:
            index.add(_separator(pending[0], key), pending[1])
            pending = None
        block.add(key, value)
        last = key
        if len(block) >= BLOCK:
            pending = last, _append(out, block.finish())
            block = Block(RESTART)
    if not block.is_empty:
        pending = last, _append(out, block.finish())
    metaindex = _append(out, Block(RESTART).finish())
    if pending is not None:
        index.add(_successor(pending[0]), pending[1])
    handles = metaindex + _append(out, index.finish())
    return bytes(out) + handles.ljust(FOOTER_SIZE - len(MAGIC), b"\0") + MAGIC


def _append(out: bytearray, block: bytes) -> bytes:
    """Append an uncompressed block and its trailer; return its handle."""
    handle = write_varint(len(out)) + write_varint(len(block))
    body = block + b"\0"
    out += body
    out += mask(crc_of_bytes(body)).to_bytes(4, "little")
    return handle


def _shared(one: bytes, other: bytes) -> int:
    """Return the length of the common beginning."""
    least = min(len(one), len(other))
    if one[:least] == other[:least]:
        return least
    low = 0
    while one[low] == other[low]:
        low += 1
    return low


def _separator(start: bytes, limit: bytes) -> bytes:
    """Return a short key from `start` up to, but without, `limit`.

    >>> _separator(b"abcd", b"abzz"), _separator(b"ab", b"abc"), _separator(b"ab", b"ac")
    (b'abd', b'ab', b'ab')
    """
    at = _shared(start, limit)
    if at >= min(len(start), len(limit)):
        return start
    byte = start[at]
    if byte < 0xFF and byte + 1 < limit[at]:
        return start[:at] + bytes((byte + 1,))
    return start


def _successor(key: bytes) -> bytes:
    """Return a short key that is not before `key`.

    >>> _successor(b"global_step"), _successor(b"\\xff\\xff")
    (b'h', b'\\xff\\xff')
    """
    for at, byte in enumerate(key):
        if byte != 0xFF:
            return key[:at] + bytes((byte + 1,))
    return key

"""A table whose values are large and lie in the file until one is asked for: V1 checkpoints.

A value and its neighbours may make up a block of gigabytes, so blocks are not copied: keys are
read where they lie, and the checksum of a block is verified when the first of its values is.
Layout: sstable.py.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from graphmap.errors import CorruptArtifactError
from graphmap.formats.crc import crc_of_buffer, mask
from graphmap.formats.snappy import SnappyError, decompress
from graphmap.formats.sstable import BLOCK_TRAILER, index_of_blocks
from graphmap.formats.wire import WireError, read_varint

__all__ = ["MappedTable"]

_REMEDY = "Copy the file again from where it came; if it stays so, the file is damaged."
_HEAD = 40  # bytes: three varints at most


class _Block:
    """One block. last: the key that no entry passes. places: (start, end) of each value by key."""

    def __init__(self, offset: int, size: int, last: bytes) -> None:
        self.offset = offset
        self.size = size
        self.last = last
        self.view: memoryview | None = None
        self.places: dict[bytes, tuple[int, int]] = {}
        self.is_verified = False


class MappedTable:
    """The entries of a table by key; raises CorruptArtifactError where they are not sound."""

    def __init__(self, data: memoryview, where: str) -> None:
        self._data = data
        self._where = where
        self._blocks = [_Block(*row) for row in index_of_blocks(data, where)]
        self._last_keys = [block.last for block in self._blocks]

    def __contains__(self, key: object) -> bool:
        """Tell whether there is an entry; its value is not looked at."""
        return isinstance(key, bytes) and self._find(key) is not None

    def __getitem__(self, key: bytes) -> memoryview:
        """Return a value, the checksum of its block verified; raises KeyError."""
        block = self._find(key)
        if block is None:
            raise KeyError(key)
        self._verify(block)
        assert block.view is not None  # _find looked into it
        start, end = block.places[key]
        return block.view[start:end]

    def _find(self, key: bytes) -> _Block | None:
        at = bisect_left(self._last_keys, key)
        if at == len(self._blocks):
            return None
        block = self._blocks[at]
        if block.view is None:
            block.view = self._plain(block)
            try:
                block.places = {k: (start, end) for k, start, end in _entries(block.view)}
            except (WireError, IndexError) as cause:
                self._verify(block)  # tells more, where it can
                raise self._bad(f"block at byte {block.offset} {cause}") from cause
        return block if key in block.places else None

    def _plain(self, block: _Block) -> memoryview:
        """Return the bytes of a block, decompressed where they are not plain."""
        framed = self._data[block.offset : block.offset + block.size + BLOCK_TRAILER]
        if framed[block.size] == 0:
            return framed[: block.size]
        self._verify(block)
        if framed[block.size] != 1:
            raise self._bad(f"block at byte {block.offset} has an unknown compression")
        try:
            return memoryview(decompress(bytes(framed[: block.size])))
        except SnappyError as cause:
            raise self._bad(f"block at byte {block.offset}: {cause}") from cause

    def _verify(self, block: _Block) -> None:
        if block.is_verified:
            return
        end = block.offset + block.size + 1  # the type byte counts
        found = mask(crc_of_buffer(self._data[block.offset : end]))
        if found != int.from_bytes(self._data[end : end + 4], "little"):
            raise self._bad(f"block at byte {block.offset} does not have its stored checksum")
        block.is_verified = True

    def _bad(self, message: str) -> CorruptArtifactError:
        return CorruptArtifactError(message, where=self._where, remedy=_REMEDY)


def _entries(block: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield (key, start and end of the value) of a block; raises WireError."""
    restarts = int.from_bytes(block[-4:], "little")
    limit = len(block) - 4 - 4 * restarts
    if limit < 0 or not restarts:
        raise WireError(f"claims {restarts} restart points")
    position, key = 0, b""
    while position < limit:
        head = bytes(block[position : position + _HEAD])
        shared, at = read_varint(head, 0)
        unshared, at = read_varint(head, at)
        length, at = read_varint(head, at)
        start = position + at + unshared
        if shared > len(key) or start + length > limit:
            raise WireError("has an entry past its end")
        key = key[:shared] + bytes(block[position + at : start])
        position = start + length
        yield key, start, position

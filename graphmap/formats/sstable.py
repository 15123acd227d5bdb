"""The table format of TensorFlow's .index files and V1 checkpoints (leveldb without its keys).

Layout (leveldb doc/table_format.md): data blocks, a metaindex block, an index block, and a footer
of 48 bytes. Every block is followed by one type byte and a masked CRC-32C.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphmap.errors import CorruptArtifactError
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.footer import FOOTER_SIZE, is_table
from graphmap.formats.snappy import SnappyError, decompress
from graphmap.formats.wire import WireError, read_varint

__all__ = [
    "BLOCK_TRAILER",
    "index_of_blocks",
    "iter_table",
    "read_table",
]

BLOCK_TRAILER = 5  # type byte and checksum
_REMEDY = "Copy the file again from where it came; if it stays so, the file is damaged."


_Handle = tuple[int, int]  # offset and size of a block, in bytes


def iter_table(data: bytes, where: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield every entry of a table, in its order: keys strictly increase.

    Every block's checksum is verified before its first entry. Raises CorruptArtifactError.
    """
    last: bytes | None = None
    try:
        for offset, size, _ in index_of_blocks(data, where):
            for entry in _entries(_block(data, (offset, size), where), last, offset, where):
                yield entry
                last = entry[0]
    except WireError as cause:
        raise _corrupt(str(cause), where) from cause


def index_of_blocks(data: bytes | memoryview, where: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, size, a key that no entry passes) of every data block of a table.

    The blocks themselves are not looked at. Raises CorruptArtifactError.
    """
    footer = bytes(data[-FOOTER_SIZE:])
    if not is_table(footer):
        raise _corrupt("is no checkpoint index, or its end is missing (no table footer)", where)
    try:
        metaindex, after = _read_handle(footer, 0)
        _block(data, metaindex, where)  # empty in every file; its checksum must hold all the same
        index, _ = _read_handle(footer, after)
        room = len(data)  # of all blocks: a thousand handles of one block would take hours
        for key, encoded in _entries(_block(data, index, where), None, index[0], where):
            (offset, size), _ = _read_handle(encoded, 0)
            room -= size + BLOCK_TRAILER
            if room < 0:
                raise _corrupt("names more blocks than it has room for", where)
            if offset + size + BLOCK_TRAILER > len(data) - FOOTER_SIZE:
                raise _corrupt(f"names a block at byte {offset} that lies outside the file", where)
            yield offset, size, key
    except WireError as cause:
        raise _corrupt(str(cause), where) from cause


def read_table(data: bytes, where: str) -> dict[bytes, bytes]:
    """Return every entry of a table, in its order; as `iter_table` otherwise."""
    return dict(iter_table(data, where))


def _read_handle(data: bytes, position: int) -> tuple[_Handle, int]:
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return (offset, size), position


def _block(data: bytes | memoryview, handle: _Handle, where: str) -> bytes:
    offset, size = handle
    end = offset + size
    if end + BLOCK_TRAILER > len(data) - FOOTER_SIZE:
        raise _corrupt(f"names a block at byte {offset} that lies outside the file", where)
    stored = int.from_bytes(data[end + 1 : end + BLOCK_TRAILER], "little")
    found = mask(crc_of_bytes(bytes(data[offset : end + 1])))
    if stored != found:
        raise _corrupt(
            f"block at byte {offset} has checksum {found:#010x}, its trailer says {stored:#010x}",
            where,
        )
    block = bytes(data[offset:end])
    if data[end] == 0:
        return block
    if data[end] != 1:
        raise _corrupt(f"block at byte {offset} has unknown compression {data[end]}", where)
    try:
        return decompress(block)
    except SnappyError as cause:
        raise _corrupt(f"block at byte {offset}: {cause}", where) from cause


def _entries(
    block: bytes, last: bytes | None, offset: int, where: str
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries of one block, whose keys follow `last`. Hot: 0.5 µs an entry."""
    size = len(block)
    restarts = int.from_bytes(block[-4:], "little") if size >= 4 else size
    limit = size - 4 - 4 * restarts
    if limit < 0 or not restarts:
        raise _corrupt(f"block at byte {offset} claims {restarts} restart points", where)
    position, key = 0, b""
    while position < limit:
        shared, unshared, length = block[position], block[position + 1], block[position + 2]
        if shared | unshared | length < 0x80:
            position += 3
        else:
            shared, position = read_varint(block, position)
            unshared, position = read_varint(block, position)
            length, position = read_varint(block, position)
        start = position + unshared
        position = start + length
        if shared > len(key) or position > limit:
            raise _corrupt(f"block at byte {offset} has an entry past its end", where)
        key = key[:shared] + block[start - unshared : start]
        if last is not None and key <= last:
            raise _corrupt(f"keys are out of order in the block at byte {offset}", where)
        yield key, block[start:position]
        last = key


def _corrupt(message: str, where: str) -> CorruptArtifactError:
    return CorruptArtifactError(message, where=where, remedy=_REMEDY)

"""Writes V2 checkpoints without TensorFlow, for measurements and tests; layout as TensorFlow's.

A tensor is (dtype number, shape, bytes); bytes None leaves a hole of that size in the data file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from graphmap.formats.bundle import shard_path
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.dtypes import NAMES, SIZES
from graphmap.formats.sstable import MAGIC
from graphmap.formats.wire import write_varint

BLOCK = 262_144  # bytes, as TensorFlow writes
RESTART = 16  # entries
HEADER = b"\x08\x01\x1a\x02\x08\x01"  # one shard, little-endian, version 1

Tensor = tuple[int, tuple[int, ...], bytes | None]


def field(number: int, value: int | bytes) -> bytes:
    """Return a varint or length-delimited field."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value)
    return write_varint(number << 3 | 2) + write_varint(len(value)) + value


def entry_bytes(
    dtype: int, shape: tuple[int, ...], offset: int, size: int, crc: int, shard: int = 0
) -> bytes:
    """Return a BundleEntryProto."""
    dims = b"".join(field(2, field(1, extent) if extent else b"") for extent in shape)
    out = field(1, dtype) + field(2, dims)
    if shard:
        out += field(3, shard)
    if offset:
        out += field(4, offset)
    if size:
        out += field(5, size)
    return out + b"\x35" + mask(crc).to_bytes(4, "little")


def string_bytes(values: Iterable[bytes]) -> tuple[bytes, int]:
    """Return (stored bytes, checksum) of a string tensor."""
    values = list(values)
    crc = 0
    for value in values:
        crc = crc_of_bytes(len(value).to_bytes(4, "little"), crc)
    stored = b"".join(write_varint(len(value)) for value in values)
    rest = mask(crc).to_bytes(4, "little") + b"".join(values)
    return stored + rest, crc_of_bytes(rest, crc)


def write_bundle(prefix: str | Path, tensors: Mapping[str, Tensor]) -> None:
    """Write PREFIX.index and its one data file."""
    entries, offset = [(b"", HEADER)], 0
    with open(shard_path(str(prefix), 0, 1), "wb") as stream:
        for name in sorted(tensors, key=str.encode):
            dtype, shape, data = tensors[name]
            size, crc = _place(stream, data, dtype, shape)
            entries.append((name.encode(), entry_bytes(dtype, shape, offset, size, crc)))
            offset += size
        stream.truncate(offset)
    Path(f"{prefix}.index").write_bytes(table_bytes(entries))


def _place(
    stream: BinaryIO, data: bytes | None, dtype: int, shape: tuple[int, ...]
) -> tuple[int, int]:
    if data is not None:
        stream.write(data)
        return len(data), crc_of_bytes(data)
    size = SIZES[NAMES[dtype]]
    for extent in shape:
        size *= extent
    stream.seek(size, 1)
    return size, 0


def table_bytes(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a table: data blocks, an empty metaindex block, the index block, the footer."""
    out = bytearray()
    index: list[tuple[bytes, bytes]] = []
    pending: list[tuple[bytes, bytes]] = []
    size = 0

    def add(block: bytes) -> bytes:
        handle = write_varint(len(out)) + write_varint(len(block))
        out.extend(block + b"\0" + mask(crc_of_bytes(block + b"\0")).to_bytes(4, "little"))
        return handle

    for key, value in entries:
        pending.append((key, value))
        size += len(key) // 2 + len(value)
        if size >= BLOCK:
            index.append((key, add(block_bytes(pending, RESTART))))
            pending, size = [], 0
    if pending:
        index.append((pending[-1][0], add(block_bytes(pending, RESTART))))
    footer = add(block_bytes([], RESTART)) + add(block_bytes(index, 1))
    return bytes(out + footer.ljust(40, b"\0") + MAGIC)


def block_bytes(entries: list[tuple[bytes, bytes]], interval: int) -> bytes:
    """Return a table block with prefix compression and restarts."""
    out, restarts, last = bytearray(), [], b""
    for position, (key, value) in enumerate(entries):
        shared = 0
        if position % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        for number in (shared, len(key) - shared, len(value)):
            out += write_varint(number)
        out += key[shared:] + value
        last = key
    for restart in restarts or [0]:
        out += restart.to_bytes(4, "little")
    return bytes(out + max(1, len(restarts)).to_bytes(4, "little"))

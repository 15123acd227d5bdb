"""Writes V2 checkpoints without TensorFlow, for measurements and tests; layout as TensorFlow's.

A tensor is (dtype number, shape, bytes); bytes None leaves a hole of that size in the data file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from graphmap.formats.bundle import Entry, shard_path
from graphmap.formats.bundle_writer import HEADER, encode_entry, string_bytes, with_shards
from graphmap.formats.bundle_writer import encode_field as field
from graphmap.formats.crc import crc_of_bytes, mask
from graphmap.formats.dtypes import NAMES, SIZES
from graphmap.formats.table_writer import table_bytes

__all__ = ["HEADER", "entry_bytes", "field", "string_bytes", "table_bytes", "write_bundle"]

Tensor = tuple[int, tuple[int, ...], bytes | None]


def entry_bytes(
    dtype: int, shape: tuple[int, ...], offset: int, size: int, crc: int, shard: int = 0
) -> bytes:
    """Return a BundleEntryProto. crc: not masked yet."""
    return encode_entry(Entry(dtype, shape, shard, offset, size, mask(crc), ()))


def write_bundle(prefix: str | Path, tensors: Mapping[str, Tensor], shards: int = 1) -> None:
    """Write PREFIX.index and its data files; each takes its share of the names, in order."""
    entries = [(b"", with_shards(HEADER, shards))]
    names = sorted(tensors, key=str.encode)
    share = -(-len(names) // shards)
    for shard in range(shards):
        offset = 0
        with open(shard_path(str(prefix), shard, shards), "wb") as stream:
            for name in names[shard * share : (shard + 1) * share]:
                dtype, shape, data = tensors[name]
                size, crc = _place(stream, data, dtype, shape)
                entry = entry_bytes(dtype, shape, offset, size, crc, shard)
                entries.append((name.encode(), entry))
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

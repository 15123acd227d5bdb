"""A V2 checkpoint under other names: a new index over the same bytes.

The data files are copied whole (or linked), and the index says where in them each new name lies.
Only two cases move bytes: `compact` leaves out what no name needs any more, and an object
checkpoint holds its object graph as a string among the data, which is written anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from graphmap.errors import CorruptArtifactError, MissingDataError, UnsupportedArtifactError
from graphmap.files import read_file, stays_inside
from graphmap.formats.bundle import (
    INDEX_LIMIT,
    OBJECT_GRAPH_KEY,
    Bundle,
    Entry,
    decode_entry,
    shard_path,
)
from graphmap.formats.bundle_writer import encode_entry, string_bytes, with_shards
from graphmap.formats.crc import mask
from graphmap.formats.slices import slice_key
from graphmap.formats.sstable import read_table
from graphmap.formats.table_writer import table_bytes
from graphmap.rewrite.staging import Range, Staging

__all__ = ["Keys", "stage_checkpoint"]

Keys = Callable[[str], tuple[str, ...]]  # old key -> new keys; () leaves it out
ObjectGraph = Callable[[bytes], bytes]


class _Data(NamedTuple):
    """One data file: its number and what it is made of."""

    shard: int
    pieces: tuple[bytes | Range, ...]


class _Table(NamedTuple):
    """New entries by key, in no order; whole: those that the old index had decoded."""

    raw: dict[bytes, bytes]
    entries: dict[bytes, Entry]


def stage_checkpoint(
    staging: Staging,
    bundle: Bundle,
    out: str,
    keys: Keys,
    object_graph: ObjectGraph | None = None,
    *,
    link: bool = False,
    compact: bool = False,
    taken: int | None = None,
) -> Callable[[], None]:
    """Write the data files of `out`; return what writes its index, which has to come last.

    object_graph: rewrites the object graph, where there is one. taken: number of data files of a
    checkpoint that is there already: another number is used, so that it stays whole until the new
    index takes its place. Raises ArtifactError where the source is damaged or lacks data files,
    before anything is written.
    """
    prefix = bundle.prefix
    where = f"{prefix}.index"
    staging.watch(where)
    raw = read_table(read_file(where, INDEX_LIMIT), where)
    header = raw.pop(b"")
    table = _renamed(raw, keys)
    sizes = _sizes(prefix, bundle.shards)
    for shard in range(bundle.shards):
        staging.watch(shard_path(prefix, shard, bundle.shards))
    _check_inside(table.entries, sizes, prefix)
    shards = bundle.shards
    data: list[_Data] = []
    graph_key = OBJECT_GRAPH_KEY.encode()
    if graph_key in table.entries and object_graph is not None:
        if bundle.big_endian:
            raise UnsupportedArtifactError(
                "is a big-endian object checkpoint, whose object graph is not rewritten",
                where=where,
                remedy="Restore and save it again on this machine first.",
            )
        from graphmap.formats.values import BundleValues  # most checkpoints have no object graph

        (old,) = BundleValues(bundle).read_strings(OBJECT_GRAPH_KEY)
        new = object_graph(old)
        if new != old:
            stored, crc = string_bytes([new])
            if link:
                shards += 1
                entry = Entry(7, (), shards - 1, 0, len(stored), mask(crc), ())
                data.append(_Data(shards - 1, (stored,)))
            else:
                data = [_replace(table, prefix, bundle.shards, graph_key, stored, sizes)]
                shard = data[0].shard
                start = table.entries[graph_key].offset
                entry = Entry(7, (), shard, start, len(stored), mask(crc), ())
            table.entries[graph_key] = entry
            table.raw[graph_key] = encode_entry(entry)
    if compact:
        shards, data = 1, [_compact(table, prefix, bundle.shards, data)]
    if shards == taken:
        shards += 1
        data.append(_Data(shards - 1, ()))
    written = {one.shard for one in data}
    for one in data:
        staging.write(shard_path(out, one.shard, shards), one.pieces)
    for shard in range(0 if compact else bundle.shards):
        if shard not in written:
            place = staging.link if link else staging.copy
            place(shard_path(prefix, shard, bundle.shards), shard_path(out, shard, shards))
    entries = [(b"", with_shards(header, shards) if shards != bundle.shards else header)]
    entries += sorted(table.raw.items())
    return lambda: staging.write(f"{out}.index", [table_bytes(entries)])


def _renamed(raw: Mapping[bytes, bytes], keys: Keys) -> _Table:
    """Return every entry under its new keys, the pieces of partitioned variables re-encoded."""
    table = _Table({}, {})
    shapes: dict[bytes, tuple[int, ...]] = {}
    for key, value in raw.items():
        if key[:1] == b"\0":
            continue
        entry = decode_entry(value, shapes)
        for new in keys(key.decode("utf-8", "backslashreplace")):
            new_key = new.encode("utf-8", "surrogateescape")
            table.raw[new_key], table.entries[new_key] = value, entry
            for part in entry.slices:
                piece, new_piece = slice_key(key, part), slice_key(new_key, part)
                if piece not in raw:
                    raise CorruptArtifactError(
                        f"the index lacks the piece {part} of this variable",
                        where=key.decode("utf-8", "backslashreplace"),
                        remedy="Copy the .index file again.",
                    )
                table.raw[new_piece] = raw[piece]
                table.entries[new_piece] = decode_entry(raw[piece], shapes)
    return table


def _sizes(prefix: str, shards: int) -> list[int]:
    sizes = []
    for shard in range(shards):
        path = shard_path(prefix, shard, shards)
        if not os.path.isfile(path):
            raise MissingDataError(
                "is missing, so its values cannot be copied",
                where=path,
                remedy="Copy the data file too; nothing was written.",
            )
        if not stays_inside(path, f"{prefix}.index"):
            raise MissingDataError(
                "is a link that leads out of its folder and is not copied",
                where=path,
                remedy="If you trust it, copy the file that it leads to beside the .index file.",
            )
        sizes.append(os.path.getsize(path))
    return sizes


def _check_inside(entries: Mapping[bytes, Entry], sizes: list[int], prefix: str) -> None:
    for key, entry in entries.items():
        if not entry.slices and (
            entry.shard >= len(sizes) or entry.offset + entry.size > sizes[entry.shard]
        ):
            raise MissingDataError(
                f"{key.decode('utf-8', 'backslashreplace')} lies past the end of its data file",
                where=prefix,
                remedy="Copy the data files again; nothing was written.",
            )


def _replace(
    table: _Table, prefix: str, shards: int, key: bytes, stored: bytes, sizes: list[int]
) -> _Data:
    """Put other bytes in the place of an entry's; what lies behind it moves."""
    old = table.entries[key]
    path = shard_path(prefix, old.shard, shards)
    end = old.offset + old.size
    shift = len(stored) - old.size
    if shift:
        for name, entry in list(table.entries.items()):
            if entry.shard == old.shard and entry.offset >= end and entry.size and name != key:
                moved = entry._replace(offset=entry.offset + shift)
                table.entries[name] = moved
                table.raw[name] = encode_entry(moved)
    rest = Range(path, end, sizes[old.shard] - end)
    return _Data(old.shard, (Range(path, 0, old.offset), stored, rest))


def _compact(table: _Table, prefix: str, shards: int, data: list[_Data]) -> _Data:
    """Put the bytes that are still named one behind the other, each once, into one file."""
    replaced = {one.shard: one for one in data}
    placed: dict[tuple[int, int, int], int] = {}
    pieces: list[bytes | Range] = []
    position = 0
    by_place = sorted(table.entries.items(), key=lambda item: (item[1].shard, item[1].offset))
    for key, entry in by_place:
        if entry.slices:
            continue
        span = entry.shard, entry.offset, entry.size
        if span not in placed:
            placed[span] = position
            if entry.shard in replaced:
                pieces.extend(_cut(replaced[entry.shard].pieces, entry.offset, entry.size))
            else:
                path = shard_path(prefix, entry.shard, shards)
                pieces.append(Range(path, entry.offset, entry.size))
            position += entry.size
        moved = entry._replace(shard=0, offset=placed[span])
        table.entries[key] = moved
        table.raw[key] = encode_entry(moved)
    return _Data(0, tuple(pieces))


def _cut(pieces: tuple[bytes | Range, ...], start: int, size: int) -> Iterator[bytes | Range]:
    """Yield `size` bytes from `start` of what pieces make up."""
    for piece in pieces:
        length = piece.size if isinstance(piece, Range) else len(piece)
        begin, end = max(start, 0), min(start + size, length)
        if begin < end:
            if isinstance(piece, Range):
                yield Range(piece.path, piece.start + begin, end - begin)
            else:
                yield piece[begin:end]
        start -= length

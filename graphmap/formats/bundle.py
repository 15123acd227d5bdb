"""TensorFlow's tensor bundle, the V2 checkpoint: PREFIX.index plus PREFIX.data-?????-of-?????.

Source: tensorflow/core/protobuf/tensor_bundle.proto and util/tensor_bundle. Entries are decoded by
hand: a Python object is made for each field either way, and a protobuf runtime costs 0.03 s.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from graphmap.errors import CorruptArtifactError
from graphmap.files import read_file, stays_inside
from graphmap.formats.dtypes import NAMES, SIZES, dtype_name
from graphmap.formats.slices import Slice, slices_defect
from graphmap.formats.sstable import iter_table, read_table
from graphmap.formats.wire import WireError, fields, read_varint, signed, write_varint
from graphmap.model.collector import collector_paused
from graphmap.model.sentences import capped
from graphmap.model.stored import StoredTensor

__all__ = [
    "OBJECT_GRAPH_KEY",
    "Bundle",
    "Entry",
    "decode_entry",
    "decode_shape",
    "decode_slice",
    "is_v1",
    "read_bundle",
    "read_entries",
    "shard_path",
    "version_defect",
]

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
INDEX_LIMIT = 1 << 30  # bytes; 100,000 variables take 3.5 MB
_VERSION = 1  # kTensorBundleVersion, of all that was ever written
_MAX_RANK = 254  # TensorShape::MaxDimensions
# An offset field of N bytes (tag 0x20, then a varint; none for offset 0), read as a little-endian
# integer: the bits that tell a canonical one, and what they are. A tag alone is none.
_MARKS = [b"\xff" + b"\x80" * n for n in range(1, 7)]
_OFFSET_MASKS = (0, 0, *(int.from_bytes(mark, "little") for mark in _MARKS))
_OFFSET_BITS = (0, 1, *(int.from_bytes(b"\x20" + mark[2:], "little") for mark in _MARKS))
_UNKNOWN = 1 << 34  # bytes; no entry is found to lie past the end of a file that is missing
_MAX_SHARDS = 10_000  # data files looked for on disk

Dims = tuple[int, ...]


class Entry(NamedTuple):
    """A BundleEntryProto. size in bytes; crc masked; slices only for a partitioned variable."""

    dtype: int
    shape: Dims
    shard: int
    offset: int
    size: int
    crc: int
    slices: tuple[Slice, ...]


class Bundle(NamedTuple):
    """An index as it was read; every entry that is no piece of a partitioned variable."""

    prefix: str
    shards: int
    big_endian: bool
    tensors: tuple[StoredTensor, ...]
    has_object_graph: bool
    warnings: tuple[str, ...]


def shard_path(prefix: str, shard: int, shards: int) -> str:
    """Return the path of one data shard."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def is_v1(path: str) -> bool:
    """Tell whether a table is a V1 checkpoint, whose header holds a message where ours has numbers.

    Raises CorruptArtifactError where it is no table at all.
    """
    from graphmap.files import map_file
    from graphmap.formats.mapped_table import MappedTable

    table = MappedTable(map_file(path), path)  # of a V1 checkpoint it may be of gigabytes
    return b"" in table and bytes(table[b""][:1]) == b"\x0a"


def read_bundle(prefix: str) -> Bundle:
    """List the checkpoint at `prefix` from its index; no value is read.

    A damaged entry, and a missing or short data shard, is a warning; a damaged index raises
    CorruptArtifactError.
    """
    where = f"{prefix}.index"
    with collector_paused():
        return _read(prefix, where)


def _read(prefix: str, where: str) -> Bundle:
    entries = iter_table(read_file(where, INDEX_LIMIT), where)
    try:
        key, header = next(entries, (None, b""))
        if key != b"":  # keys increase, so the empty one comes first
            raise WireError("it is missing")
        shards, big_endian, version_defect = _header(header)
    except WireError as cause:
        raise CorruptArtifactError(
            f"has no sound header entry: {cause}",
            where=where,
            remedy="Copy the .index file again.",
        ) from cause
    paths = [shard_path(prefix, shard, shards) for shard in range(min(shards, _MAX_SHARDS))]
    sizes = [_file_size(path, where) for path in paths]
    tensors, has_object_graph, defects = _list_tensors(entries, shards, sizes)
    missing = _missing(paths, sizes, where)
    notes = [f"{where}: {version_defect}"] if version_defect else []
    if big_endian:
        notes.append(f"{where}: is from a big-endian machine; values are turned round when read")
    return Bundle(
        prefix, shards, big_endian, tensors, has_object_graph, (*notes, *missing, *defects)
    )


def read_entries(prefix: str) -> dict[bytes, bytes]:
    """Return the encoded entry of every key, pieces included; raises CorruptArtifactError."""
    where = f"{prefix}.index"
    entries = read_table(read_file(where, INDEX_LIMIT), where)
    entries.pop(b"", None)  # the header
    return entries


def _header(value: bytes) -> tuple[int, bool, str]:
    """Return (number of shards, is big-endian, what its version forbids) of a BundleHeaderProto."""
    shards, endianness, defect = 0, 0, ""
    for number, field in fields(value):
        if number == 1 and isinstance(field, int):
            shards = field
        elif number == 2 and isinstance(field, int):
            endianness = field
        elif number == 3 and isinstance(field, bytes):
            defect = version_defect(field)
    if not 0 <= shards < 1 << 20:
        raise WireError(f"names {shards} data shards")
    return shards, bool(endianness), defect


def version_defect(data: bytes) -> str:
    """Say why a VersionDef shuts out readers of this version, or return ""."""
    for number, value in fields(data):
        if number == 2 and isinstance(value, int) and value > _VERSION:
            return f"asks for a reader of version {value} or newer"
        if number == 3 and _VERSION in (value, *(value if isinstance(value, bytes) else ())):
            return f"says that readers of version {_VERSION} cannot read it"  # bytes: packed
    return ""


def _file_size(path: str, index: str) -> int | None:
    try:
        if os.path.isfile(path) and stays_inside(path, index):
            return os.path.getsize(path)
    except (OSError, ValueError):
        pass
    return None


def _missing(paths: list[str], sizes: list[int | None], index: str) -> tuple[str, ...]:
    missing = [path for path, size in zip(paths, sizes, strict=True) if size is None]
    if not missing:
        return ()
    others = f" and {len(missing) - 1} more data files" if len(missing) > 1 else ""
    if os.path.isfile(missing[0]):
        return (f"{missing[0]}{others}: links out of its folder and is not opened",)
    verb = "are" if others else "is"
    return (f"{missing[0]}{others} {verb} missing: names can be read, values cannot",)


def _list_tensors(
    entries: Iterator[tuple[bytes, bytes]], shards: int, sizes: list[int | None]
) -> tuple[tuple[StoredTensor, ...], bool, tuple[str, ...]]:
    """Decode every entry that is no piece of a partitioned variable; keep going past bad ones.

    Returns the tensors, whether an object graph is among the entries, and the warnings.
    """
    tensors: list[StoredTensor] = []
    warnings: list[str] = []
    known: dict[bytes, _Plain] = {}
    shapes: dict[bytes, Dims] = {}
    room = -1 if shards != 1 else _UNKNOWN if sizes[0] is None else sizes[0]
    new = tuple.__new__  # a NamedTuple's own constructor takes twice as long
    lookup, add, decode = known.get, tensors.append, int.from_bytes
    masks, wanted = _OFFSET_MASKS, _OFFSET_BITS
    has_object_graph = False
    pieces: set[bytes] = set()  # of partitioned variables; their binary keys come first
    for key, value in entries:
        if key[0] == 0:
            pieces.add(key)
            continue
        try:
            name = key.decode()
        except UnicodeDecodeError:
            name = key.decode("utf-8", "backslashreplace")
            warnings.append(f"{name}: its name is not UTF-8 and shown with escapes")
        plain = lookup(value[: value[3] + 4]) if len(value) > 8 else None
        if plain is not None:
            shape, dtype, nbytes, start, tail, tail_size, limit = plain
            width = len(value) - start - tail_size  # of the offset, tag and varint
            if width < 8 and value.endswith(tail, start, -4):
                offset = decode(value[start : start + width], "little")
                if offset & masks[width] == wanted[width] and offset <= limit:
                    add(new(StoredTensor, (name, name, shape, dtype, nbytes)))
                    continue
        has_object_graph |= name == OBJECT_GRAPH_KEY  # a string: never plain
        try:
            entry = decode_entry(value, shapes)
        except WireError as cause:
            warnings.append(f"{name}: its index entry {cause}")
            continue
        dtype = NAMES.get(entry.dtype) or dtype_name(entry.dtype)
        nbytes = _nbytes(entry.shape, dtype, entry.size) if entry.slices else entry.size
        tensors.append(StoredTensor(name, name, entry.shape, dtype, nbytes))
        if entry.slices:
            defect = slices_defect(key, entry.shape, entry.slices, pieces)
        else:
            defect = _defect(entry, dtype, shards, sizes)
        if defect:
            warnings.append(f"{name}: {defect}")
        elif room >= 0 and _is_plain(value, entry, dtype):
            known[value[: value[3] + 4]] = _plain(value, entry, dtype, room)
    return tuple(tensors), has_object_graph, capped(warnings)


_Plain = tuple[Dims, str, int, int, bytes, int, int]
"""What follows from the leading bytes of an entry, its type and shape.

(shape, dtype, size in bytes, where the offset field begins, the encoded size and the checksum's
tag, bytes from there to the end, the last offset field that fits).

Nearly every entry is `type, shape, [offset], size, checksum`, and few (type, shape) differ: so
those bytes are looked up, the size is compared as bytes, and the offset is compared with the last
one that fits, both as encoded: varints of canonical form sort as the numbers they stand for when
read as little-endian integers. That halves the time for 100,000 entries.
"""


def _is_plain(value: bytes, entry: Entry, dtype: str) -> bool:
    """Tell whether an entry begins with a type and a short shape, and has a fixed size."""
    return (
        dtype in SIZES
        and not entry.slices
        and entry.size > 0
        and len(value) > 8
        and value[0] == 0x08
        and value[1] < 0x80
        and value[2] == 0x12
        and value[3] < 0x80
    )


def _plain(value: bytes, entry: Entry, dtype: str, room: int) -> _Plain:
    tail = b"\x28" + write_varint(entry.size) + b"\x35"
    limit = int.from_bytes(b"\xff" + write_varint(max(0, room - entry.size)), "little")
    return entry.shape, dtype, entry.size, value[3] + 4, tail, len(tail) + 4, limit


def _nbytes(shape: Dims, dtype: str, fallback: int) -> int:
    return prod(shape) * SIZES[dtype] if dtype in SIZES else fallback


def _defect(entry: Entry, dtype: str, shards: int, sizes: list[int | None]) -> str:
    """Say what is wrong with one entry, or return ""."""
    if entry.dtype not in NAMES:
        return f"has unknown {dtype}"
    if dtype == "resource":
        return "has the type resource, of which no value can be stored"
    wanted = prod(entry.shape) * SIZES.get(dtype, 1)  # a string takes a byte for its length
    if wanted != entry.size and (dtype in SIZES or wanted > entry.size):
        return f"is stored in {entry.size} bytes where its shape and type need {wanted}"
    if entry.shard >= shards:
        return f"lies in data file {entry.shard} of {shards}"
    if entry.shard < len(sizes):
        size = sizes[entry.shard]
        if size is not None and entry.offset + entry.size > size:
            return "lies past the end of its data file, which is too short"
    return ""


def decode_entry(value: bytes, shapes: dict[bytes, Dims]) -> Entry:
    """Decode a BundleEntryProto; `shapes` caches shapes by their bytes. Hot: 2 µs an entry."""
    dtype = shard = offset = size = crc = 0
    shape: Dims = ()
    slices: list[Slice] = []
    position, end = 0, len(value)
    while position < end:
        tag = value[position]
        position += 1
        if tag == 0x35:
            crc = int.from_bytes(value[position : position + 4], "little")
            position += 4
        elif tag in (0x12, 0x3A):
            length, position = read_varint(value, position)
            part = value[position : position + length]
            position += length
            if tag == 0x12:
                known = shapes.get(part)
                shape = shapes.setdefault(part, decode_shape(part)) if known is None else known
            else:
                slices.append(decode_slice(part))
        elif tag in (0x08, 0x18, 0x20, 0x28):
            if position < end and (number := value[position]) < 0x80:
                position += 1
            else:
                number, position = read_varint(value, position)
            if tag == 0x28:
                size = number
            elif tag == 0x20:
                offset = number
            elif tag == 0x08:
                dtype = number
            else:
                shard = number
        else:
            return _decode_slowly(value)
    if position != end:
        raise WireError("ends inside a field")
    if (size | offset) >> 63 or shard >> 31:
        raise WireError("has a negative size, offset or data file")
    return Entry(dtype, shape, shard, offset, size, crc, tuple(slices))


def _decode_slowly(value: bytes) -> Entry:
    """Decode an entry that holds fields this version does not know."""
    known: dict[int, int] = {}
    shape: Dims = ()
    slices: list[Slice] = []
    for number, field in fields(value):
        if isinstance(field, int):
            known[number] = field
        elif number == 2:
            shape = decode_shape(field)
        elif number == 7:
            slices.append(decode_slice(field))
    get = known.get
    return Entry(get(1, 0), shape, get(3, 0), get(4, 0), get(5, 0), get(6, 0), tuple(slices))


def decode_shape(data: bytes) -> Dims:
    """Decode a TensorShapeProto; a stored tensor has a known rank and no unknown size."""
    sizes: list[int] = []
    for number, dim in fields(data):
        if number == 3 and dim:
            raise WireError("has a shape of unknown rank")
        if number != 2 or not isinstance(dim, bytes):
            continue
        extent = 0
        for part, value in fields(dim):
            if part == 1 and isinstance(value, int):
                extent = signed(value)
        if extent < 0:
            raise WireError(f"has a shape with a size of {extent}")
        sizes.append(extent)
    if len(sizes) > _MAX_RANK:
        raise WireError(f"has a shape of rank {len(sizes)}")
    if prod(sizes) >= 1 << 63:
        raise WireError("has a shape of over 2^63 elements")
    return tuple(sizes)


def decode_slice(data: bytes) -> Slice:
    """Decode a TensorSliceProto; a missing length means the whole axis."""
    extents: list[tuple[int, int]] = []
    for number, extent in fields(data):
        if number != 1 or not isinstance(extent, bytes):
            continue
        start, length = 0, -1
        for part, value in fields(extent):
            if isinstance(value, int):
                start, length = (signed(value), length) if part == 1 else (start, signed(value))
        extents.append((start, length))
    return tuple(extents)

"""Values of a tensor bundle, read by key, checksum verified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Literal, NoReturn

from graphmap.errors import CorruptArtifactError, MissingDataError, UnsupportedArtifactError
from graphmap.files import fetch, map_file, stays_inside
from graphmap.formats.bundle import Bundle, Entry, decode_entry, read_entries, shard_path
from graphmap.formats.crc import crc_of_buffer, crc_of_bytes, mask
from graphmap.formats.dtypes import SIZES, dtype_name, numpy_dtype, shaped
from graphmap.formats.slices import join_pieces, slice_box, slice_key, slices_defect
from graphmap.formats.wire import WireError, read_varint

if TYPE_CHECKING:
    import numpy

__all__ = ["BundleValues"]

_COPY_LIMIT = 1 << 20  # bytes up to which a copy costs less than importing a zero-copy checksum
_REMEDY = "Copy the .data files again from where they came."


class BundleValues:
    """Reads the values of one bundle; arrays are read-only views of the mapped data files."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle._replace(tensors=())
        self._shards: dict[int, memoryview] = {}

    @cached_property
    def _raw(self) -> dict[bytes, bytes]:
        """The encoded entries, read again: a listing of 100,000 would hold 25 MB of them."""
        return read_entries(self._bundle.prefix)

    def keys(self) -> set[str]:
        """Return the key of every entry, damaged ones too."""
        return {raw.decode("utf-8", "backslashreplace") for raw in self._raw}

    def read(self, key: str) -> numpy.ndarray:
        """Return the value under `key`.

        string tensors: an object array of bytes. Raises KeyError for an unknown key,
        MissingDataError, CorruptArtifactError, MissingDependencyError.
        """
        import numpy

        entry = self._entry(self._raw_key(key), key)
        dtype = dtype_name(entry.dtype)
        if entry.slices:
            return self._join(key, entry)
        if dtype == "string":
            strings = self._strings(entry, key)
            array = numpy.empty(len(strings), dtype=object)
            array[:] = strings
            return shaped(array, entry.shape)
        return self._numbers(entry, key)

    def verify(self, key: str) -> None:
        """Raise as `read` does where stored bytes are missing or damaged; makes no array."""
        entry = self._entry(self._raw_key(key), key)
        if dtype_name(entry.dtype) == "string":
            self._strings(entry, key)
            return
        for part in self._parts(entry, key):
            self._checked_bytes(part, key)

    def checksum(self, key: str) -> tuple[int, int] | None:
        """Return (bytes, stored checksum) from the index, None for a partitioned variable."""
        entry = self._entry(self._raw_key(key), key)
        return None if entry.slices else (entry.size, entry.crc)

    def _parts(self, entry: Entry, key: str) -> list[Entry]:
        """Return the entries that hold the bytes: the pieces of a partitioned variable, or it."""
        if not entry.slices:
            return [entry]
        name = self._raw_key(key)
        defect = slices_defect(name, entry.shape, entry.slices, self._raw)
        if defect:
            _corrupt(defect, key)
        return [self._entry(slice_key(name, part), key) for part in entry.slices]

    def read_strings(self, key: str) -> list[bytes]:
        """Return the elements of a string tensor, without numpy."""
        return self._strings(self._entry(self._raw_key(key), key), key)

    def _raw_key(self, key: str) -> bytes:
        encoded = key.encode("utf-8", "surrogatepass")
        if encoded in self._raw:
            return encoded
        for raw in self._raw:  # a key that is not UTF-8 is shown with escapes
            if raw[:1] != b"\0" and raw.decode("utf-8", "backslashreplace") == key:
                return raw
        raise KeyError(key)

    def _entry(self, raw_key: bytes, key: str) -> Entry:
        try:
            return decode_entry(self._raw[raw_key], {})
        except WireError as cause:
            raise CorruptArtifactError(
                f"its index entry {cause}", where=key, remedy="Copy the .index file again."
            ) from cause

    def _numbers(self, entry: Entry, key: str) -> numpy.ndarray:
        import numpy

        data = self._checked_bytes(entry, key)
        dtype = numpy_dtype(dtype_name(entry.dtype))
        array = shaped(numpy.frombuffer(data, dtype, count=prod(entry.shape)), entry.shape)
        return array.astype(dtype, copy=False) if not self._bundle.big_endian else _swap(array)

    def _checked_bytes(self, entry: Entry, key: str) -> memoryview:
        """Return the bytes of a tensor of numbers, their count and checksum verified."""
        name = dtype_name(entry.dtype)
        if name not in SIZES:
            raise UnsupportedArtifactError(
                f"values of type {name} are not read yet", where=key, remedy="Read another tensor."
            )
        count = prod(entry.shape)
        if count * SIZES[name] != entry.size:
            _corrupt(f"is stored in {entry.size} bytes, not {count} x {SIZES[name]}", key)
        data = self._bytes(entry, key)
        if mask(_checksum(data)) != entry.crc:
            _corrupt("its bytes do not have the stored checksum", key)
        return data

    def _strings(self, entry: Entry, key: str) -> list[bytes]:
        """Layout: varint lengths, checksum of the lengths, then the bytes (tensor_bundle.cc).

        The checksum covers the lengths as fixed-width integers in the byte order of the writer.
        """
        data = bytes(self._bytes(entry, key))
        count = prod(entry.shape)
        if count > len(data):
            _corrupt(f"declares {count} strings in {len(data)} bytes", key)
        position, lengths, crc = 0, [], 0
        order: Literal["big", "little"] = "big" if self._bundle.big_endian else "little"
        try:
            for _ in range(count):
                length, position = read_varint(data, position)
                lengths.append(length)
                crc = crc_of_bytes(length.to_bytes(4 if length >> 32 == 0 else 8, order), crc)
        except WireError as cause:
            raise CorruptArtifactError(
                f"its string lengths break off ({cause})", where=key, remedy=_REMEDY
            ) from cause
        if position + 4 + sum(lengths) != len(data):
            _corrupt("its strings do not fill the stored bytes", key)
        if int.from_bytes(data[position : position + 4], order) != mask(crc):
            _corrupt("its string lengths do not have the stored checksum", key)
        if mask(crc_of_bytes(data[position:], crc)) != entry.crc:
            _corrupt("its bytes do not have the stored checksum", key)
        return list(_cut(data, position + 4, lengths))

    def _join(self, key: str, entry: Entry) -> numpy.ndarray:
        """Put the pieces of a partitioned variable together."""
        pieces = []
        for part, piece in zip(entry.slices, self._parts(entry, key), strict=True):
            value = self._numbers(piece, key)
            box = slice_box(part, entry.shape) or ()
            if value.shape != tuple(stop - start for start, stop in box):
                _corrupt(f"its piece {part} has the shape {list(value.shape)}", key)
            pieces.append((box, value))
        return join_pieces(entry.shape, pieces)

    def _bytes(self, entry: Entry, key: str) -> memoryview:
        if entry.size == 0:
            return memoryview(b"")
        shard = self._shard(entry.shard, key)
        if entry.offset + entry.size > len(shard):
            raise MissingDataError(
                f"the values of {key!r} lie past the end of the file, which is too short",
                where=shard_path(self._bundle.prefix, entry.shard, self._bundle.shards),
                remedy=_REMEDY,
            )
        path = shard_path(self._bundle.prefix, entry.shard, self._bundle.shards)
        fetch(path, entry.offset, entry.offset + entry.size)
        return shard[entry.offset : entry.offset + entry.size]

    def _shard(self, number: int, key: str) -> memoryview:
        if number in self._shards:
            return self._shards[number]
        path = shard_path(self._bundle.prefix, number, self._bundle.shards)
        if not os.path.exists(path):
            raise MissingDataError(
                f"the data file that holds the values of {key!r} is missing",
                where=path,
                remedy="Put it beside the .index file; names can be read without it.",
            )
        if not stays_inside(path, f"{self._bundle.prefix}.index"):
            raise MissingDataError(
                "is a link that leads out of its folder and is not opened",
                where=path,
                remedy="If you trust it, copy the file that it leads to beside the .index file.",
            )
        self._shards[number] = map_file(path, whole=False)
        return self._shards[number]


def _checksum(data: memoryview) -> int:
    return crc_of_bytes(bytes(data)) if len(data) <= _COPY_LIMIT else crc_of_buffer(data)


def _swap(array: numpy.ndarray) -> numpy.ndarray:
    return array.byteswap()


def _cut(data: bytes, position: int, lengths: list[int]) -> Iterator[bytes]:
    for length in lengths:
        yield data[position : position + length]
        position += length


def _corrupt(message: str, key: str) -> NoReturn:
    raise CorruptArtifactError(message, where=key, remedy=_REMEDY)

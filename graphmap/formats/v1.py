"""V1 checkpoints: tables of SavedTensorSlices, one file or -?????-of-????? shards.

Source: tensorflow/core/util/{saved_tensor_slice.proto,tensor_slice_writer.cc,saved_tensor_slice_util.cc}.
The entry under the empty key tells names, shapes, types and slices; every slice has an entry of its
own under an order-preserving key, as the pieces of partitioned variables have in V2.
"""  # noqa: E501

from __future__ import annotations

import os
import re
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from graphmap.errors import CorruptArtifactError
from graphmap.files import map_file, stays_inside
from graphmap.formats.bundle import decode_shape, decode_slice, version_defect
from graphmap.formats.dtypes import NAMES, SIZES, dtype_name
from graphmap.formats.mapped_table import MappedTable
from graphmap.formats.packed import last_message
from graphmap.formats.slices import Slice, join_pieces, slice_box, slice_key, slices_defect
from graphmap.formats.wire import WireError, fields
from graphmap.model.sentences import capped
from graphmap.model.stored import StoredModel, StoredTensor

if TYPE_CHECKING:
    import numpy

__all__ = ["SHARD", "read_v1"]

SHARD = re.compile(r"-(\d{5})-of-(\d{5})$")
_MAX_SHARDS = 10_000
_REMEDY = "Copy the checkpoint again from where it came."


class _Saved(NamedTuple):
    """A SavedSliceMeta, those of all shards joined."""

    shape: tuple[int, ...]
    dtype: str
    slices: tuple[Slice, ...]


class _Entries:
    """The entries of all shards: every slice under its key."""

    def __init__(self, tables: list[MappedTable]) -> None:
        self._tables = tables

    def __contains__(self, key: object) -> bool:
        return any(key in table for table in self._tables)

    def __getitem__(self, key: bytes) -> memoryview:
        return next(table for table in self._tables if key in table)[key]


class _Values:
    """Reads values by key; each table verifies the checksum of what it gives."""

    def __init__(self, saved: dict[str, _Saved], entries: _Entries, where: str) -> None:
        self._saved = saved
        self._entries = entries
        self._where = where

    def read(self, key: str) -> numpy.ndarray:
        """Return a value, its slices joined. Raises KeyError, CorruptArtifactError."""
        saved = self._saved[key]
        raw_key = key.encode("utf-8", "surrogatepass")
        defect = slices_defect(raw_key, saved.shape, saved.slices, self._entries)
        if defect:
            raise self._bad(f"{key}: {defect}")
        pieces = []
        for part in saved.slices:
            box = slice_box(part, saved.shape)
            assert box is not None  # slices_defect looked
            pieces.append((box, self._piece(key, slice_key(raw_key, part), box, saved.dtype)))
        return pieces[0][1] if len(pieces) == 1 else join_pieces(saved.shape, pieces)

    def verify(self, key: str) -> None:
        """Raise as `read` does."""
        self.read(key)

    def _piece(
        self, key: str, entry: bytes, box: tuple[tuple[int, int], ...], dtype: str
    ) -> numpy.ndarray:
        from graphmap.formats.packed import packed_values
        from graphmap.formats.protos import message_from_bytes
        from graphmap.formats.tensors import decode_tensor, element_count, tensor_defect

        shape = tuple(stop - start for start, stop in box)
        try:
            data = last_message(last_message(self._entries[entry], 2), 3)
            lean, packed = packed_values(data, dtype, prod(shape))
        except WireError as cause:
            raise self._bad(f"the value of {key} {cause}") from cause
        proto = message_from_bytes("TensorProto", lean, self._where)
        defect = tensor_defect(proto, dtype, shape)
        if defect:
            raise self._bad(f"the value of {key} {defect}")
        if packed is not None:
            return packed.reshape(shape)
        if element_count(proto, dtype) != prod(shape):
            raise self._bad(f"the value of {key} holds too few or too many elements")
        return decode_tensor(proto, dtype, shape)

    def _bad(self, message: str) -> CorruptArtifactError:
        return CorruptArtifactError(message, where=self._where, remedy=_REMEDY)


def read_v1(path: str, typed: str, notes: tuple[str, ...] = ()) -> StoredModel:
    """Read the V1 checkpoint that a table belongs to; raises CorruptArtifactError.

    path: the one file, any of its shards, or the prefix of shards. A missing shard is a warning.
    """
    prefix = SHARD.sub("", path)
    warnings = list(notes)
    saved: dict[str, _Saved] = {}
    tables: list[MappedTable] = []
    for file in _files(path, prefix, warnings):
        table = MappedTable(map_file(file), file)
        tables.append(table)
        try:
            if b"" not in table:
                raise WireError("is missing")
            meta = bytes(last_message(table[b""], 1))
            _join(saved, meta)
            for number, field in fields(meta):
                if number == 2 and isinstance(field, bytes) and (told := version_defect(field)):
                    warnings.append(f"{file}: {told}")
        except WireError as cause:
            raise CorruptArtifactError(
                f"has no sound list of its tensors: {cause}", where=file, remedy=_REMEDY
            ) from cause
    entries = _Entries(tables)
    for name, one in saved.items():
        defect = _defect(name, one, entries)
        if defect:
            warnings.append(f"{name}: {defect}")
    tensors = tuple(
        StoredTensor(name, name, one.shape, one.dtype, _nbytes(one))
        for name, one in sorted(saved.items())
    )
    return StoredModel(
        path=typed,
        kind="checkpoint-v1",
        tensors=tensors,
        values=_Values(saved, entries, prefix),
        prefix=prefix,
        container=path,
        warnings=capped(warnings),
    )


def _files(path: str, prefix: str, warnings: list[str]) -> list[str]:
    """Return the shards that are there, in order; those that are not become warnings."""
    folder = os.path.dirname(prefix) or "."
    base = os.path.basename(prefix)
    found = [name for name in os.listdir(folder) if SHARD.sub("", name) == base and name != base]
    counts = {int(match[2]) for name in found if (match := SHARD.search(name))}
    given = SHARD.search(path)
    if given is None and os.path.isfile(path):
        return [path]
    count = int(given[2]) if given else min(counts, default=0)
    if not 0 < count <= _MAX_SHARDS:
        raise CorruptArtifactError(f"names {count} shards", where=path, remedy=_REMEDY)
    files = [f"{prefix}-{number:05d}-of-{count:05d}" for number in range(count)]
    there = [file for file in files if os.path.isfile(file) and stays_inside(file, path)]
    if len(there) < len(files):
        lost = next(file for file in files if file not in there)
        more = f" and {len(files) - len(there) - 1} more" if len(files) - len(there) > 1 else ""
        warnings.append(f"{lost}{more} is missing: its tensors are not listed")
    return there


def _join(saved: dict[str, _Saved], meta: bytes) -> None:
    """Add what one SavedTensorSliceMeta lists; shards repeat a tensor with other slices."""
    for number, field in fields(meta):
        if number != 1 or not isinstance(field, bytes):
            continue
        name, shape, dtype = "", (), 0  # type: str, tuple[int, ...], int
        slices: list[Slice] = []
        for part, value in fields(field):
            if part == 1 and isinstance(value, bytes):
                name = value.decode("utf-8", "backslashreplace")
            elif part == 2 and isinstance(value, bytes):
                shape = decode_shape(value)
            elif part == 3 and isinstance(value, int):
                dtype = value
            elif part == 4 and isinstance(value, bytes):
                slices.append(decode_slice(value))
        if not name:
            raise WireError("a tensor has no name")
        known = saved.get(name)
        if known is not None and (known.shape, known.dtype) != (shape, dtype_name(dtype)):
            raise WireError(f"{name[:80]} stands twice with another shape or type")
        slices = [part for part in slices if known is None or part not in known.slices]
        before = () if known is None else known.slices
        saved[name] = _Saved(shape, dtype_name(dtype), (*before, *slices))


def _defect(name: str, saved: _Saved, entries: _Entries) -> str:
    if saved.dtype not in NAMES.values():
        return f"has the unknown type {saved.dtype}"
    raw_key = name.encode("utf-8", "surrogatepass")
    return slices_defect(raw_key, saved.shape, saved.slices, entries)


def _nbytes(saved: _Saved) -> int | None:
    return prod(saved.shape) * SIZES[saved.dtype] if saved.dtype in SIZES else None

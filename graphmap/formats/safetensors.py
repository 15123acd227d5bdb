"""Weights in safetensors files, single or sharded; the header is JSON, the values lie behind it.

Source: the format's own description, github.com/huggingface/safetensors (README, "Format"): 8 bytes
of header size, little-endian; the header; the values, without holes or overlaps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.errors import ArtifactError, CorruptArtifactError, MissingDataError
from graphmap.files import fetch, map_file, open_regular, stays_inside
from graphmap.formats.dtypes import SIZES, numpy_dtype, shaped
from graphmap.model.sentences import capped
from graphmap.model.stored import StoredModel, StoredTensor

if TYPE_CHECKING:
    import numpy

__all__ = ["DTYPES", "INDEX_LIMIT", "INDEX_SUFFIX", "METADATA", "read_header", "read_index",
           "read_safetensors", "weight_map_of"]  # fmt: skip

METADATA = "__metadata__"  # the one key that names no tensor
_HEADER_LIMIT = 100_000_000  # bytes, the format's own limit
INDEX_LIMIT = 256 << 20  # bytes
INDEX_SUFFIX = ".safetensors.index.json"
_MAX_RANK = 254
_MAX_SHARDS = 10_000
# the format's words -> TensorFlow's
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16",
    "U32": "uint32", "I32": "int32", "U64": "uint64", "I64": "int64", "F16": "float16",
    "BF16": "bfloat16", "F32": "float32", "F64": "float64", "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2", "C64": "complex64",
}  # fmt: skip
_REMEDY = "Download the file again; if it stays so, it is damaged."


class _Place(NamedTuple):
    """Where one value lies: bytes [start, end) of a file."""

    path: str
    start: int
    end: int
    shape: tuple[int, ...]
    dtype: str


class Header(NamedTuple):
    """One file's header: its JSON object, where the values begin, and what was checked."""

    content: dict[str, Any]
    start: int
    places: dict[str, _Place]
    warnings: list[str]


class _Values:
    """Reads values by key; arrays are read-only views of the mapped files."""

    def __init__(self, places: dict[str, _Place]) -> None:
        self._places = places
        self._maps: dict[str, memoryview] = {}

    def read(self, key: str) -> numpy.ndarray:
        """Return a value; the format stores no checksum. Raises KeyError, MissingDataError."""
        import numpy

        place, data = self._bytes(key)
        dtype = numpy_dtype(place.dtype)
        return shaped(numpy.frombuffer(data, dtype), place.shape)

    def verify(self, key: str) -> None:
        """Raise as `read` does where the stored bytes are missing; there is no checksum."""
        self._bytes(key)

    def _bytes(self, key: str) -> tuple[_Place, memoryview]:
        place = self._places[key]
        wanted = prod(place.shape) * SIZES.get(place.dtype, 0)
        if place.dtype not in SIZES or wanted != place.end - place.start:
            raise CorruptArtifactError(
                f"{key} is stored in {place.end - place.start} bytes, not {wanted}",
                where=place.path,
                remedy=_REMEDY,
            )
        whole = self._maps.get(place.path)
        if whole is None:
            whole = self._maps[place.path] = map_file(place.path, whole=False)
        if place.end > len(whole):
            raise MissingDataError(
                f"ends before the value of {key}", where=place.path, remedy=_REMEDY
            )
        fetch(place.path, place.start, place.end)
        return place, whole[place.start : place.end]


def read_safetensors(path: str, typed: str) -> StoredModel:
    """Read the header of one file; raises CorruptArtifactError."""
    header = read_header(path)
    return _model(path, typed, header.places, header.warnings)


def read_index(path: str, data: bytes, typed: str) -> StoredModel:
    """Read a sharded checkpoint by its index; raises CorruptArtifactError.

    Only files beside the index are opened. A missing shard is a warning, and so are names that
    index and shards do not share.
    """
    weight_map = weight_map_of(data, path)
    folder = os.path.dirname(path)
    warnings: list[str] = []
    places: dict[str, _Place] = {}
    for shard in sorted(set(weight_map.values())):
        file = os.path.join(folder, shard)
        try:
            if os.path.lexists(file) and not stays_inside(file, path):
                raise _bad("is a link that leads out of its folder and is not opened", file)
            header = read_header(file)
        except ArtifactError as cause:
            warnings.append(f"{file}: {cause.message}; its values cannot be read")
            continue
        warnings += header.warnings
        for key, place in header.places.items():
            if weight_map.get(key) == shard:
                places[key] = place
            else:
                warnings.append(f"{file}: {key} is not placed here by the index")
                places.setdefault(key, place)
    lost = sorted(weight_map.keys() - places.keys())
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        warnings.append(f"{path}: no shard holds {lost[0]}{more}")
    return _model(path, typed, places, warnings)


def _model(path: str, typed: str, places: dict[str, _Place], warnings: list[str]) -> StoredModel:
    tensors = tuple(
        StoredTensor(key, key, place.shape, place.dtype, place.end - place.start)
        for key, place in sorted(places.items())
    )
    return StoredModel(
        typed,
        "safetensors",
        tensors=tensors,
        values=_Values(places),
        container=path,
        warnings=capped(warnings),
    )


def read_header(path: str) -> Header:
    """Read the header of one file; raises CorruptArtifactError.

    What the format's own library refuses and what makes values unreadable is an error.
    """
    handle = open_regular(path, whole=False)
    with os.fdopen(handle, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        fetch(path, 0, 8)
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
            raise _bad(f"declares a header of {length:,} bytes, the file has {size:,}", path)
        fetch(path, 8, 8 + length)
        text = stream.read(length)
    content = _parse(text, path)
    warnings = []
    metadata = content.get(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        warnings.append(f"{path}: its {METADATA} is no object of texts and is not used")
    start = 8 + length
    places = {
        key: _place(key, row, start, size, path) for key, row in content.items() if key != METADATA
    }
    warnings += [
        f"{path}: {key} has the unknown type {place.dtype!r}; its value cannot be read"
        for key, place in places.items()
        if place.dtype not in SIZES
    ]
    return Header(content, start, places, [*warnings, *_gaps(path, places, start, size)])


def _parse(data: bytes, path: str) -> dict[str, Any]:
    try:
        content = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as cause:
        reason = str(cause) if isinstance(cause, ValueError) else "it is nested too deeply"
        raise _bad(f"holds no readable JSON: {reason}"[:200], path) from cause
    if not isinstance(content, dict):
        raise _bad("holds JSON that is no object", path)
    if b"\\ud" in data or b"\\uD" in data:  # half a pair: no reader in UTF-8 can name it
        try:
            "".join(content).encode()
        except UnicodeEncodeError as cause:
            raise _bad("has a name that is no text", path) from cause
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content


def _place(key: str, row: Any, start: int, size: int, path: str) -> _Place:
    if not isinstance(row, dict):
        raise _bad(f"describes {key[:80]!r} by no object", path)
    word, shape, span = (row.get(field) for field in ("dtype", "shape", "data_offsets"))
    if not isinstance(shape, list) or len(shape) > _MAX_RANK or not all(map(_is_size, shape)):
        raise _bad(f"gives {key[:80]!r} no sound shape", path)
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_size, span)):
        raise _bad(f"gives {key[:80]!r} no sound data_offsets", path)
    if prod(shape) >= 1 << 63 or span[1] < span[0]:
        raise _bad(f"gives {key[:80]!r} an impossible shape or place", path)
    if not isinstance(word, str):
        raise _bad(f"gives {key[:80]!r} no dtype", path)
    dtype = DTYPES.get(word)
    wanted = prod(shape) * SIZES[dtype] if dtype else span[1] - span[0]
    if wanted != span[1] - span[0]:
        raise _bad(f"stores {key[:80]} in {span[1] - span[0]} bytes, {wanted} are needed", path)
    if start + span[1] > size:
        raise _bad(f"ends before the value of {key[:80]}: it is too short", path)
    return _Place(path, start + span[0], start + span[1], tuple(shape), dtype or word[:40])


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _gaps(path: str, places: dict[str, _Place], start: int, size: int) -> Iterator[str]:
    """Yield a sentence for each value that overlaps the one before, or leaves a hole behind it."""
    spans = sorted((p.start, p.end, key) for key, p in places.items() if p.end > p.start)
    if spans and spans[0][0] != start:
        yield f"{path}: there is a hole before the first value"
    if (spans[-1][1] if spans else start) != size:
        yield f"{path}: bytes that belong to no value follow the last one"
    for (_, end, before), (begin, _, key) in pairwise(spans):
        if begin != end:
            what = "overlaps" if begin < end else "leaves a hole behind"
            yield f"{path}: the value of {key} {what} that of {before}"


def weight_map_of(data: bytes, path: str) -> dict[str, str]:
    """Return {key: shard's file name} of an index; raises CorruptArtifactError."""
    if len(data) > INDEX_LIMIT:
        raise _bad(f"has {len(data):,} bytes", path)
    weight_map = _parse(data, path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise _bad("has no weight_map", path)
    for shard in weight_map.values():
        if not isinstance(shard, str) or os.path.basename(shard) != shard or shard in ("", "."):
            raise _bad(f"names a shard outside its folder: {str(shard)[:80]!r}", path)
    if len(set(weight_map.values())) > _MAX_SHARDS:
        raise _bad("names over 10,000 shards", path)
    return weight_map


def _bad(message: str, where: str) -> CorruptArtifactError:
    return CorruptArtifactError(message, where=where, remedy=_REMEDY)

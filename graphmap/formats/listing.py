"""Listings: variables named in a text, TSV or JSON file, with optional shape and dtype."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from graphmap.chunks import text_chunks
from graphmap.errors import CorruptArtifactError
from graphmap.formats.dtypes import NAMES
from graphmap.model.stored import ListedTensors, StoredModel

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["LIMIT", "listing_model", "parse_listing"]

LIMIT = 256 << 20  # bytes; 100,000 variables take 10 MB
_MAX_RANK = 254
_DTYPES = frozenset(NAMES.values())
_LINE = re.compile(r"\S+(?:\s+(?P<shape>\[[^\]]*\]|\([^)]*\)))?(?:\s+(?P<dtype>\S+))?")
# what may part names otherwise than by a space; ASCII's own
_ODD = ("\t", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\n ")
_WORDS = bytes(code for code in range(256) if chr(code) not in " \n")  # what makes up words
_REMEDY = "Write one variable a line: NAME [d0,d1,...] dtype"


def listing_model(data: bytes, path: str, typed: str) -> StoredModel:
    """Return the listing in `data` as a model without graph or values."""
    return StoredModel(path=typed, kind="listing", tensors=parse_listing(data, path))


def parse_listing(data: bytes, where: str) -> ListedTensors:
    """Return the variables of a listing, in its order; raises CorruptArtifactError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        raise _bad(
            f"line {line}: byte {cause.start} is not UTF-8", where, "Save the listing as UTF-8."
        ) from cause
    if text.lstrip()[:1] in ("[", "{"):
        tensors = _from_json(text, where)
    else:
        tensors = _from_lines(text, where)
    if not tensors:
        raise _bad("names no variable", where, _REMEDY)
    _check_unique(tensors.names, where)
    return tensors


def _from_lines(text: str, where: str) -> ListedTensors:
    """Parse all lines; what follows the name is the same in many, and is parsed once."""
    shapes: dict[str, Dims] = {}
    dtypes: dict[str, str | None] = {}
    all_names, all_shapes, all_dtypes = [], [], []  # type: list[str], list[Dims], list[str | None]
    line = 1
    for chunk in text_chunks(text):
        lines = chunk.split("\n")
        names, tails, places = _columns(chunk, lines)
        if not shapes.keys() >= set(tails):
            for at, tail in zip(places, tails, strict=True):
                if tail not in shapes:
                    shapes[tail], dtypes[tail] = _kind(lines[at].strip(), line + at, where)
        line += len(lines)
        if ":0" in chunk:
            names = list(map(str.removesuffix, names, repeat(":0")))
        all_names += names
        all_shapes += map(shapes.__getitem__, tails)
        all_dtypes += map(dtypes.__getitem__, tails)
    return ListedTensors(all_names, all_shapes, all_dtypes)


def _columns(text: str, lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str], Sequence[int]]:
    """Return names, what follows them, and the places of their lines; comments are left out."""
    simple = text.isascii() and text[:1] != " " and not any(mark in text for mark in _ODD)
    if simple and "#" not in text and _gaps(text) == " \n" * (len(lines) - 1) + " ":
        words = text.replace("\n", " ").split(" ")
        return words[::2], words[1::2], range(len(lines))
    cut = list(map(str.partition, lines, repeat(" ")) if simple else map(_cut, lines))
    named = [at for at, row in enumerate(cut) if row[0] and row[0][0] != "#"]
    return [cut[at][0] for at in named], [cut[at][2] for at in named], named


def _gaps(text: str) -> str:
    """Return the spaces and line feeds of an ASCII text."""
    return text.encode("ascii").translate(None, _WORDS).decode("ascii")


def _cut(line: str) -> tuple[str, str, str]:
    """Return the name, what stands behind it, and in between what parted them."""
    words = line.split(None, 1)
    name, tail = words if len(words) > 1 else (line.strip(), "")
    return name, " ", tail


def _kind(line: str, number: int, where: str) -> tuple[Dims, str | None]:
    """Return the shape and dtype of one line."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise _bad(f"line {number} is not understood: {line[:60]!r}", where, _REMEDY)
    dtype = found["dtype"]
    if dtype is not None and dtype not in _DTYPES:
        raise _bad(f"line {number}: {dtype[:40]!r} is no dtype", where, _REMEDY)
    shape = found["shape"]
    return None if shape is None else _dims_from_text(shape[1:-1], number, where), dtype


def _dims_from_text(text: str, number: int, where: str) -> Dims:
    parts = [part.strip() for part in text.split(",")]
    if parts and not parts[-1]:  # "[]", or Python's "(3,)"
        parts.pop()
    if any(part != "?" and part != "None" and not _is_size(part) for part in parts):
        raise _bad(f"line {number}: [{text[:40]}] is no shape", where, _REMEDY)
    if len(parts) > _MAX_RANK:
        raise _bad(f"line {number}: a shape of rank {len(parts)}", where, _REMEDY)
    return tuple(int(part) if _is_size(part) else None for part in parts)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _from_json(text: str, where: str) -> ListedTensors:
    import json

    try:
        content = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as cause:
        raise _bad(f"is no JSON: {cause}", where, "Check the place that is named.") from cause
    if isinstance(content, _Repeated):
        raise _bad(f"names {content.key!r} twice", where, "Keep one entry for each name.")
    rows = _rows(content)
    if rows is None:
        raise _bad(
            "is JSON, but no listing",
            where,
            'Write [{"name": ..., "shape": [...], "dtype": ...}, ...] or {name: shape}.',
        )
    read = [_from_row(row, number, where) for number, row in enumerate(rows, 1)]
    return ListedTensors(*zip(*read, strict=True)) if read else ListedTensors((), (), ())


class _Repeated(dict[str, Any]):
    """A JSON object in which a key stands twice."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        return _Repeated(min(key for key in content if keys.count(key) > 1))
    return content


def _rows(content: Any) -> list[Any] | None:
    """Return rows of {"name", "shape", "dtype"} from any of the JSON forms, or None."""
    if isinstance(content, list):
        return [{"name": row} if isinstance(row, str) else row for row in content]
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("entries"), list):  # a name map: its expected names
        return [
            {"name": row.get("expected"), "shape": row.get("shape")} if isinstance(row, dict) else 0
            for row in content["entries"]
        ]
    if isinstance(content.get("variables"), list):  # what `inspect --json` prints
        return list(content["variables"])
    if all(isinstance(value, str) for value in content.values()):  # a map made by hand
        return [{"name": name} for name in content]
    if all(value is None or isinstance(value, list) for value in content.values()):
        return [{"name": name, "shape": shape} for name, shape in content.items()]
    return None


def _from_row(row: Any, number: int, where: str) -> tuple[str, Dims, str | None]:
    if not isinstance(row, Mapping) or not isinstance(row.get("name"), str) or not row["name"]:
        raise _bad(f"entry {number} has no name", where, 'Each entry needs a "name".')
    shape, dtype = row.get("shape"), row.get("dtype")
    if dtype is not None and (not isinstance(dtype, str) or dtype not in _DTYPES):
        raise _bad(f"entry {number}: {str(dtype)[:40]!r} is no dtype", where, _REMEDY)
    if shape is None:
        return row["name"].removesuffix(":0"), None, dtype
    if not isinstance(shape, list) or len(shape) > _MAX_RANK or not all(map(_is_dim, shape)):
        raise _bad(f"entry {number}: {str(shape)[:40]} is no shape", where, _REMEDY)
    dims = tuple(None if size in (None, "?") else size for size in shape)
    return row["name"].removesuffix(":0"), dims, dtype


def _is_dim(size: Any) -> bool:
    if isinstance(size, int) and not isinstance(size, bool):
        return 0 <= size < 1 << 63
    return size is None or size == "?"


def _check_unique(names: Sequence[str], where: str) -> None:
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _bad(f"names {name!r} twice", where, "Keep one entry for each name.")
        seen.add(name)


def _bad(message: str, where: str, remedy: str) -> CorruptArtifactError:
    return CorruptArtifactError(message, where=where, remedy=remedy)

"""Telling GraphDef, MetaGraphDef and SavedModel apart by how their bytes begin.

The three nest in one another and share field numbers, so the first fields are looked into:
    SavedModel    {1: varint schema version} {2: MetaGraphDef}
    MetaGraphDef  {1: MetaInfoDef} {2: GraphDef}
    GraphDef      {1: NodeDef {1: name, 2: op}} ... {2: library {1: FunctionDef {1: OpDef}}}
"""

from __future__ import annotations

import re

from graphmap.formats.wire import WireError, read_varint

__all__ = ["binary_kind", "text_kind"]

_LONG = 1024  # bytes
_OP = re.compile(rb"[A-Za-z_>.][\w>./\\-]*")

# first key of a text proto -> kind
_TEXT_KEYS = {
    "node": "graphdef",
    "library": "graphdef",
    "versions": "graphdef",
    "version": "graphdef",
    "meta_info_def": "metagraph",
    "graph_def": "metagraph",
    "saver_def": "metagraph",
    "collection_def": "metagraph",
    "signature_def": "metagraph",
    "asset_file_def": "metagraph",
    "saved_model_schema_version": "saved-model",
    "meta_graphs": "saved-model",
}
_FIRST_KEY = re.compile(r"\s*(?:#[^\n]*\n\s*)*([a-z_]+)\s*(?::?\s*[{<]|:\s*\d+\s*\n)")


def text_kind(head: str) -> str | None:
    """Return the kind of a text proto, or None.

    >>> text_kind("# net\\nnode {"), text_kind("saved_model_schema_version: 1\\n"), text_kind("w:0")
    ('graphdef', 'saved-model', None)
    """
    found = _FIRST_KEY.match(head)
    return _TEXT_KEYS.get(found.group(1)) if found else None


def binary_kind(head: bytes) -> str | None:
    """Return the kind of a binary proto from its first bytes (a few KiB), or None."""
    first = _first_field(head)
    if first is None:
        return None
    number, payload = first
    if number == 1 and isinstance(payload, int):
        return "saved-model" if payload < 1 << 16 else None
    if number == 1 and isinstance(payload, bytes):
        if _is_node(payload) or _is_repeated(head):
            return "graphdef"
        return "metagraph" if _is_meta_info(payload) else None
    if number == 2 and isinstance(payload, bytes):
        return _kind_from_second(payload) if payload else binary_kind(head[2:])
    if number == 3:
        return "graphdef" if isinstance(payload, int) else "metagraph"
    if number == 4 and isinstance(payload, bytes):
        return "graphdef" if payload[:1] in (b"\x08", b"") else "metagraph"
    return None


def _kind_from_second(payload: bytes) -> str | None:
    """Tell what holds `payload` as its field 2: what is in it decides."""
    inner = _first_field(payload)
    if inner is None or inner[0] != 1 or not isinstance(inner[1], bytes):
        return "saved-model" if inner is not None and inner[0] == 2 else None
    if _is_node(inner[1]):
        return "metagraph"
    signature = _first_field(inner[1])
    if signature and signature[0] == 1 and isinstance(signature[1], bytes):
        name = _first_field(signature[1])
        if name and name[0] == 1 and isinstance(name[1], bytes):
            return "graphdef"  # a library of functions and no node
    return "saved-model" if _is_meta_info(inner[1]) else None


def _is_node(payload: bytes) -> bool:
    """Tell whether a message begins as a NodeDef does: name, then an op type."""
    op = _field_two(payload)
    if op is None:  # the name may be longer than what is seen; a version is never long
        first = _first_field(payload)
        return first is not None and isinstance(first[1], bytes) and len(first[1]) > _LONG
    return _OP.fullmatch(op) is not None


def _is_repeated(head: bytes) -> bool:
    """Tell whether field 1 stands twice at the beginning: nodes do, what else is there does not."""
    first = _field_at(head, 0)
    second = None if first is None else _field_at(head, first[2])
    return second is not None and second[0] == 1


def _is_meta_info(payload: bytes) -> bool:
    """Tell whether a message begins as a MetaInfoDef does."""
    if not payload:
        return True
    stripped_ops = _field_two(payload)
    first = _first_field(payload)
    if first is None:
        return False
    return (
        first[0] in (3, 4, 5, 6, 7, 8)
        or (stripped_ops is not None and stripped_ops[:1] in (b"\n", b""))
        or first[0] == 1
    )


def _field_two(payload: bytes) -> bytes | None:
    """Return field 2 of a message where it stands first or after field 1."""
    position = 0
    for _ in range(2):
        step = _field_at(payload, position)
        if step is None:
            return None
        number, value, position = step
        if number == 2:
            return value if isinstance(value, bytes) else None
    return None


def _first_field(data: bytes) -> tuple[int, int | bytes] | None:
    step = _field_at(data, 0)
    return None if step is None else (step[0], step[1])


def _field_at(data: bytes, position: int) -> tuple[int, int | bytes, int] | None:
    """Return (number, value, position after); a value cut off by the end of `data` is shortened."""
    try:
        tag, position = read_varint(data, position)
        if tag & 7 == 0:
            value, position = read_varint(data, position)
            return tag >> 3, value, position
        if tag & 7 != 2:
            return None
        size, position = read_varint(data, position)
    except WireError:
        return None
    return tag >> 3, data[position : position + size], position + size

"""Changing single fields of an encoded message, all other bytes as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphmap.formats.bundle_writer import encode_field
from graphmap.formats.wire import WireError, read_varint

__all__ = ["Edit", "edit", "edit_text"]

Edit = Callable[[bytes], bytes | None]  # None takes the field away
_FIXED = {1: 8, 5: 4}  # bytes, by wire type


def edit(data: bytes, edits: Mapping[int, Edit]) -> bytes:
    """Apply to each length-delimited field the edit of its number; raises WireError.

    >>> edit(b"\\x0a\\x01a\\x10\\x05\\x0a\\x01b", {1: bytes.upper})
    b'\\n\\x01A\\x10\\x05\\n\\x01B'
    """
    out = bytearray()
    position, end = 0, len(data)
    while position < end:
        start = position
        tag, position = read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            size, position = read_varint(data, position)
            payload = data[position : position + size]
            position += size
            change = edits.get(number)
            if change is not None and position <= end:
                changed = change(payload)
                if changed is None:
                    continue
                if changed != payload:
                    out += encode_field(number, changed)
                    continue
        elif kind == 0:
            _, position = read_varint(data, position)
        elif kind in _FIXED:
            position += _FIXED[kind]
        else:
            raise WireError(f"has wire type {kind} at byte {start}")
        if number == 0 or position > end:
            raise WireError(f"has a broken field at byte {start}")
        out += data[start:position]
    return bytes(out)


def edit_text(change: Callable[[str], str]) -> Edit:
    """Return an edit of a string field; bytes that are not UTF-8 stay as they are."""

    def apply(data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        return change(text).encode("utf-8", "surrogateescape")

    return apply

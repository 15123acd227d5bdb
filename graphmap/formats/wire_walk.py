"""Walking a large message where it lies: which bytes hold which field, without a copy.

Works on spans (start, end) of a file's bytes, every length checked against the message around it.
What is odd (groups, broken fields) raises WireError: the caller then lets protobuf judge the file.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from graphmap.formats.wire import WireError, encode_field, read_varint

__all__ = ["Buffer", "Found", "Span", "join", "take", "thin_node"]

Buffer = bytes | memoryview
Span = tuple[int, int]  # from, to (not included)

CUT_FROM = 1 << 16  # bytes; contents of tensors that are smaller stay where they are
_FIXED = {1: 8, 5: 4}  # wire type -> bytes

# fields of NodeDef, its map entries, AttrValue and TensorProto
_ATTR, _KEY, _VALUE, _TENSOR, _CONTENT = 5, 1, 2, 8, 4


class Found:
    """Where one field of a message stands, each time: its payload and its end."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts, self.ends = array("q"), array("q")

    def spans(self) -> list[Span]:
        """Return the payloads."""
        return list(zip(self.starts, self.ends, strict=True))


def take(data: Buffer, spans: Iterable[Span], number: int) -> tuple[Found, list[Span]]:
    """Return where a length-delimited field stands, and the spans of all other fields, in order.

    spans: payloads of one message; several are merged, as protobuf merges a message that stands
    twice. Raises WireError.
    """
    found = Found()
    rest: list[Span] = []
    starts, ends = found.starts.append, found.ends.append
    key = number << 3 | 2  # one byte: every field taken here has a number below 16
    for start, end in spans:
        at = kept = start
        while at < end:
            if data[at] != key or at + 1 == end:
                at = _skip(data, at, end, number)
                continue
            begin = at
            size, at = data[at + 1], at + 2
            if size > 0x7F:
                more = data[at] if at < end else 0x80
                if more > 0x7F:
                    size, at = read_varint(data, at - 1)
                else:  # two bytes, as of most nodes
                    size, at = size & 0x7F | more << 7, at + 1
            if kept < begin:
                rest.append((kept, begin))
            starts(at)
            kept = at = at + size
            ends(at)
        if at > end:
            raise WireError(f"has a field that goes beyond byte {end}")
        if kept < end:
            rest.append((kept, end))
    return found, rest


def join(data: Buffer, spans: Iterable[Span]) -> bytes:
    """Return the bytes of spans, one after another."""
    return b"".join([data[start:end] for start, end in spans])


def thin_node(data: Buffer, span: Span) -> tuple[bytes, dict[str, Span]]:
    """Return a NodeDef without the large contents of its tensors, and where those lie, by attr.

    Only what TensorFlow writes is cut: one content in one tensor under a key that stands once.
    """
    pieces: list[bytes] = []
    cuts: dict[str, Span] = {}
    keys: set[bytes] = set()
    for number, begin, start, end in _fields(data, span):
        piece = None
        if number == _ATTR:
            key, tensor = _entry(data, (start, end))
            if key in keys:  # of two the last counts: left to protobuf
                return bytes(data[span[0] : span[1]]), {}
            keys.add(key)
            if tensor is not None and end - start >= CUT_FROM:
                piece = _thin_entry(data, key, tensor, cuts)
        pieces.append(bytes(data[begin:end]) if piece is None else piece)
    return b"".join(pieces), cuts


def _fields(data: Buffer, span: Span) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number, first byte, first byte of the payload, end) of each field of a message.

    The number is 0 where the field is not length-delimited.
    """
    at, end = span
    while at < end:
        begin = at
        tag, payload = read_varint(data, at)
        at = _skip(data, begin, end)
        if tag & 7 == 2:
            _, payload = read_varint(data, payload)
            yield tag >> 3, begin, payload, at
        else:
            yield 0, begin, payload, at


def _skip(data: Buffer, at: int, end: int, refused: int = 0) -> int:
    """Return where the field at `at` ends; refused: a number that may not stand here."""
    begin = at
    tag, at = read_varint(data, at)
    kind = tag & 7
    if kind == 2 and tag >> 3 == refused:  # cut off, or its key takes more bytes than it needs
        raise WireError(f"has an odd field at byte {begin}")
    if kind == 0:
        _, at = read_varint(data, at)
    elif kind == 2:
        size, at = read_varint(data, at)
        at += size
    elif kind in _FIXED:
        at += _FIXED[kind]
    else:
        raise WireError(f"has wire type {kind} at byte {begin}")
    if tag >> 3 == 0 or at > end:
        raise WireError(f"has a broken field at byte {begin}")
    return at


def _entry(data: Buffer, span: Span) -> tuple[bytes, Span | None]:
    """Return the key of a map entry and where its value's tensor lies, if it is nothing else."""
    found = list(_fields(data, span))
    key = b"".join(bytes(data[start:end]) for number, _, start, end in found if number == _KEY)
    if [number for number, *_ in found] != [_KEY, _VALUE]:
        return key, None
    value = list(_fields(data, found[1][2:]))
    if [number for number, *_ in value] != [_TENSOR]:
        return key, None
    return key, value[0][2:]


def _thin_entry(data: Buffer, key: bytes, tensor: Span, cuts: dict[str, Span]) -> bytes | None:
    """Return the attr without its tensor's content, or None where there is not one large one."""
    found = list(_fields(data, tensor))
    contents = [(start, end) for number, _, start, end in found if number == _CONTENT]
    if len(contents) != 1 or contents[0][1] - contents[0][0] < CUT_FROM:
        return None
    try:
        cuts[key.decode()] = contents[0]
    except UnicodeDecodeError:
        return None
    rest = b"".join(bytes(data[begin:end]) for number, begin, _, end in found if number != _CONTENT)
    value = encode_field(_TENSOR, rest)
    return encode_field(_ATTR, encode_field(_KEY, key) + encode_field(_VALUE, value))

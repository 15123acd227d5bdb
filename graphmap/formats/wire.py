"""Protocol-buffer wire format, as far as the hand-rolled readers need it.

Source: protobuf.dev/programming-guides/encoding. Used where a whole protobuf runtime would cost
more than the file: bundle headers, bundle entries, object graphs.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["WireError", "encode_field", "fields", "read_varint", "signed", "write_varint"]


class WireError(ValueError):
    """The bytes are no protocol-buffer message; carries the offset. Callers name the file."""


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """Return (value, position after it) of a varint of at most 64 bits."""
    result = shift = 0
    try:
        while shift < 70:
            byte = data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result & 0xFFFFFFFFFFFFFFFF, position
            shift += 7
    except IndexError:
        raise WireError(f"ends inside a number at byte {position}") from None
    raise WireError(f"has a number of over ten bytes at byte {position}")


def write_varint(value: int) -> bytes:
    """Return an unsigned number as a varint.

    >>> write_varint(300)
    b'\\xac\\x02'
    """
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_field(number: int, value: int | bytes) -> bytes:
    """Return a varint or length-delimited field; a negative number as int64."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value & 0xFFFFFFFFFFFFFFFF)
    return write_varint(number << 3 | 2) + write_varint(len(value)) + value


def signed(value: int) -> int:
    """Return an unsigned 64-bit number as the int64 it stands for.

    >>> signed(2**64 - 1)
    -1
    """
    return value - (1 << 64) if value >> 63 else value


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value) of a message; a length-delimited value is bytes.

    fixed32 and fixed64 values are unsigned ints. Groups are not part of any message read here.
    """
    position, end = 0, len(data)
    while position < end:
        tag, position = read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, position = read_varint(data, position)
        elif kind == 2:
            size, position = read_varint(data, position)
            value = data[position : position + size]
            position += size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value = int.from_bytes(data[position : position + size], "little")
            position += size
        else:
            raise WireError(f"has wire type {kind} at byte {position}")
        if number == 0 or position > end:
            raise WireError(f"has a broken field at byte {position}")
        yield number, value

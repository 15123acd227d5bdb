"""Values of a TensorProto that lie in the message as numpy has them: one packed field.

protobuf would copy them twice and make a Python number of each: for a gigabyte that is the
difference between a view and ten gigabytes. Source: tensorflow/core/framework/tensor.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphmap.formats.dtypes import SIZES, numpy_dtype
from graphmap.formats.wire import WireError, read_varint

if TYPE_CHECKING:
    import numpy

__all__ = ["last_message", "packed_values"]

_CONTENT = 4  # tensor_content: the bytes of any type of fixed size
_FIELDS = {"float32": 5, "float64": 6}  # float_val, double_val: little-endian in the message too
_HEAD = 20  # bytes: a tag and a length at most


def packed_values(tensor: memoryview, dtype: str, count: int) -> tuple[bytes, numpy.ndarray | None]:
    """Return the message without its values, and those as a view, where they are one packed field.

    Else the whole message and None. Raises WireError.
    """
    rest, found = bytearray(), []
    wanted = (_CONTENT, _FIELDS.get(dtype))
    for number, start, end, value in _spans(tensor):
        if number in wanted and value is not None and len(value):
            found.append(value)
        else:
            rest += tensor[start:end]
    size = SIZES.get(dtype, 0)
    if len(found) != 1 or not size or len(found[0]) != count * size:
        return bytes(tensor), None
    import numpy

    return bytes(rest), numpy.frombuffer(found[0], dtype=numpy_dtype(dtype), count=count)


def last_message(data: memoryview | bytes, wanted: int) -> memoryview:
    """Return a message field, the last of its number; raises WireError where there is none."""
    found = None
    for number, _, _, value in _spans(memoryview(data)):
        if number == wanted and value is not None:
            found = value
    if found is None:
        raise WireError("is missing")
    return found


def _spans(data: memoryview) -> Iterator[tuple[int, int, int, memoryview | None]]:
    """Yield (field number, start, end, bytes where it is length-delimited) of each field."""
    position = 0
    while position < len(data):
        start = position
        head = bytes(data[position : position + _HEAD])
        tag, at = read_varint(head, 0)
        kind, value = tag & 7, None
        if kind == 0:
            _, at = read_varint(head, at)
        elif kind == 2:
            size, at = read_varint(head, at)
            value = data[position + at : position + at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise WireError(f"has wire type {kind} at byte {position}")
        position += at
        if tag >> 3 == 0 or position > len(data):
            raise WireError(f"has a broken field at byte {start}")
        yield tag >> 3, start, position, value

"""Defects of HDF5 structures that pyfive reads over and the HDF5 library refuses.

What is checked is what the library checks (H5Odtype.c, H5Osdspace.c, H5Olayout.c, H5HLcache.c,
H5Gcache.c, H5Oalloc.c of HDF5 1.14) in the structures that Keras' files are made of, and the
checksums that newer structures carry. Layouts: HDF5 file format specification, version 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod
from typing import Any

from graphmap.formats.hdf5_sums import broken_sums
from graphmap.formats.lookup3 import lookup3

__all__ = ["hdf5_defects"]

_DATASPACE, _DATATYPE, _LAYOUT, _ATTRIBUTE, _SYMBOLS = 0x01, 0x03, 0x08, 0x0C, 0x11
_LINK_INFO, _ATTRIBUTE_INFO, _CONTINUATION = 0x02, 0x15, 0x10
_UNDEFINED = (1 << 64) - 1
_UNLIMITED = _UNDEFINED
_FREE_NULL = 1  # H5HL_FREE_NULL: the end of a local heap's free list
_STEPS = 100_000  # nodes of one tree, entries of one free list
_ENTRY = 40  # bytes of a symbol table entry
_FIXED, _FLOAT, _VARIABLE, _ENUM = 0, 1, 9, 8
_MAX_RANK = 32  # H5S_MAX_RANK


class _Defect(Exception):
    """A structure is not sound; the message completes a sentence about an object."""


def hdf5_defects(data: memoryview, file: Any, paths: dict[int, str]) -> Iterator[str]:
    """Yield one sentence for each object that the HDF5 library would not read.

    file: the pyfive file that was walked. paths: {offset of an object's header: its path}.
    """
    try:
        _superblock(data)
    except _Defect as defect:
        yield f"its superblock {defect}"
    for address, header in sorted(file._dataobjects_cache.items()):
        try:
            _object(data, address, header)
        except _Defect as defect:
            yield f"{paths.get(address, '/')}: {defect}"
        except (IndexError, ValueError):
            yield f"{paths.get(address, '/')}: its header ends too early"


def _number(data: Any, at: int, width: int) -> int:
    if at < 0 or at + width > len(data):
        raise _Defect(f"points to byte {at:,}, past the end")
    return int.from_bytes(data[at : at + width], "little")


def _superblock(data: memoryview) -> None:
    version = data[8]
    if version >= 2:
        if lookup3(bytes(data[:44])) != _number(data, 44, 4):
            raise _Defect("does not have its stored checksum")
        return
    if data[9] or data[10] or data[12] or data[13] != 8 or data[14] != 8:
        raise _Defect("has an unknown version or size of numbers")
    if not _number(data, 16, 2) or not _number(data, 18, 2):
        raise _Defect("has no room in its nodes")
    at = 24 if version == 0 else 28
    if _number(data, at, 8) or _number(data, at + 24, 8) != _UNDEFINED:
        raise _Defect("names a base address or a driver, which Keras never does")


def _object(data: memoryview, address: int, header: Any) -> None:
    is_newer = bytes(data[address : address + 4]) == b"OHDR"
    if is_newer:
        _checksummed_header(data, address)
    else:
        _plain_header(header)
    shape = size = None
    for message in header.msgs:
        kind, at = message["type"], message["offset_to_message"]
        body = header.msg_data[at : at + message["size"]]
        if message.get("flags", 0) & 2:
            continue  # shared: the body lies elsewhere
        if kind == _DATATYPE:
            size = _datatype(body)
        elif kind == _DATASPACE:
            shape = _dataspace(body)
        elif kind == _ATTRIBUTE:
            _attribute(body)
        elif kind == _CONTINUATION and is_newer:
            end = _number(body, 0, 8) + _number(body, 8, 8) - 4
            if lookup3(bytes(data[_number(body, 0, 8) : end])) != _number(data, end, 4):
                raise _Defect("a part of its header does not have the stored checksum")
        elif kind in (_LINK_INFO, _ATTRIBUTE_INFO):
            _many(data, body, 8 if kind == _LINK_INFO else 2)
        elif kind == _SYMBOLS:
            _symbols(data, _number(body, 0, 8), _number(body, 8, 8))
    for message in header.find_msg_type(_LAYOUT):
        at = message["offset_to_message"]
        if shape is not None and size is not None:
            _layout(header.msg_data[at : at + message["size"]], prod(shape) * size, len(data))


def _plain_header(header: Any) -> None:
    """A header of version 1: its messages fill it to the last byte."""
    used = sum(8 + message["size"] for message in header.msgs)
    if used != len(header.msg_data) or any(message["size"] % 8 for message in header.msgs):
        raise _Defect("its header does not hold the messages that it counts")


def _checksummed_header(data: memoryview, address: int) -> None:
    flags = data[address + 5]
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    end = at + width + _number(data, at, width)
    if lookup3(bytes(data[address:end])) != _number(data, end, 4):
        raise _Defect("its header does not have the stored checksum")


def _dataspace(body: bytes) -> tuple[int, ...]:
    version, rank, flags = body[0], body[1], body[2]
    if version not in (1, 2) or rank > _MAX_RANK or flags & ~3:
        raise _Defect("its shape is described in an unknown way")
    at = 8 if version == 1 else 4
    sizes = tuple(_number(body, at + 8 * axis, 8) for axis in range(rank))
    if flags & 1:
        for axis, size in enumerate(sizes):
            limit = _number(body, at + 8 * (rank + axis), 8)
            if size > limit != _UNLIMITED:
                raise _Defect(f"its size {size} along axis {axis} is over its limit of {limit}")
    return sizes


def _datatype(body: bytes) -> int:
    """Check a datatype; returns the size of an element in bytes."""
    kind, version, size = body[0] & 15, body[0] >> 4, _number(body, 4, 4)
    if not 1 <= version <= 5 or kind > 11 or not size:
        raise _Defect("its type is described in an unknown way")
    if kind in (_FIXED, _FLOAT):
        offset, precision = _number(body, 8, 2), _number(body, 10, 2)
        if not precision or offset + precision > 8 * size or 2 * precision < 8 * size:
            raise _Defect(f"its numbers of {precision} bits do not fit their {size} bytes")
        if kind == _FLOAT:
            _floating(body[2], precision, body[12:16])
    elif kind in (_VARIABLE, _ENUM):
        _datatype(body[8:])
    return size


def _floating(sign: int, precision: int, fields: bytes) -> None:
    exponent, exponent_size, mantissa, mantissa_size = fields
    spans = [
        (exponent, exponent + exponent_size),
        (mantissa, mantissa + mantissa_size),
        (sign, sign + 1),
    ]
    spans.sort()
    overlap = any(before[1] > after[0] for before, after in pairwise(spans))
    if overlap or spans[-1][1] > precision or not exponent_size or not mantissa_size:
        raise _Defect("its floating-point format is none")


def _attribute(body: bytes) -> None:
    version = body[0]
    if version not in (1, 2, 3):
        raise _Defect("has an attribute of an unknown version")
    name, kind, space = (_number(body, at, 2) for at in (2, 4, 6))
    at = 9 if version == 3 else 8
    step = 8 if version == 1 else 1  # version 1 pads each part
    start = at + -(-name // step) * step
    if body[at:start][name - 1 : name] != b"\0":
        raise _Defect("has an attribute whose name has no end")
    if body[1] & 3:
        return  # shared parts
    size = _datatype(body[start : start + kind])
    after = start + -(-kind // step) * step
    shape = _dataspace(body[after : after + space])
    if after + -(-space // step) * step + prod(shape) * size > len(body):
        raise _Defect("has an attribute that is larger than its room")


def _many(data: memoryview, body: bytes, order: int) -> None:
    """Check links or attributes that lie outside of the header. order: bytes of a counter."""
    at = 2 + (order if body[1] & 1 else 0)
    broken = broken_sums(data, tree=_number(body, at + 8, 8), heap=_number(body, at, 8))
    if broken:
        raise _Defect(f"{broken} does not have its stored checksum")


def _layout(body: bytes, needed: int, end: int) -> None:
    if body[0] not in (3, 4) or body[1] != 1:
        return  # only contiguous data has a size of its own
    address, size = _number(body, 2, 8), _number(body, 10, 8)
    if address != _UNDEFINED and (size != needed or address + size > end):
        raise _Defect(f"its value of {needed:,} bytes is stored in {size:,} at byte {address:,}")


def _symbols(data: memoryview, tree: int, heap: int) -> None:
    """Check the links of a group of the old kind: its names and where they lead."""
    if bytes(data[heap : heap + 4]) != b"HEAP" or data[heap + 4]:
        raise _Defect("has no heap of names")
    size, free, start = (_number(data, heap + at, 8) for at in (8, 16, 24))
    if start + size > len(data):
        raise _Defect("has a heap of names past the end of the file")
    names = data[start : start + size]
    _free_list(names, free)
    last = b""
    for node in _leaves(data, tree, size):
        if bytes(data[node : node + 4]) != b"SNOD" or data[node + 4] != 1:
            raise _Defect("has a broken list of its members")
        count = _number(data, node + 6, 2)
        if count > 2 * _number(data, 16, 2):
            raise _Defect(f"has {count} members where there is no room for them")
        for entry in range(node + 8, node + 8 + count * _ENTRY, _ENTRY):
            at, target = _number(data, entry, 8), _number(data, entry + 8, 8)
            if at >= size or _number(data, entry + 16, 4) > 2 or target >= len(data):
                raise _Defect("has a member whose name or place lies outside")
            name = bytes(names[at : at + 4096]).partition(b"\0")[0]
            if name <= last:
                raise _Defect("has members out of order, so that some are not found")
            last = name


def _free_list(names: memoryview, free: int) -> None:
    for _ in range(_STEPS):
        if free == _FREE_NULL:
            return
        if free + 16 > len(names) or free + _number(names, free + 8, 8) > len(names):
            break
        free = _number(names, free, 8)
    raise _Defect("has a heap of names with a broken free list")


def _leaves(data: memoryview, tree: int, names: int) -> Iterator[int]:
    """Yield the symbol nodes of a B-tree of version 1, in order."""
    stack, steps = [(tree, 255)], 0
    while stack:
        address, above = stack.pop()
        steps += 1
        is_node = bytes(data[address : address + 4]) == b"TREE" and data[address + 4] == 0
        if steps > _STEPS or not is_node or data[address + 5] >= above:
            raise _Defect("has a broken tree of its members")
        level, count = data[address + 5], _number(data, address + 6, 2)
        if count > 2 * _number(data, 18, 2):
            raise _Defect("has a tree of members with an overfull node")
        if any(_number(data, address + 24 + 16 * at, 8) >= names for at in range(1, count + 1)):
            raise _Defect("has a tree of members that names nothing")
        children = [_number(data, address + 32 + 16 * at, 8) for at in range(count)]
        if level == 0:
            yield from children
        else:
            stack += [(child, level) for child in reversed(children)]

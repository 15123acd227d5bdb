"""Checksums of the HDF5 structures that keep many links or attributes: B-tree 2, fractal heap.

Layouts: HDF5 file format specification, version 3, III.A.2 and III.G; offsets and lengths are of 8
bytes. Sizes of the numbers in a B-tree's pointers: III.A.2, "Number of Records for Child Node".
"""

from __future__ import annotations

from collections.abc import Iterator

from graphmap.formats.lookup3 import lookup3

__all__ = ["broken_sums"]

_UNDEFINED = (1 << 64) - 1
_LIMIT = 100_000  # nodes and blocks of one object
_TREE_HEAD, _HEAP_HEAD = 34, 142  # bytes before the checksum
_NODE = 6  # bytes before the records of a node
_SUMMED_BLOCKS = 2  # flag of a heap: its direct blocks carry a checksum too


def broken_sums(data: memoryview, tree: int, heap: int) -> str:
    """Name the first structure whose checksum does not hold, or return "".

    tree, heap: where the B-tree and the fractal heap of a group's links, or of attributes, begin.
    """
    if tree != _UNDEFINED and not all(_tree(data, tree)):
        return "the tree of its links or attributes"
    if heap != _UNDEFINED and not all(_heap(data, heap)):
        return "the heap of its links or attributes"
    return ""


def _number(data: memoryview, at: int, width: int) -> int:
    if at < 0 or at + width > len(data):
        raise IndexError("past the end")
    return int.from_bytes(data[at : at + width], "little")


def _holds(data: memoryview, start: int, end: int) -> bool:
    """Tell whether a structure has the checksum that follows it."""
    return lookup3(bytes(data[start:end])) == _number(data, end, 4)


def _width(most: int) -> int:
    """Return the bytes that a number of records takes."""
    return max(0, most.bit_length() - 1) // 8 + 1


def _tree(data: memoryview, at: int) -> Iterator[bool]:
    yield bytes(data[at : at + 4]) == b"BTHD" and _holds(data, at, at + _TREE_HEAD)
    size, record, depth = (_number(data, at + o, w) for o, w in ((6, 4), (10, 2), (12, 2)))
    if not record or depth > 16:
        yield False
        return
    most = (size - 10) // record  # records of a leaf
    own, total = _width(most), most
    widths = [own]  # by level: pointer to a child of that level, without its address
    for level in range(1, depth + 1):
        pointer = 8 + own + (_width(total) if level > 1 else 0)
        widths.append(pointer)
        room = (size - 10 - pointer) // (record + pointer)
        total = (room + 1) * total + room
    stack = [(_number(data, at + 16, 8), _number(data, at + 24, 2), depth)]
    for _ in range(_LIMIT):
        if not stack:
            return
        node, count, level = stack.pop()
        if node == _UNDEFINED:
            continue
        after = node + _NODE + count * record
        if level == 0:
            yield bytes(data[node : node + 4]) == b"BTLF" and _holds(data, node, after)
            continue
        pointer = widths[level]
        end = after + (count + 1) * pointer
        yield bytes(data[node : node + 4]) == b"BTIN" and _holds(data, node, end)
        for place in range(after, end, pointer):
            child = (_number(data, place, 8), _number(data, place + 8, own), level - 1)
            stack.append(child)


def _heap(data: memoryview, at: int) -> Iterator[bool]:
    filters = _number(data, at + 7, 2)
    end = at + _HEAP_HEAD + (12 + filters if filters else 0)
    yield bytes(data[at : at + 4]) == b"FRHP" and _holds(data, at, end)
    if filters:
        return  # blocks are compressed, and their sums are of what they hold
    summed = bool(data[at + 9] & _SUMMED_BLOCKS)
    table, start, largest = (_number(data, at + o, w) for o, w in ((110, 2), (112, 8), (120, 8)))
    offset = -(-_number(data, at + 128, 2) // 8)  # bytes of a block's place in the heap
    root, rows = _number(data, at + 132, 8), _number(data, at + 140, 2)
    if root == _UNDEFINED:
        return
    if rows == 0:
        yield _direct(data, root, start, offset, summed)
        return
    head = root + 13 + offset
    yield bytes(data[root : root + 4]) == b"FHIB" and _holds(data, root, head + 8 * rows * table)
    for entry in range(min(rows * table, _LIMIT)):
        size = start << max(0, entry // table - 1)
        block = _number(data, head + 8 * entry, 8)
        if size <= largest and block != _UNDEFINED:
            yield _direct(data, block, size, offset, summed)


def _direct(data: memoryview, at: int, size: int, offset: int, summed: bool) -> bool:
    """Check a direct block, whose checksum stands in its head and counts as zeros."""
    if bytes(data[at : at + 4]) != b"FHDB" or at + size > len(data):
        return False
    if not summed:
        return True
    place = 13 + offset
    block = bytearray(data[at : at + size])
    stored = int.from_bytes(block[place : place + 4], "little")
    block[place : place + 4] = bytes(4)
    return lookup3(bytes(block)) == stored

"""Taking NodeDefs apart by hand, where they are stored as TensorFlow stores them.

Fields stand in the order of their numbers: name 1, op 2, inputs 3, device 4, then the rest, attrs
(5) above all. What stands in another order is no node to this module; protobuf reads it. Why by
hand: the bytes of the rest tell which nodes have equal attrs, three of four in a training graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from graphmap.formats.attrs import AttrMap
from graphmap.model.graph import Node

__all__ = ["walk_nodes"]

_NAME, _OP, _INPUT, _DEVICE, _ATTR = 0x0A, 0x12, 0x1A, 0x22, 0x2A  # keys, all length-delimited


def walk_nodes(
    data: bytes,
    spans: Sequence[tuple[int, int]],
    attrs: Mapping[bytes, AttrMap | None],
    texts: dict[bytes, str],
) -> list[Node | None]:
    """Return each node, None for one that is damaged or not stored in the usual order.

    spans: of the nodes in `data`. attrs: of the bytes after the device, None where those are odd.
    texts: strings seen so far, so that each is made once; it grows.
    """
    nodes: list[Node | None] = []
    add = nodes.append
    known = texts.get
    make = partial(tuple.__new__, Node)  # half of Node._make
    for at, end in spans:
        inputs: list[str] = []
        device = ""
        try:
            if data[at] != _NAME:
                raise IndexError
            size, at = data[at + 1], at + 2
            if size > 0x7F:
                size, at = _long(data, size, at)
            stored = data[at : at + size]
            texts[stored] = name = stored.decode()  # met before only where it stands twice
            at += size
            if data[at] != _OP:
                raise IndexError
            size, at = data[at + 1], at + 2
            if size > 0x7F:
                size, at = _long(data, size, at)
            stored = data[at : at + size]
            at += size
            op = known(stored)
            if op is None:
                op = texts[stored] = stored.decode()
            while at < end and data[at] == _INPUT:
                size, at = data[at + 1], at + 2
                if size > 0x7F:
                    size, at = _long(data, size, at)
                stored = data[at : at + size]
                at += size
                text = known(stored)
                if text is None:
                    text = texts[stored] = stored.decode()
                inputs.append(text)
            if at < end and data[at] == _DEVICE:
                size, at = data[at + 1], at + 2
                if size > 0x7F:
                    size, at = _long(data, size, at)
                stored = data[at : at + size]
                at += size
                text = known(stored)
                device = texts[stored] = stored.decode() if text is None else text
            is_whole = at == end or (at < end and _ATTR <= data[at] < 0x80)
            held = attrs[data[at:end]] if is_whole else None
        except (IndexError, UnicodeDecodeError):
            held = None
        add(None if held is None else make((name, op, tuple(inputs), device, held)))
    return nodes


def _long(data: bytes, size: int, at: int) -> tuple[int, int]:
    """Return a length of two bytes, and where it ends; a longer one is for protobuf to read."""
    more = data[at]
    if more > 0x7F:
        raise IndexError
    return size & 0x7F | more << 7, at + 1

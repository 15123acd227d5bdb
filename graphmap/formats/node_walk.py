"""Taking NodeDefs apart by hand, where they are stored as TensorFlow stores them.

Fields stand in the order of their numbers: name 1, op 2, inputs 3, device 4, then the rest, attrs
(5) above all. What stands in another order is no node to this module; protobuf reads it. Why by
hand: the bytes of the rest tell which nodes have equal attrs, three of four in a training graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    for at, end in spans:
        name = op = device = ""
        inputs: list[str] = []
        last = 0
        try:
            while at < end:
                key = data[at]
                if key >= _ATTR:
                    break
                size, at = data[at + 1], at + 2
                if size > 0x7F:
                    more, at = data[at], at + 1
                    size = size & 0x7F | more << 7 if more < 0x80 else end
                stored = data[at : at + size]
                at += size
                text = known(stored)
                if text is None:
                    text = texts[stored] = stored.decode()
                if key == _INPUT and last <= key:
                    inputs.append(text)
                elif key == _NAME and not last:
                    name = text
                elif key == _OP and last < key:
                    op = text
                elif key == _DEVICE and last < key:
                    device = text
                else:
                    at = end + 1
                last = key
        except (IndexError, UnicodeDecodeError):
            at = end + 1
        held = attrs[data[at:end]] if at <= end else None
        add(None if held is None else Node(name, op, tuple(inputs), device, held))
    return nodes

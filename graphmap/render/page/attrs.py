"""Attributes of a node as short texts."""

from __future__ import annotations

from math import prod
from typing import Any

from graphmap.errors import GraphmapError
from graphmap.model.graph import FunctionRef, Node, ShapeValue, TensorValue
from graphmap.render.text import shape_text

__all__ = ["attr_set"]

_LONGEST = 160  # characters of one value
_MOST = 40  # attributes of one node
_MOST_VALUES = 8  # of a constant that are spelled out
_SKIPPED = frozenset({"_output_shapes"})  # told as the node's shape


def attr_set(node: Node) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a node, sorted by name, values cut to a line."""
    names = sorted(name for name in node.attrs if name not in _SKIPPED)
    more = ((f"and {len(names) - _MOST} more", ""),) if len(names) > _MOST else ()
    return (*((name, _text(node.attrs[name])) for name in names[:_MOST]), *more)


def _text(value: Any) -> str:
    text = _plain(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value[:_LONGEST].decode("utf-8", "backslashreplace")
    if isinstance(value, ShapeValue):
        return shape_text(value.dims)
    if isinstance(value, FunctionRef):
        return f"function {value.name}"
    if isinstance(value, TensorValue):
        return _tensor(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_plain(one) for one in value[:_MOST])}]"
    return str(value)


def _tensor(value: TensorValue) -> str:
    text = f"{value.dtype} {shape_text(value.shape)}"
    if value.dtype == "string" or prod(value.shape) > _MOST_VALUES:
        return text
    try:
        return f"{text} = {value.array().tolist()}"
    except (GraphmapError, ValueError):  # a damaged constant is told by `inspect`
        return text

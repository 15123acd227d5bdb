"""The grammar of TensorFlow names: ops, tensors, inputs, scopes.

Source: NodeDef.input in tensorflow/core/framework/node_def.proto; pure functions only.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CONTROL", "InputRef", "op_name", "parent_scopes", "parse_input", "scope_of"]

CONTROL = -1  # the output slot of a control edge
_MAX_SLOT = 2**31 - 1  # a longer number is part of the name, as in TensorFlow's ParseTensorName


class InputRef(NamedTuple):
    """One entry of NodeDef.input, taken apart. `output` is CONTROL for a control input."""

    node: str
    output: int


def parse_input(text: str) -> InputRef:
    """Take one entry of NodeDef.input of a top-level graph apart.

    >>> parse_input("conv/W:1"), parse_input("conv/W"), parse_input("^init")
    (InputRef(node='conv/W', output=1), InputRef(node='conv/W', output=0), InputRef(node='init', output=-1))
    """  # noqa: E501
    if text.startswith("^"):
        return InputRef(text[1:], CONTROL)
    head, colon, tail = text.rpartition(":")
    if colon and len(tail) <= 10 and tail.isascii() and tail.isdigit() and int(tail) <= _MAX_SLOT:
        return InputRef(head, int(tail))
    return InputRef(text, 0)


def op_name(name: str) -> str:
    """Return the op name of an op, tensor or control name.

    >>> op_name("a/b:0"), op_name("^a/b"), op_name("a/b")
    ('a/b', 'a/b', 'a/b')
    """
    return parse_input(name).node


def scope_of(name: str) -> str:
    """Return the scope that holds an op; the root scope is the empty string.

    >>> scope_of("net/conv1/kernel"), scope_of("global_step")
    ('net/conv1', '')
    """
    return name.rpartition("/")[0]


def parent_scopes(name: str) -> list[str]:
    """Return every scope that holds an op, outermost first, without the root.

    >>> parent_scopes("net/conv1/kernel")
    ['net', 'net/conv1']
    """
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]

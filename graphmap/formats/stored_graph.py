"""Reading a binary GraphDef where it lies in its file, some hundred nodes at a time.

Nodes whose attrs are the same bytes share them, and these are parsed by protobuf once, so what is
no GraphDef is refused as ever; then they stay bytes until they are asked for. A large constant is
never copied: it stays a view of the file. Why not one message: ADR 0012.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from graphmap.files import let_go
from graphmap.formats.attrs import AttrMap, attr_value, tensor_value
from graphmap.formats.dtypes import dtype_name
from graphmap.formats.node_walk import walk_nodes
from graphmap.formats.wire_walk import Buffer, Found, Span, join, take, thin_node
from graphmap.model.attr_facts import NOTHING, AttrFacts, GraphFacts, constant_defect
from graphmap.model.graph import AttrValue, Function, GraphModel, Node, TensorValue
from graphmap.schema import message_class

__all__ = ["function_of", "graph_at"]

_NODES = 512  # walked at once
_LARGE = 1 << 16  # bytes; a larger node is looked into for a tensor that can stay in the file
# fields of GraphDef, FunctionDefLibrary, FunctionDef
_NODE, _LIBRARY, _FUNCTION, _NODE_DEF = 1, 2, 1, 3
# name, op and device of NodeDef, each "."; what is parsed after them and still has them has none
_MARKS = b"\x0a\x01.\x12\x01.\x22\x01."
# the keys of AttrValue.func and ListValue.func, in one byte or (needlessly) in more
_may_call = re.compile(rb"[\x52\x4a\xd2\xca]").search
_ABSENT = object()


def graph_at(data: Buffer, spans: Sequence[Span]) -> GraphModel:
    """Return the GraphDef whose payload lies there; raises WireError, DecodeError.

    spans: of several the fields are merged, as protobuf merges a message that stands twice.
    """
    node_fields, rest = take(data, spans, _NODE)
    libraries, rest = take(data, rest, _LIBRARY)
    versions = message_class("GraphDef").FromString(join(data, rest)).versions
    functions, rest = take(data, libraries.spans(), _FUNCTION)
    message_class("FunctionDefLibrary").FromString(join(data, rest))
    top = _Body(data, node_fields)
    bodies = [_function(data, span) for span in functions.spans()]
    let_go(data)
    return GraphModel(
        nodes=top.nodes,
        functions=tuple(function for function, _ in bodies),
        producer=versions.producer,
        raw=lambda: join(data, spans),
        min_consumer=versions.min_consumer,
        facts=GraphFacts(top.facts, tuple(facts for _, facts in bodies)),
    )


def function_of(proto: Any, nodes: tuple[Node, ...]) -> Function:
    """Return a FunctionDef proto as plain Python, with the nodes of its body."""
    signature = proto.signature
    return Function(
        name=signature.name,
        inputs=tuple((arg.name, dtype_name(arg.type)) for arg in signature.input_arg),
        outputs=tuple((arg.name, dtype_name(arg.type)) for arg in signature.output_arg),
        nodes=nodes,
        returns=dict(proto.ret),
        control_returns=dict(proto.control_ret),
    )


def _function(data: Buffer, span: Span) -> tuple[Function, AttrFacts]:
    node_fields, rest = take(data, [span], _NODE_DEF)
    body = _Body(data, node_fields, in_body=True)
    proto = message_class("FunctionDef").FromString(join(data, rest))
    return function_of(proto, body.nodes), body.facts


class _Body:
    """The nodes of a graph or a function, and where each lies."""

    def __init__(self, data: Buffer, found: Found, *, in_body: bool = False) -> None:
        self._data = data
        self._found = found
        self._in_body = in_body
        self._field = _NODE_DEF if in_body else _NODE
        self.facts = AttrFacts()
        texts: dict[bytes, str] = {}
        attrs = _AttrsByBytes(in_body)
        nodes: list[Node] = []
        for first, last in self._pieces():
            nodes += self._read(first, last, attrs, texts)
        self.nodes = tuple(nodes)

    def _is_large(self, position: int) -> bool:
        return self._found.ends[position] - self._found.starts[position] >= _LARGE

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Yield (first, after the last) of the nodes to read at once; a large one goes alone."""
        starts, ends = self._found.starts, self._found.ends
        first = 0
        while first < len(starts):
            last = min(first + _NODES, len(starts))
            if ends[last - 1] - starts[first] >= _LARGE:
                large = (at for at in range(first, last) if self._is_large(at))
                last = max(next(large, last), first + 1)
            yield first, last
            first = last

    def _read(
        self, first: int, last: int, attrs: _AttrsByBytes, texts: dict[bytes, str]
    ) -> list[Node]:
        starts, ends = self._found.starts[first:last], self._found.ends[first:last]
        if self._is_large(first) or ends[-1] - starts[0] > (last - first) * _LARGE:
            walked: list[Node | None] = [None] * (last - first)
        else:
            base = starts[0]
            spans = [(start - base, end - base) for start, end in zip(starts, ends, strict=True)]
            walked = walk_nodes(bytes(self._data[base : ends[-1]]), spans, attrs, texts)
        nodes = []
        facts, in_body = self.facts, self._in_body
        for position, node in enumerate(walked, first):
            if node is None:
                node = self._parsed(position)
            nodes.append(node)
            name, op, _, _, held = node
            assert isinstance(held, _StoredAttrs)
            if held.facts is not NOTHING:
                facts.add(held.facts, position)
            if op == "Const" and (defect := held.constant_defect(in_body)):
                facts.constants.setdefault(defect, []).append(name)
        return nodes

    def _parsed(self, position: int) -> Node:
        """Read one node by protobuf: a large one, or one that is stored in an odd way."""
        start, end = self._found.starts[position], self._found.ends[position]
        held: _StoredAttrs
        if end - start < _LARGE:
            thin = bytes(self._data[start:end])
            held = _StoredAttrs(thin)
        else:
            thin, cuts = thin_node(self._data, (start, end))
            contents = {
                name: memoryview(self._data)[span[0] : span[1]] for name, span in cuts.items()
            }
            held = _CutAttrs(thin, contents)
        proto = message_class("NodeDef").FromString(thin)
        held.ask(proto.attr, self._in_body)
        return Node(proto.name, proto.op, tuple(proto.input), proto.device, held)


class _AttrsByBytes(dict[bytes, "_StoredAttrs | None"]):
    """The attrs of all that are stored as the same bytes, made once; None where those are odd."""

    def __init__(self, in_body: bool) -> None:
        super().__init__()
        self._in_body = in_body

    def __missing__(self, data: bytes) -> _StoredAttrs | None:
        proto = message_class("NodeDef").FromString(_MARKS + data)
        held = None
        if proto.name + proto.op + proto.device == "..." and not proto.input:
            held = _StoredAttrs(data)
            held.ask(proto.attr, self._in_body)
        self[data] = held
        return held


class _StoredAttrs(AttrMap):
    """The attrs of nodes that lie in a file, from their bytes; parsed when they are asked for.

    facts: what the checks ask of them. What was decoded is kept, all but tensors.
    """

    __slots__ = ("_data", "_decoded", "_defect", "facts")

    def __init__(self, data: bytes) -> None:
        self._held: Any = None
        self._data = data
        self._decoded: dict[str, AttrValue] | None = None
        self._defect: str | None = None
        self.facts = NOTHING

    def ask(self, attr: Any, in_body: bool) -> None:
        """Ask once what the checks want to know; attr: the parsed attrs, not kept."""
        self._held = attr
        self.facts = self.told(in_body=in_body)
        self._held = None

    def _functions(self, attr: Any) -> Iterator[str]:
        return super()._functions(attr) if _may_call(self._data) else iter(())

    def constant_defect(self, in_body: bool) -> str:
        """Say why these cannot be the attrs of a constant, or return ""."""
        if self._defect is None:
            self._defect = constant_defect(self, in_body=in_body)
        return self._defect

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an attr, or the default."""
        decoded = self._decoded
        if decoded is None:
            decoded = self._decoded = {}
        if name not in decoded:
            attr = self._map()
            if name not in attr:
                return default
            value = self._value(name, attr[name])
            if isinstance(value, TensorValue):
                return value  # it would keep the parsed message
            decoded[name] = value
        return decoded[name]

    def __getitem__(self, name: str) -> AttrValue:
        value = self.get(name, _ABSENT)
        if value is _ABSENT:
            raise KeyError(name)
        found: AttrValue = value
        return found

    def _map(self) -> Any:
        return parsed_attrs(self._data) if self._held is None else self._held


class _CutAttrs(_StoredAttrs):
    """Attrs of which large tensor contents stayed in the file."""

    __slots__ = ("_contents",)

    def __init__(self, data: bytes, contents: Mapping[str, memoryview]) -> None:
        super().__init__(data)
        self._contents = contents

    def _value(self, name: str, proto: Any) -> AttrValue:
        content = self._contents.get(name)
        return attr_value(proto) if content is None else tensor_value(proto.tensor, content)


@lru_cache(maxsize=256)
def parsed_attrs(data: bytes) -> Any:
    """Return the attr map of a NodeDef; the last ones are kept."""
    return message_class("NodeDef").FromString(data).attr

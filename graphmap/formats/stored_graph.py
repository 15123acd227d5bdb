"""Reading a binary GraphDef where it lies in its file, some hundred nodes at a time.

Each piece is parsed by protobuf, so what is no GraphDef is refused as ever; what stays of a node
is its name, op, inputs and device. Its attrs are parsed again when they are asked for, and a large
constant is never copied: it stays a view of the file. Why not one message: ADR 0012.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphmap.formats.attrs import AttrMap, attr_value, tensor_value
from graphmap.formats.dtypes import dtype_name
from graphmap.formats.wire import encode_field
from graphmap.formats.wire_walk import Buffer, Found, Span, join, take, thin_node
from graphmap.model.attr_facts import AttrFacts, GraphFacts, gather_calls, gather_values
from graphmap.model.graph import AttrValue, Function, GraphModel, Node
from graphmap.schema import message_class

__all__ = ["function_of", "graph_at"]

_NODES = 512  # parsed at once
_LARGE = 1 << 16  # bytes; a larger node is looked into for a tensor that can stay in the file
# fields of GraphDef, FunctionDefLibrary, FunctionDef
_NODE, _LIBRARY, _FUNCTION, _NODE_DEF = 1, 2, 1, 3
_FUNC, _LIST_FUNC = 0x52, 0x4A  # the keys of AttrValue.func and AttrValue.ListValue.func


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
        self._parsed: tuple[int, Any] = (-1, None)
        self.facts = AttrFacts()
        texts: dict[str, str] = {}  # one object for each string
        nodes: list[Node] = []
        for first, last in self._pieces():
            nodes += self._read(first, last, texts)
        self.nodes = tuple(nodes)

    def attr(self, position: int) -> Any:
        """Return the attr map of a node; the last one is kept."""
        if self._parsed[0] != position:
            payload = self.thin(position)[0] if self.is_large(position) else self._payload(position)
            self._parsed = position, message_class("NodeDef").FromString(payload).attr
        return self._parsed[1]

    def is_large(self, position: int) -> bool:
        """Tell whether a node may have a tensor that stayed in the file."""
        return self._found.ends[position] - self._found.starts[position] >= _LARGE

    def thin(self, position: int) -> tuple[bytes, dict[str, Span]]:
        """Return a node without its large tensors, and where those lie, by attr."""
        return thin_node(self._data, (self._found.starts[position], self._found.ends[position]))

    def content(self, span: Span) -> memoryview:
        """Return what lies there."""
        return memoryview(self._data)[span[0] : span[1]]

    def _payload(self, position: int) -> Buffer:
        return self._data[self._found.starts[position] : self._found.ends[position]]

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Yield (first, after the last) of the nodes to parse at once; a large one goes alone."""
        starts, ends = self._found.starts, self._found.ends
        first = 0
        while first < len(starts):
            last = min(first + _NODES, len(starts))
            if ends[last - 1] - starts[first] >= _LARGE:
                large = (at for at in range(first, last) if self.is_large(at))
                last = max(next(large, last), first + 1)
            yield first, last
            first = last

    def _message(self, first: int, last: int) -> Buffer:
        """Return some nodes as a message of their own, of the kind that holds them."""
        begins, ends = self._found.begins, self._found.ends
        if self.is_large(first):
            return encode_field(self._field, self.thin(first)[0])
        if begins[first + 1 : last] == ends[first : last - 1]:
            return self._data[begins[first] : ends[last - 1]]
        return b"".join(
            encode_field(self._field, bytes(self._payload(at))) for at in range(first, last)
        )

    def _protos(self, message: Buffer) -> Sequence[Any]:
        if self._in_body:
            nodes: Sequence[Any] = message_class("FunctionDef").FromString(message).node_def
        else:
            nodes = message_class("GraphDef").FromString(message).node
        return nodes

    def _read(self, first: int, last: int, texts: dict[str, str]) -> list[Node]:
        message = self._message(first, last)
        one = texts.setdefault
        nodes = []
        attrs = []
        make = Node
        for position, proto in enumerate(self._protos(message), first):
            name, op, device = proto.name, proto.op, proto.device
            held = _StoredAttrs(proto.attr, self, position)
            attrs.append(held)
            inputs = tuple([one(text, text) for text in proto.input[:]])
            nodes.append(make(one(name, name), one(op, op), inputs, one(device, device), held))
        gather_values(nodes, self.facts, first, in_body=self._in_body)
        gather_calls([nodes[at] for at in _callers(message, self._field)], self.facts)
        for held in attrs:
            held.let_go()
        return nodes


def _callers(message: Buffer, field: int) -> list[int]:
    """Return the nodes of a message whose attrs name functions, perhaps some others too."""
    calls = message_class("GraphCalls").FromString(message)
    calls.DiscardUnknownFields()
    left = calls.SerializeToString()
    if _FUNC not in left and _LIST_FUNC not in left:
        return []
    spans = take(left, [(0, len(left))], field)[0].spans()
    return [
        at
        for at, (start, end) in enumerate(spans)
        if _FUNC in left[start:end] or _LIST_FUNC in left[start:end]
    ]


class _StoredAttrs(AttrMap):
    """The attrs of one node that lies in a file; parsed again once they were let go."""

    __slots__ = ("_body", "_position")

    def __init__(self, attr: Any, body: _Body, position: int) -> None:
        super().__init__(attr)
        self._body = body
        self._position = position

    def let_go(self) -> None:
        """Forget the parsed attrs."""
        self._held = None

    def _map(self) -> Any:
        held = self._held
        return self._body.attr(self._position) if held is None else held

    def _value(self, name: str, proto: Any) -> AttrValue:
        if proto.HasField("tensor") and self._body.is_large(self._position):
            span = self._body.thin(self._position)[1].get(name)
            if span is not None:
                return tensor_value(proto.tensor, self._body.content(span))
        return attr_value(proto)

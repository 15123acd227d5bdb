"""Where an op's file name comes from: what the caller gives, constants, or something computed.

Followed: ops that hand a string on or join strings, and the arguments of function bodies back to
every call. Source of the argument positions: functional_ops.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from graphmap.model.graph import Function, FunctionRef, GraphModel, Node, TensorValue
from graphmap.names import CONTROL, parse_input

__all__ = ["FileName", "FileNames", "called_functions"]

_FED = frozenset(("Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "_Arg"))
# which data inputs of an op hold the string that goes on
_HANDED_ON: dict[str, slice] = {
    **dict.fromkeys(("StringJoin", "Pack", "Merge", "RefMerge"), slice(None)),
    **dict.fromkeys(("Select", "SelectV2"), slice(1, None)),
    "ConcatV2": slice(0, -1),
    "Concat": slice(1, None),
    **dict.fromkeys(
        ("Identity", "IdentityN", "ShardedFilename", "ShardedFilespec", "ExpandDims", "Reshape",
         "Squeeze", "Switch", "Enter", "Exit", "StopGradient", "Snapshot", "EnsureShape",
         "PlaceholderWithDefault", "StridedSlice", "GatherV2", "Tile", "BroadcastTo", "Unpack"),
        slice(0, 1),
    ),
}  # fmt: skip
# how many inputs of a call stand before the arguments of the function
_BEFORE = {
    "PartitionedCall": 0, "StatefulPartitionedCall": 0, "While": 0, "StatelessWhile": 0,
    "_While": 0, "If": 1, "StatelessIf": 1, "_If": 1, "Case": 1, "StatelessCase": 1,
    "RemoteCall": 1,
}  # fmt: skip
_MAX_STEPS = 10_000  # tensors looked at for one file name
_MAX_STRINGS = 64  # elements of a constant


class FileName(NamedTuple):
    """What a file name is made of.

    fed: the caller gives (a part of) it. texts: the constants in it. computed: by other ops.
    tensors: names of the top-level constants and placeholders it comes from.
    """

    fed: bool
    texts: frozenset[str]
    computed: bool
    tensors: frozenset[str]


class _Place(NamedTuple):
    """A tensor, by the text of a NodeDef's input, in a function body or at the top level."""

    function: str | None
    text: str


class FileNames:
    """Answers for one graph; bodies and calls are indexed on first use."""

    def __init__(self, graph: GraphModel) -> None:
        self._graph = graph
        self._bodies: dict[str, dict[str, Node]] = {}
        self._calls: dict[str, list[tuple[str | None, Node, int]]] | None = None

    def of(self, node: Node, position: int, function: str | None) -> FileName:
        """Return where data input `position` of a node comes from."""
        texts = data_inputs(node)
        if position >= len(texts):
            return FileName(False, frozenset(), True, frozenset())
        return self._trace(_Place(function, texts[position]))

    def _trace(self, start: _Place) -> FileName:
        waiting, seen = [start], {start}
        fed = computed = False
        found: set[str] = set()
        tensors: set[str] = set()
        while waiting:
            place = waiting.pop()
            if len(seen) > _MAX_STEPS:
                computed = True
                break
            node = self._producer(place)
            if node is None:
                sources = self._arguments(place)
                computed |= sources is None
                fed |= sources == []
            else:
                fed |= node.op in _FED
                is_source = node.op in _FED or node.op == "Const"
                if is_source and place.function is None:
                    tensors.add(node.name)
                if node.op == "Const":
                    texts = constant_strings(node)
                    computed |= texts is None
                    found.update(texts or ())
                sources = self._inputs(node, place.function)
                computed |= not sources and not is_source
            for source in sources or ():
                if source not in seen:
                    seen.add(source)
                    waiting.append(source)
        return FileName(fed, frozenset(found), computed, frozenset(tensors))

    def _inputs(self, node: Node, function: str | None) -> list[_Place]:
        """Return the strings that a node hands on, or those that a variable was ever given."""
        texts = data_inputs(node)
        if function is None and node.op == "ReadVariableOp" and texts:
            values = self._assigned.get(parse_input(texts[0]).node, [])
            return [_Place(None, text) for text in values]
        return [_Place(function, text) for text in texts[_HANDED_ON.get(node.op, slice(0, 0))]]

    @cached_property
    def _assigned(self) -> dict[str, list[str]]:
        """What each string variable is given, by its handle; {} where a body gives one too."""
        found: dict[str, list[str]] = {}
        for where, nodes in bodies_of(self._graph):
            for node in nodes:
                if node.op == "AssignVariableOp" and node.attrs.get("dtype") == "string":
                    if where is not None:
                        return {}
                    handle, value = (*data_inputs(node), "", "")[:2]
                    found.setdefault(parse_input(handle).node, []).append(value)
        return found

    def _producer(self, place: _Place) -> Node | None:
        if place.function is None:
            return self._graph.find(parse_input(place.text).node)
        body = self._bodies.get(place.function)
        if body is None:
            function = self._graph.function_index[place.function]
            body = {node.name: node for node in function.nodes}
            self._bodies[place.function] = body
        return body.get(place.text.partition(":")[0])

    def _arguments(self, place: _Place) -> list[_Place] | None:
        """Return what the calls of a body pass for an argument; [] where nothing calls it.

        None where the tensor has no producer, or where a call is of a kind that is not followed.
        """
        if place.function is None:
            return None
        function = self._graph.function_index[place.function]
        names = [name for name, _ in function.inputs]
        if place.text not in names:
            return None
        position = names.index(place.text)
        sources = []
        for where, node, before in self._callers(function):
            texts = data_inputs(node)
            if before < 0 or before + position >= len(texts):
                return None
            sources.append(_Place(where, texts[before + position]))
        return sources

    def _callers(self, function: Function) -> list[tuple[str | None, Node, int]]:
        if self._calls is None:
            self._calls = {}
            for where, nodes in bodies_of(self._graph):
                for node in nodes:
                    for name, before in _called(node, self._graph):
                        self._calls.setdefault(name, []).append((where, node, before))
        return self._calls.get(function.name, [])


def bodies_of(graph: GraphModel) -> list[tuple[str | None, tuple[Node, ...]]]:
    """Return the top level, under None, and every function body, in stored order."""
    return [(None, graph.nodes), *((f.name, f.nodes) for f in graph.functions)]


def called_functions(node: Node, graph: GraphModel) -> Iterator[str]:
    """Yield the library functions that a node calls or hands on."""
    for name, _ in _called(node, graph):
        yield name


def data_inputs(node: Node) -> list[str]:
    """Return the inputs of a node without control inputs."""
    return [text for text in node.inputs if parse_input(text).output != CONTROL]


def constant_strings(node: Node) -> tuple[str, ...] | None:
    """Return the strings of a Const, None where it holds too many or something else."""
    value = node.attrs.get("value")
    if not isinstance(value, TensorValue) or value.dtype != "string":
        return None
    count = 1
    for size in value.shape:
        count *= size
    if count > _MAX_STRINGS:
        return None
    return tuple(
        text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
        for text in value.strings()
    )


def _called(node: Node, graph: GraphModel) -> Iterator[tuple[str, int]]:
    """Yield (function, inputs before its arguments); -1 where arguments are not inputs."""
    functions = graph.function_index
    if not functions:
        return
    if node.op in functions:
        yield node.op, 0
    for name in node.attrs:
        if name.startswith("_") or name in _PLAIN_ATTRS:
            continue
        for reference in _references(node.attrs[name]):
            if reference in functions:
                yield reference, _BEFORE.get(node.op, -1)


# attrs that hold no function, by far the most frequent ones
_PLAIN_ATTRS = frozenset(
    ("T", "dtype", "shape", "value", "Tin", "Tout", "N", "output_shapes", "Tidx", "Index")
)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, FunctionRef):
        yield value.name
    elif type(value) is tuple:  # list(func); other named tuples are values
        for item in value:
            yield from _references(item)

"""Nodes of two graphs, compared by name, and by their dataflow where the name is gone.

A node without its name is its op, its attrs and what flows in; two nodes that agree in that, and
in what takes their output, are the same node under two names. Values of large constants are not
looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from math import prod
from typing import Any

from graphmap.comparing.sections import Rename, Section, compare
from graphmap.errors import GraphmapError
from graphmap.model.graph import (
    AttrValue,
    FunctionRef,
    GraphModel,
    Node,
    ShapeValue,
    TensorValue,
)
from graphmap.names import InputRef, parse_input

__all__ = ["compare_functions", "compare_nodes"]

# attrs that an export adds, and those that carry names of nodes
_DERIVED = frozenset(("_output_shapes",))
_NAMED = _DERIVED | {"_class", "shared_name", "container", "debug_name"}
_LARGE = 1 << 16  # elements of a constant whose values are looked at


def compare_nodes(a: GraphModel, b: GraphModel, known: Mapping[str, str]) -> Section:
    """Compare the nodes of the top-level graphs.

    known: variables of A that have another name in B. An input that only follows its producer's
    new name is no change.
    """
    forms_a, forms_b = _Forms(a), _Forms(b)
    new_names: dict[str, str] = {}

    def renames(only_a: list[str], only_b: list[str]) -> list[Rename]:
        given = list(_known(only_a, set(only_b), known, a, b))
        done_a, done_b = {pair.a for pair in given}, {pair.b for pair in given}
        left_a = [name for name in only_a if name not in done_a]
        left_b = [name for name in only_b if name not in done_b]
        found = [*given, *_renames(left_a, left_b, forms_a, forms_b)]
        new_names.update((pair.a, pair.b) for pair in found)
        return found

    return compare(
        a.index,
        b.index,
        lambda x, y: _differences(a.nodes[a.index[x]], b.nodes[b.index[y]], new_names),
        renames,
    )


def _known(
    only_a: list[str], only_b: set[str], known: Mapping[str, str], a: GraphModel, b: GraphModel
) -> Iterator[Rename]:
    """Pair renamed variables, and what lies under their names, where the op is the same."""
    for name in only_a:
        head = name
        while head and head not in known:
            head = head.rpartition("/")[0]
        other = known[head] + name[len(head) :] if head else ""
        if other in only_b and a.nodes[a.index[name]].op == b.nodes[b.index[other]].op:
            yield Rename(name, other, "content")


def compare_functions(a: GraphModel, b: GraphModel) -> Section:
    """Compare the function bodies; names that end in a counter differ from export to export."""
    bodies_a = {name: _body(function.nodes) for name, function in a.function_index.items()}
    bodies_b = {name: _body(function.nodes) for name, function in b.function_index.items()}

    def fields(x: str, y: str) -> dict[str, tuple[Any, Any]]:
        if bodies_a[x] == bodies_b[y]:
            return {}
        count = len(a.function_index[x].nodes), len(b.function_index[y].nodes)
        return {"nodes": count} if count[0] != count[1] else {"body": ("differs", "differs")}

    def renames(only_a: list[str], only_b: list[str]) -> Iterator[Rename]:
        return _pair([(n, bodies_a[n]) for n in only_a], [(n, bodies_b[n]) for n in only_b])

    return compare(bodies_a, bodies_b, fields, renames)


def _differences(a: Node, b: Node, new_names: Mapping[str, str]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    if a.op != b.op:
        found["op"] = (a.op, b.op)
    if a.device != b.device:
        found["device"] = (a.device, b.device)
    inputs = [_follow(text, new_names) for text in a.inputs]
    if inputs != [parse_input(text) for text in b.inputs]:
        found["inputs"] = (" ".join(a.inputs), " ".join(b.inputs))
    ignored = _NAMED if new_names else _DERIVED
    for name in sorted({*a.attrs, *b.attrs} - ignored):
        one, other = (_plain(node.attrs[name]) if name in node.attrs else None for node in (a, b))
        if one != other:
            found[name] = (_shown(a.attrs.get(name)), _shown(b.attrs.get(name)))
    return found


def _follow(text: str, new_names: Mapping[str, str]) -> InputRef:
    name, output = parse_input(text)
    return InputRef(new_names.get(name, name), output)


def _renames(
    only_a: list[str], only_b: list[str], forms_a: _Forms, forms_b: _Forms
) -> Iterator[Rename]:
    """Pair by all that flows in and out; what is left, by what flows in where that is unique."""
    found = list(
        _pair([(n, forms_a.whole(n)) for n in only_a], [(n, forms_b.whole(n)) for n in only_b])
    )
    yield from found
    done_a, done_b = {pair.a for pair in found}, {pair.b for pair in found}
    yield from _pair(
        [(n, forms_a.above(n)) for n in only_a if n not in done_a],
        [(n, forms_b.above(n)) for n in only_b if n not in done_b],
        most=1,
    )


def _pair(
    a: Iterable[tuple[str, str]], b: Iterable[tuple[str, str]], most: int | None = None
) -> Iterator[Rename]:
    """Pair names of equal form where both sides have as many of it (at most `most`), in order."""
    by_form: dict[str, tuple[list[str], list[str]]] = {}
    for side, entries in enumerate((a, b)):
        for name, form in entries:
            by_form.setdefault(form, ([], []))[side].append(name)
    for names_a, names_b in by_form.values():
        if len(names_a) == len(names_b) and (most is None or len(names_a) <= most):
            for one, other in zip(names_a, names_b, strict=True):
                yield Rename(one, other, "content")


class _Forms:
    """Digests of what each node is without its name, computed on first use."""

    def __init__(self, graph: GraphModel) -> None:
        self._graph = graph

    def above(self, name: str) -> str:
        """Return the digest of a node with all that flows into it."""
        return self._above[self._graph.index[name]]

    def whole(self, name: str) -> str:
        """Return the digest of a node with all that flows in and all that takes its output."""
        return self._whole[self._graph.index[name]]

    @cached_property
    def _order(self) -> list[int]:
        return _in_order(self._graph.topology.inputs, self._graph.topology.controls)

    @cached_property
    def _above(self) -> list[str]:
        nodes, topology = self._graph.nodes, self._graph.topology
        found = [_digest(node.op, _plain_attrs(node)) for node in nodes]
        for position in self._order:
            inputs = [
                (found[producer], slot) if producer >= 0 else ("", slot)
                for producer, slot in topology.inputs[position]
            ]
            found[position] = _digest(found[position], inputs)
        return found

    @cached_property
    def _whole(self) -> list[str]:
        topology = self._graph.topology
        found = list(self._above)
        for position in reversed(self._order):
            users = sorted((found[user], at) for user, at in topology.consumers[position])
            found[position] = _digest(found[position], users)
        return found


def _in_order(inputs: list[list[tuple[int, int]]], controls: list[list[int]]) -> list[int]:
    """Return positions so that producers come first; what is on a cycle comes last, as stored."""
    producers = [
        {producer for producer, _ in data if producer >= 0} | {c for c in control if c >= 0}
        for data, control in zip(inputs, controls, strict=True)
    ]
    waiting = [len(found) for found in producers]
    users: list[list[int]] = [[] for _ in producers]
    for position, found in enumerate(producers):
        for producer in found:
            users[producer].append(position)
    ready = [position for position, count in enumerate(waiting) if not count]
    for position in ready:
        for user in users[position]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    done = set(ready)
    return ready + [position for position in range(len(producers)) if position not in done]


def _body(nodes: tuple[Node, ...]) -> str:
    """Return a digest of a function body; names inside it are its own."""
    return _digest([(n.name, n.op, n.inputs, _plain_attrs(n, functions=False)) for n in nodes])


def _plain_attrs(node: Node, functions: bool = True) -> list[tuple[str, Any]]:
    attrs: Mapping[str, AttrValue] = node.attrs
    found = [(name, attrs[name]) for name in sorted(attrs) if name not in _NAMED]
    return [
        (name, _plain(value))
        for name, value in found
        if functions or not isinstance(value, FunctionRef)
    ]


def _plain(value: AttrValue) -> Any:
    """Return a value that can be compared; a large constant is its type and shape."""
    if isinstance(value, TensorValue):
        if prod(value.shape) > _LARGE or min(value.shape, default=0) < 0:
            return ("tensor", value.dtype, value.shape)
        try:
            array = value.array()
        except GraphmapError:  # damaged, of which its reader warned, or of a type not known here
            return ("tensor", value.dtype, value.shape)
        content = array.tolist() if array.dtype == object else array.tobytes()
        return ("tensor", value.dtype, value.shape, _digest(content))
    if type(value) is tuple:
        return tuple(_plain(item) for item in value)
    if isinstance(value, float):
        return ("float", repr(value))  # nan is itself, -0.0 is not 0.0
    return (type(value).__name__, value)


def _shown(value: AttrValue | None) -> str:
    """Return an attr for people."""
    if value is None:
        return "-"
    if isinstance(value, TensorValue):
        shape = "[" + ",".join(map(str, value.shape)) + "]"
        if 0 <= prod(value.shape) <= 4:
            with suppress(GraphmapError):
                return f"{value.array().tolist()}"
        return f"{value.dtype} {shape}"
    if isinstance(value, ShapeValue):
        dims = value.dims
        return "?" if dims is None else str(["?" if size is None else size for size in dims])
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()

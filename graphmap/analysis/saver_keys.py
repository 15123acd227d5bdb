"""Which variable a checkpoint key belongs to, from the constants of the graph's own save ops.

A key need not be the variable's name: Saver({"old": w}) and object graphs choose others.
Source of the slice spec "20 5 0,10:0,5": TensorSlice::Parse in tensorflow/core/framework.
"""

from __future__ import annotations

from typing import NamedTuple

from graphmap.analysis.functions import body_graph, calls_of
from graphmap.analysis.writes import trace_variable
from graphmap.model.graph import GraphModel, TensorValue

__all__ = ["SavedKey", "find_saved_keys", "parse_slice"]

# op type: data inputs before the first tensor; names are input 1, slice specs input 2
_SAVE_OPS = {"SaveV2": 3, "SaveSlices": 3, "Save": 2}


class SavedKey(NamedTuple):
    """A checkpoint key and the variable node that is saved under it.

    offset, shape: where a part lies in the whole; () for a whole variable.
    """

    key: str
    node: int
    offset: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()


def find_saved_keys(graph: GraphModel, preferred_scope: str = "") -> tuple[SavedKey, ...]:
    """Return every pair that a save op of the graph, or of a function it calls, holds.

    Those of the saver in `preferred_scope` ("save_1") come first.
    """
    preferred: list[SavedKey] = []
    others: list[SavedKey] = []
    saving = _saving_functions(graph)
    for position, node in enumerate(graph.nodes):
        if node.op in _SAVE_OPS:
            found = [
                entry._replace(node=variable)
                for entry in _keys_of(graph, position)
                if (variable := trace_variable(graph, entry.node)) >= 0
            ]
        elif saving:
            found = _keys_of_calls(graph, position, saving)
        else:
            continue
        own = bool(preferred_scope) and node.name.startswith(f"{preferred_scope}/")
        (preferred if own else others).extend(found)
    return tuple(dict.fromkeys(preferred + others))


def parse_slice(spec: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return offset and shape of a slice spec; () and () for a whole variable.

    >>> parse_slice("20 5 0,10:0,5"), parse_slice("20 5 10,10:-"), parse_slice("")
    (((0, 0), (10, 5)), ((10, 0), (10, 5)), ((), ()))
    """
    *sizes, parts = spec.split() or [""]
    offset: list[int] = []
    shape: list[int] = []
    for size, part in zip(sizes, parts.split(":"), strict=False):
        start, _, length = part.partition(",")
        offset.append(0 if part == "-" else int(start))
        shape.append(int(size) if part == "-" else int(length))
    return tuple(offset), tuple(shape)


def _keys_of(graph: GraphModel, position: int) -> list[SavedKey]:
    """Return the keys of one save op; `node` is still the producer of the saved tensor."""
    inputs = graph.topology.inputs[position]
    first = _SAVE_OPS[graph.nodes[position].op]
    if len(inputs) < first:
        return []
    names = _strings(graph, inputs[1][0])
    slices = _strings(graph, inputs[2][0]) if first == 3 else [""] * len(names)
    found = []
    for name, spec, (producer, _) in zip(names, slices, inputs[first:], strict=False):
        try:
            offset, shape = parse_slice(spec)
        except ValueError:
            continue  # no slice spec that TensorFlow would take either
        found.append(SavedKey(name, producer, offset, shape))
    return found


def _strings(graph: GraphModel, position: int) -> list[str]:
    value = graph.nodes[position].attrs.get("value") if position >= 0 else None
    if not isinstance(value, TensorValue) or value.dtype != "string":
        return []
    return [
        entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)
        for entry in value.strings()
    ]


def _saving_functions(graph: GraphModel) -> frozenset[str]:
    return frozenset(
        function.name
        for function in graph.functions
        if any(node.op in _SAVE_OPS for node in function.nodes)
    )


def _keys_of_calls(graph: GraphModel, position: int, saving: frozenset[str]) -> list[SavedKey]:
    found = []
    inputs = graph.topology.inputs[position]
    for name, skipped in calls_of(graph.nodes[position], graph):
        if name not in saving:
            continue
        function = graph.function_index[name]
        body = body_graph(function, graph)
        for at, node in enumerate(body.nodes):
            if node.op not in _SAVE_OPS:
                continue
            for entry in _keys_of(body, at):
                argument = trace_variable(body, entry.node) + skipped
                if skipped <= argument < len(inputs):
                    variable = trace_variable(graph, inputs[argument][0])
                    if variable >= 0:
                        found.append(entry._replace(node=variable))
    return found

"""What the checks of a graph ask of its nodes' attrs, gathered in one pass.

Attrs are decoded on access, and a reader may let go of them once it has passed a node: whatever
all nodes have to be asked is asked here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from graphmap.model.graph import AttrValue, FunctionRef, GraphModel, Node, TensorValue

__all__ = ["AttrFacts", "GraphFacts", "gather_calls", "gather_values", "graph_facts"]


class AttrFacts:
    """Of the nodes of one body, the top level or a function.

    places: node name -> positions of those that are colocated with it. typeless: positions of
    nodes whose attr dtype is no type. constants: defect -> names of the Const nodes that have it.
    calls: function name -> how often attrs name it.
    """

    __slots__ = ("calls", "constants", "places", "typeless")

    def __init__(self) -> None:
        self.places: dict[str, list[int]] = {}
        self.typeless: list[int] = []
        self.constants: dict[str, list[str]] = {}
        self.calls: dict[str, int] = {}


class GraphFacts(NamedTuple):
    """Of the top level, and of the function bodies in stored order."""

    top: AttrFacts
    bodies: tuple[AttrFacts, ...]


def graph_facts(graph: GraphModel) -> GraphFacts:
    """Return what the reader gathered, or go over all attrs now."""
    if graph.facts is None:
        top, bodies = AttrFacts(), tuple(AttrFacts() for _ in graph.functions)
        gather_calls(graph.nodes, top)
        gather_values(graph.nodes, top)
        for function, facts in zip(graph.functions, bodies, strict=True):
            gather_calls(function.nodes, facts)
            gather_values(function.nodes, facts, in_body=True)
        graph.facts = GraphFacts(top, bodies)
    return graph.facts


def gather_calls(nodes: Iterable[Node], facts: AttrFacts) -> None:
    """Add the functions that attrs of some nodes name."""
    for node in nodes:
        for name in _references(node):
            facts.calls[name] = facts.calls.get(name, 0) + 1


def gather_values(
    nodes: Sequence[Node], facts: AttrFacts, start: int = 0, *, in_body: bool = False
) -> None:
    """Add what else the attrs of some nodes say; start: the position of the first."""
    for position, (name, op, _, _, attrs) in enumerate(nodes, start):
        if op == "Const":
            defect = _constant_defect(attrs.get("value"), attrs.get("dtype"), in_body)
            if defect:
                facts.constants.setdefault(defect, []).append(name)
        if in_body:
            continue
        if "_class" in attrs:
            for place in _places(attrs["_class"]):
                facts.places.setdefault(place, []).append(position)
        if "dtype" in attrs and not isinstance(attrs["dtype"], str):
            facts.typeless.append(position)


def _places(value: AttrValue) -> Iterator[str]:
    """Yield the nodes that a `_class` attr names."""
    if isinstance(value, tuple):
        for place in value:
            if isinstance(place, bytes) and place.startswith(b"loc:@"):
                yield place[5:].decode("utf-8", "backslashreplace")


def _constant_defect(value: AttrValue | None, dtype: AttrValue | None, in_body: bool) -> str:
    """Say why the stored values of a constant cannot be those of its type and shape, or ""."""
    if not isinstance(value, TensorValue):
        # in a body the call may fill the attr in
        return "" if in_body and isinstance(value, str) else "holds no value"
    if isinstance(dtype, str) and dtype != value.dtype and not in_body:
        return f"is said to be {dtype} and holds {value.dtype}"
    return value.defect()


def _references(node: Node) -> Iterable[str]:
    named = getattr(node.attrs, "functions", None)  # a reader's attrs know without decoding all
    if named is not None:
        return filter(None, named())
    return (name for value in node.attrs.values() for name in _functions(value))


def _functions(value: AttrValue) -> Iterator[str]:
    if isinstance(value, FunctionRef):
        if value.name:
            yield value.name
    elif type(value) is tuple:  # list(func); other named tuples are values
        for item in value:
            if not isinstance(item, FunctionRef):
                break
            yield from _functions(item)

"""What the checks of a graph ask of its nodes' attrs, gathered in one pass.

Attrs are decoded on access, which is dear: a reader that knows which nodes have equal attrs asks
once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from graphmap.model.graph import AttrValue, FunctionRef, GraphModel, Node, TensorValue

__all__ = [
    "NOTHING",
    "AttrFacts",
    "GraphFacts",
    "Told",
    "constant_defect",
    "graph_facts",
    "places_of",
    "told_by",
]


class Told(NamedTuple):
    """What the attrs of one node say.

    places: the nodes that it is colocated with. is_typeless: its attr dtype is no type.
    calls: the functions that attrs name.
    """

    places: tuple[str, ...] = ()
    is_typeless: bool = False
    calls: tuple[str, ...] = ()


NOTHING = Told()


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

    def add(self, told: Told, position: int) -> None:
        """Add what the node at a position says."""
        for place in told.places:
            self.places.setdefault(place, []).append(position)
        if told.is_typeless:
            self.typeless.append(position)
        for name in told.calls:
            self.calls[name] = self.calls.get(name, 0) + 1


class GraphFacts(NamedTuple):
    """Of the top level, and of the function bodies in stored order."""

    top: AttrFacts
    bodies: tuple[AttrFacts, ...]


def graph_facts(graph: GraphModel) -> GraphFacts:
    """Return what the reader gathered, or go over all attrs now."""
    if graph.facts is None:
        bodies = tuple(_gather(function.nodes, in_body=True) for function in graph.functions)
        graph.facts = GraphFacts(_gather(graph.nodes, in_body=False), bodies)
    return graph.facts


def _gather(nodes: Iterable[Node], *, in_body: bool) -> AttrFacts:
    facts = AttrFacts()
    for position, node in enumerate(nodes):
        facts.add(told_by(node.attrs, in_body=in_body), position)
        if node.op == "Const" and (defect := constant_defect(node.attrs, in_body=in_body)):
            facts.constants.setdefault(defect, []).append(node.name)
    return facts


def told_by(attrs: Mapping[str, AttrValue], *, in_body: bool) -> Told:
    """Return what the attrs of a node say; those of a body are its caller's to place and type."""
    told: Callable[..., Told] | None = getattr(attrs, "told", None)
    if told is not None:  # a reader's attrs know without decoding all
        return told(in_body=in_body)
    calls = tuple(name for value in attrs.values() for name in _functions(value))
    if in_body:
        return Told(calls=calls) if calls else NOTHING
    stated = attrs.get("_class")
    places = tuple(places_of(stated)) if isinstance(stated, tuple) else ()
    is_typeless = "dtype" in attrs and not isinstance(attrs["dtype"], str)
    return Told(places, is_typeless, calls) if places or is_typeless or calls else NOTHING


def constant_defect(attrs: Mapping[str, AttrValue], *, in_body: bool) -> str:
    """Say why the stored values of a constant cannot be those of its type and shape, or ""."""
    value, dtype = attrs.get("value"), attrs.get("dtype")
    if not isinstance(value, TensorValue):
        # in a body the call may fill the attr in
        return "" if in_body and isinstance(value, str) else "holds no value"
    if isinstance(dtype, str) and dtype != value.dtype and not in_body:
        return f"is said to be {dtype} and holds {value.dtype}"
    return value.defect()


def places_of(stated: Iterable[AttrValue]) -> Iterator[str]:
    """Yield the nodes that a `_class` attr names."""
    for place in stated:
        if isinstance(place, bytes) and place.startswith(b"loc:@"):
            yield place[5:].decode("utf-8", "backslashreplace")


def _functions(value: AttrValue) -> Iterator[str]:
    if isinstance(value, FunctionRef):
        if value.name:
            yield value.name
    elif type(value) is tuple:  # list(func); other named tuples are values
        for item in value:
            if not isinstance(item, FunctionRef):
                break
            yield from _functions(item)

"""Variables that the graph declares in another shape or type than the container stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from graphmap.model.graph import Dims, GraphModel, Node, ShapeValue
from graphmap.model.sentences import examples
from graphmap.model.variable import Variable

__all__ = ["Mismatch", "find_mismatches", "mismatches"]

_SHAPELESS = "Variable"  # the op of before TensorFlow 0.12 writes [] for an unknown shape


class Mismatch(NamedTuple):
    """A variable of which graph and container tell different things; what: "shape" or "type"."""

    variable: Variable
    what: str
    declared: object
    stored: object

    def __str__(self) -> str:
        return (
            f"{self.variable.name}: the graph has {self.what} {self.declared}, "
            f"the files {self.stored}"
        )


def mismatches(graph: GraphModel, variables: Iterable[Variable]) -> Iterator[Mismatch]:
    """Yield each contradiction between graph and container; not of variables in pieces."""
    for variable in variables:
        if variable.checkpoint_key is None or variable.node is None:
            continue
        node = graph.find(variable.node)
        if node is None:
            continue
        declared = node.attrs.get("shape")
        dtype = node.attrs.get("dtype")
        dims = _dims(node, declared) if isinstance(declared, ShapeValue) else None
        if dims is not None and variable.shape is not None and not _fits(dims, variable.shape):
            yield Mismatch(variable, "shape", list(dims), list(variable.shape))
        if isinstance(dtype, str) and variable.dtype is not None and dtype != variable.dtype:
            yield Mismatch(variable, "type", dtype, variable.dtype)


def find_mismatches(graph: GraphModel, variables: Iterable[Variable]) -> tuple[str, ...]:
    """Return one sentence for each kind of contradiction between graph and container."""
    found = list(mismatches(graph, variables))
    names = {what: [m.variable.name for m in found if m.what == what] for what in ("shape", "type")}
    return tuple(
        f"graph and checkpoint differ in the {what} of {examples(own)}"
        for what, own in names.items()
        if own
    )


def _dims(node: Node, declared: ShapeValue) -> Dims:
    return declared.dims or (None if node.op == _SHAPELESS else declared.dims)


def _fits(declared: Dims, stored: Dims) -> bool:
    if declared is None or stored is None:
        return True
    return len(declared) == len(stored) and all(
        None in (a, b) or a == b for a, b in zip(declared, stored, strict=True)
    )

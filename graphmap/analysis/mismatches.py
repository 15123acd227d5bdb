"""Variables that the graph declares in another shape or type than the container stores."""

from __future__ import annotations

from collections.abc import Iterable

from graphmap.model.graph import Dims, GraphModel, Node, ShapeValue
from graphmap.model.sentences import examples
from graphmap.model.variable import Variable

__all__ = ["find_mismatches"]

_SHAPELESS = "Variable"  # the op of before TensorFlow 0.12 writes [] for an unknown shape


def find_mismatches(graph: GraphModel, variables: Iterable[Variable]) -> tuple[str, ...]:
    """Return one sentence for each kind of contradiction between graph and container."""
    shapes, dtypes = [], []
    for variable in variables:
        if variable.checkpoint_key is None or variable.node is None:
            continue
        node = graph.find(variable.node)
        if node is None:
            continue
        declared = node.attrs.get("shape")
        dtype = node.attrs.get("dtype")
        if isinstance(declared, ShapeValue) and not _fits(_dims(node, declared), variable.shape):
            shapes.append(variable.name)
        if isinstance(dtype, str) and variable.dtype is not None and dtype != variable.dtype:
            dtypes.append(variable.name)
    found = []
    if shapes:
        found.append(f"graph and checkpoint differ in the shape of {examples(shapes)}")
    if dtypes:
        found.append(f"graph and checkpoint differ in the type of {examples(dtypes)}")
    return tuple(found)


def _dims(node: Node, declared: ShapeValue) -> Dims:
    return declared.dims or (None if node.op == _SHAPELESS else declared.dims)


def _fits(declared: Dims, stored: Dims) -> bool:
    if declared is None or stored is None:
        return True
    return len(declared) == len(stored) and all(
        None in (a, b) or a == b for a, b in zip(declared, stored, strict=True)
    )

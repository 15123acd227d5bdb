"""Constants whose stored values cannot be those of their type and shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphmap.model.graph import Node, TensorValue
from graphmap.model.sentences import examples

__all__ = ["constant_defects"]


def constant_defects(nodes: Iterable[Node], inside: str = "") -> tuple[str, ...]:
    """Return one sentence for each kind of damage; inside: the function that holds the nodes."""
    found: dict[str, list[str]] = {}
    for name, defect in _defects(nodes, bool(inside)):
        found.setdefault(defect, []).append(name)
    place = f" in function {inside}" if inside else ""
    return tuple(f"constant {examples(names)}{place} {defect}" for defect, names in found.items())


def _defects(nodes: Iterable[Node], in_body: bool) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if node.op != "Const":
            continue
        value, dtype = node.attrs.get("value"), node.attrs.get("dtype")
        if not isinstance(value, TensorValue):
            if not (in_body and isinstance(value, str)):  # an attr that the call fills in
                yield node.name, "holds no value"
        elif isinstance(dtype, str) and dtype != value.dtype and not in_body:
            yield node.name, f"is said to be {dtype} and holds {value.dtype}"
        elif defect := value.defect():
            yield node.name, defect

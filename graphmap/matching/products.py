"""Products that are made symmetric: either factor may be the left one.

`m = a b'`, then `m + m'`: to exchange the factors transposes the product, and the sum is the same.
"""

from __future__ import annotations

from graphmap.matching.forward import COMMUTATIVE, Forward, unordered
from graphmap.model.graph import GraphModel

__all__ = ["free_products"]

FLAGS = ("transpose_a", "transpose_b")  # of MatMul; one of them makes it a row of row by row


def free_products(forward: Forward, graph: GraphModel) -> Forward:
    """Return the forward part with the two ports of products that are made symmetric as one."""
    consumers: list[set[int]] = [set() for _ in forward.classes]
    for at, row in enumerate(forward.inputs):
        for _, _, source in row:
            consumers[source].add(at)
    free = {
        at
        for at, name in enumerate(forward.classes)
        if name == "MatMul" and len(consumers[at]) == 2 and _is_symmetric(at, consumers, forward)
        if _is_crossed(at, forward, graph)
    }
    return unordered(forward, free) if free else forward


def _is_symmetric(at: int, consumers: list[set[int]], forward: Forward) -> bool:
    """Whether a value meets nothing but its own transpose, in an op without an order."""
    for turned in consumers[at]:
        if forward.classes[turned] == "Transpose" and len(consumers[turned]) == 1:
            meeting = consumers[turned] & consumers[at]
            if any(forward.classes[op] in COMMUTATIVE for op in meeting):
                return True
    return False


def _is_crossed(at: int, forward: Forward, graph: GraphModel) -> bool:
    node = graph.nodes[forward.nodes[at]]
    return node.op == "MatMul" and sum(bool(node.attrs.get(flag)) for flag in FLAGS) == 1

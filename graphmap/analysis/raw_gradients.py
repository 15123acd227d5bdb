"""Where the gradients of a `tf.gradients` call leave its scope, and which variable each is of.

A tensor of a gradient scope that an op outside of it takes is a raw gradient. It belongs to the
variable whose update it reaches by ops that work element by element; a global norm reaches every
update, but by a reduction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from graphmap.analysis.gradients import TensorRef, gradient_scope_of
from graphmap.analysis.updates import Training, upstream
from graphmap.errors import ReconstructionError

__all__ = ["RawGradient", "raw_gradients"]

_ELEMENTWISE = frozenset(
    {
        "Identity", "Mul", "RealDiv", "Div", "DivNoNan", "Maximum", "Minimum", "ClipByValue", "Add",
        "AddV2", "AddN", "Sub", "Neg", "Cast", "Select", "SelectV2", "Switch", "Merge", "Reshape",
        "UnsortedSegmentSum", "Square", "Sqrt", "Rsqrt", "CheckNumerics", "Sign", "Abs", "Pow",
        "ConcatV2", "Concat", "ExpandDims", "Pack", "StopGradient", "IdentityN",
        "Snapshot", "DeepCopy",
    }
)  # fmt: skip
_OVER_A_STACK = frozenset({"Sum", "Mean"})
_STACKS = frozenset({"Pack", "ConcatV2", "Concat"})
_INDEX_OPS = frozenset({"Unique", "UniqueV2", "Identity", "ConcatV2", "Concat"})


class RawGradient(NamedTuple):
    """One gradient as `tf.gradients` returned it.

    variable: whose gradient it is, a position. tensor: its values. indices: which rows they are
    of, for IndexedSlices. seeds: the seeds that it depends on.
    """

    variable: int
    tensor: TensorRef
    indices: TensorRef | None
    seeds: frozenset[int]


def raw_gradients(training: Training, roots: Iterable[int]) -> list[RawGradient]:
    """Return the raw gradients behind the updates that these train ops run.

    Raises ReconstructionError where one cannot be told to be of one variable.
    """
    graph = training.graph
    cone = upstream(graph, roots)
    seeds = {seed.node for call in training.calls for seed in call.seeds}
    owners: dict[TensorRef, int] = {}
    indices: dict[int, TensorRef | None] = {}
    for update in sorted(at for at in training.updates if at in cone):
        written = [v for v in training.writes.by_node[update].variables
                   if v in training.forward_variables]  # fmt: skip
        if not written:
            continue
        found = _reached(training, update)
        for tensor in found:
            if owners.setdefault(tensor, written[0]) != written[0]:
                raise ReconstructionError(
                    "is used by the updates of several variables, so nobody can say of which "
                    "its gradient is",
                    where=graph.nodes[tensor.node].name,
                    remedy="Leave gradient_transform out, and pass the loss of the same ops.",
                )
        rows = _rows(training, update)
        if rows is not None or written[0] not in indices:
            indices[written[0]] = rows
    return [
        RawGradient(variable, tensor, indices.get(variable),
                    frozenset(seeds & set(upstream(graph, [tensor.node], controls=False))))
        for tensor, variable in owners.items()
    ]  # fmt: skip


def _is_inside(training: Training, position: int) -> bool:
    name = training.graph.nodes[position].name
    return gradient_scope_of(name, training.scopes) is not None


def _reached(training: Training, update: int) -> list[TensorRef]:
    graph = training.graph
    found: dict[TensorRef, None] = {}
    seen: set[TensorRef] = set()
    stack = [TensorRef(*source) for source in graph.topology.inputs[update][1:]]
    while stack:
        tensor = stack.pop()
        if tensor in seen or tensor.node < 0 or not training.tainted[tensor.node]:
            continue
        seen.add(tensor)
        if _is_inside(training, tensor.node):
            found[tensor] = None
        elif _is_of_elements(training, tensor.node):
            stack.extend(TensorRef(*source) for source in graph.topology.inputs[tensor.node])
    return sorted(found)


def _is_of_elements(training: Training, position: int) -> bool:
    """Whether an element of the result is made of the same element of its inputs.

    A sum is, over a stack of towers; a norm is not.
    """
    graph = training.graph
    op = graph.nodes[position].op
    if op not in _OVER_A_STACK:
        return op in _ELEMENTWISE
    source = graph.topology.inputs[position][0][0]
    return source >= 0 and graph.nodes[source].op in _STACKS


def _rows(training: Training, update: int) -> TensorRef | None:
    """Return the indices of the rows that an update writes, as the gradient scope gives them."""
    graph = training.graph
    if "Sparse" not in graph.nodes[update].op and "Scatter" not in graph.nodes[update].op:
        return None
    stack = [TensorRef(*source) for source in graph.topology.inputs[update][1:]]
    seen: set[TensorRef] = set()
    while stack:
        tensor = stack.pop()
        if tensor in seen or tensor.node < 0 or training.tainted[tensor.node]:
            continue
        seen.add(tensor)
        if _is_inside(training, tensor.node):
            return tensor
        if graph.nodes[tensor.node].op in _INDEX_OPS:
            stack.append(TensorRef(*graph.topology.inputs[tensor.node][0]))
    return None

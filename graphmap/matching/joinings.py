"""Parts that are joined and then reduced: components of a mixture, members of an ensemble.

`mean(stack([a, b]))` is `mean(stack([b, a]))`: where all that follows treats the joined parts alike
until a reduction makes one of them, or all are sorted, their order is the writer's, and tells no
part from another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from graphmap.matching.forward import Forward, unordered
from graphmap.model.graph import GraphModel, Node, TensorValue

__all__ = ["free_joinings"]

JOINING = frozenset({"Concat", "Pack"})
REDUCING = frozenset({"EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"})
SORTING = "TopK"  # along the last axis, so that what comes out has one order whatever went in
# What does to each part the same: element by element, or over the axis of the parts.
ALIKE = frozenset(
    {
        *("Abs", "ClipByValue", "Cos", "Elu", "Erf", "Exp", "Expm1", "LeakyRelu", "Log", "Log1p"),
        *("LogSoftmax", "Neg", "Pow", "Reciprocal", "Relu", "Relu6", "Rsqrt", "Selu", "Sigmoid"),
        *("Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Square", "Tanh"),
        *("Add", "DivNoNan", "Maximum", "Minimum", "Mul", "RealDiv", "SquaredDifference", "Sub"),
    }
)
SPREADING = REDUCING | {"ExpandDims"}  # its value is one for all parts
RANKS = {"AvgPool": 4, "Conv2D": 4, "Conv3D": 5, "DepthwiseConv2dNative": 4, "MaxPool": 4}
MOST_AXES = 16  # of a constant that is read


class Axes(NamedTuple):
    """Which axes of a tensor an op works on, and how many that tensor has; None where unknown."""

    axes: tuple[int, ...] | None
    rank: int | None


def free_joinings(forward: Forward, graph: GraphModel, scalars: Collection[int] = ()) -> Forward:
    """Return the forward part with ports of free joinings as one: inputs whose order is nothing.

    scalars: numbers of variables of one element, which do the same to all parts.

    Joinings that meet on the way, such as the means and the shares of a mixture, are free together
    or not at all.
    """
    carried = _Carried(forward, graph, scalars)
    free = carried.free()
    return unordered(forward, free) if free else forward


class _Carried:
    """Follows the axis of joined parts from each joining to where it ends."""

    def __init__(self, forward: Forward, graph: GraphModel, scalars: Collection[int]) -> None:
        self.forward = forward
        self.graph = graph
        self.entered = {
            place.op
            for number, places in forward.places.items()
            if number not in scalars
            for place in places
        }
        self.seen: set[int] = set()  # joinings whose order something tells
        self.groups: dict[int, int] = {}  # joining: another of its group, itself at the end
        self.ranks: list[int | None] = []
        self.spread: list[bool] = []  # of each op, whether its value is one for all parts

    def free(self) -> set[int]:
        classes, inputs = self.forward.classes, self.forward.inputs
        carried: dict[int, int] = {}  # op: a joining whose parts lie side by side in its value
        used = {source for row in inputs for _, _, source in row}
        for at, row in enumerate(inputs):
            self.ranks.append(self._rank(at))
            only_spread = bool(row) and all(self.spread[s] for _, _, s in row)
            self.spread.append(classes[at] in SPREADING or only_spread)
            given = {carried[s] for _, _, s in row if s in carried}
            if given:
                joining = min(given)
                if self._keeps(at, given, carried):
                    for other in given:
                        self._join(other, joining)
                    carried[at] = joining
                elif not self._reduces(at, joining):
                    self.seen |= given
            elif classes[at] in JOINING and len({s for _, _, s in row}) > 1:
                self.groups[at] = at
                carried[at] = at
            if at in carried and at not in used:
                self.seen.add(carried[at])
        told = {self._head(at) for at in self.seen}
        return {at for at in self.groups if self._head(at) not in told}

    def _keeps(self, at: int, given: set[int], carried: Mapping[int, int]) -> bool:
        """Whether the parts lie side by side behind this op, as they did before it."""
        if self.forward.classes[at] not in ALIKE or at in self.entered:
            return False
        if len({len(self.forward.inputs[joining]) for joining in given}) > 1:
            return False
        return all(
            source in carried or self.spread[source] for _, _, source in self.forward.inputs[at]
        )

    def _reduces(self, at: int, joining: int) -> bool:
        """Whether this op makes one of all parts; where axes are unknown, it is taken to."""
        if self.forward.classes[at] not in {*REDUCING, SORTING} or at in self.entered:
            return False
        joined, reduced = self._axes(joining), self._axes(at)
        if joined.axes is None or reduced.axes is None:
            return True
        if joined.axes[0] in reduced.axes:
            return True
        if joined.rank is None:
            return any((axis < 0) != (joined.axes[0] < 0) for axis in reduced.axes)
        return joined.axes[0] % joined.rank in {axis % joined.rank for axis in reduced.axes}

    def _axes(self, at: int) -> Axes:
        node = self.graph.nodes[self.forward.nodes[at]]
        if node.op == "Pack":
            axis = node.attrs.get("axis", 0)
            return Axes((axis,) if isinstance(axis, int) else None, self.ranks[at])
        if self.forward.classes[at] == SORTING:
            return Axes((-1,), self.ranks[at])
        sources = self.graph.topology.inputs[self.forward.nodes[at]]
        if not sources:
            return Axes(None, None)
        source = sources[0 if node.op == "Concat" else -1][0]
        return Axes(_numbers(self.graph.nodes[source]) if source >= 0 else None, self.ranks[at])

    def _rank(self, at: int) -> int | None:
        """Return how many axes the value of an op has, where ops that have few forms tell."""
        name = self.forward.classes[at]
        if self.graph.nodes[self.forward.nodes[at]].op == "MatMul":
            return 2
        known = [self.ranks[s] for _, _, s in self.forward.inputs[at]]
        if name in RANKS or not (name in ALIKE or name in JOINING or name == "Norm"):
            return RANKS.get(name)
        ranks = [rank for rank in known if rank is not None]
        return max(ranks) + (name == "Pack") if ranks else None

    def _head(self, joining: int) -> int:
        while self.groups[joining] != joining:
            joining = self.groups[joining]
        return joining

    def _join(self, joining: int, other: int) -> None:
        self.groups[self._head(joining)] = self._head(other)


def _numbers(node: Node) -> tuple[int, ...] | None:
    """Return the whole numbers of a short Const."""
    value = node.attrs.get("value") if node.op == "Const" else None
    if not isinstance(value, TensorValue) or value.dtype not in {"int32", "int64"}:
        return None
    if len(value.shape) > 1 or (value.shape and not 0 < value.shape[0] <= MOST_AXES):
        return None
    return tuple(int(number) for number in value.array().reshape(-1))

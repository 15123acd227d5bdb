"""The model proper: visible ops, the edges between them, and the variables each one uses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import prod

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.updates import upstream
from graphmap.model.graph import (
    NEXT_ITERATION_OPS,
    Dims,
    GraphModel,
    Node,
    ShapeValue,
    TensorValue,
)
from graphmap.model.stored import StoredModel
from graphmap.names import op_name
from graphmap.render.optable import INPUT_OPS, RANDOM_OPS, TRANSPARENT, is_parameter_input
from graphmap.render.roles import Roles

__all__ = [
    "Forward", "find_forward", "is_loop_state", "output_shape", "parameter_count",
    "variable_shape",
]  # fmt: skip

_READS = frozenset({"Identity", "RefIdentity", "ReadVariableOp", "Enter", "RefEnter", "Cast"})
_FLOATS = frozenset({"float32", "float64", "float16", "bfloat16"})
_NOISE_HOPS, _NOISE_WIDTH = 3, 200
_WRITES = frozenset({"TensorArrayWriteV2", "TensorArrayWriteV3"})
_FLOWS = _WRITES | {"TensorArrayScatterV3", "TensorArraySplitV3"}  # their output is a flow
_NESTED = 20  # loops in each other
_IDENTITIES = 8  # in a row between a write and the next round
_OLD_SHAPES = 24  # GraphDef producer below which an empty `shape` of a Placeholder means unknown


@dataclass(frozen=True, slots=True)
class Forward:
    """All integers are positions in graph.nodes.

    ops: visible ops, in node order. producers: the visible ops that each takes data from.
    weights: variables (in frozen graphs: Consts) that each uses, in input order.
    outputs: what signatures return. hidden: {node: why it is not drawn} for the
    rest of the model.
    """

    ops: tuple[int, ...]
    producers: dict[int, tuple[int, ...]]
    weights: dict[int, tuple[int, ...]]
    losses: frozenset[int]
    outputs: frozenset[int]
    knobs: tuple[str, ...]
    hidden: dict[int, str]


def find_forward(stored: StoredModel, graph: GraphModel, roles: Roles) -> Forward:
    """Return the model of a graph: what is neither training, plumbing nor a parameter of an op."""
    builder = _Builder(stored, graph, roles)
    live = _live(graph, builder)
    builder.knobs = frozenset(position for position in builder.knobs if position in live)
    for position in roles.order:
        if position in live or roles.role[position] not in ("model", "input"):
            builder.visit(position)
        else:
            builder.hidden[position] = "used by no signature"
    return builder.result()


def _live(graph: GraphModel, builder: _Builder) -> Collection[int]:
    """Return what signatures need; all where there is a loss or no signature."""
    if builder.losses or not builder.outputs:
        return range(len(graph.nodes))
    return upstream(graph, builder.outputs, controls=False)


class _Builder:
    def __init__(self, stored: StoredModel, graph: GraphModel, roles: Roles) -> None:
        self.graph = graph
        self.roles = roles
        self.losses = frozenset(roles.losses)
        self.outputs = _signature_outputs(stored, graph)
        self.is_frozen = not any(node.op in VARIABLE_OPS for node in graph.nodes)
        self.knobs = _find_knobs(graph, roles)
        self.ops: list[int] = []
        self.producers: dict[int, tuple[int, ...]] = {}
        self.weights: dict[int, tuple[int, ...]] = {}
        self.hidden: dict[int, str] = {}
        # Whether a value is random and owes nothing to an input: noise, or what a generator takes.
        self.random = [False] * len(graph.nodes)
        # Where a TensorArray leaves a loop: what wrote it there, which may be visited later.
        self.exits: dict[int, int] = {}
        # What a consumer of each node sees: visible ops, and variables.
        self.sources: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())] * len(graph.nodes)

    def visit(self, position: int) -> None:
        role, node = self.roles.role[position], self.graph.nodes[position]
        producers = [p for p, _ in self.graph.topology.inputs[position] if p >= 0]
        self.random[position] = node.op in RANDOM_OPS or any(self.random[p] for p in producers)
        if role in ("variable", "slot", "step"):
            if role == "variable" or node.op in VARIABLE_OPS:
                self.sources[position] = ((), (position,))
            if role == "variable":
                self.hidden[position] = "variables, shown as text"
        elif role == "constant":
            if self.is_frozen and _is_frozen_weight(node):
                self.sources[position] = ((), (position,))
                self.hidden[position] = "weights, shown as text"
            else:
                self.hidden[position] = "constants and random numbers"
        elif role == "parameter":
            self.hidden[position] = "shape arithmetic, op parameters"
        elif role == "input":
            self._visit_input(position)
        elif role == "model":
            self._visit_model(position, node)

    def _visit_input(self, position: int) -> None:
        if position in self.knobs:
            self.hidden[position] = "knobs"
        else:
            self._show(position, (), ())

    def _visit_model(self, position: int, node: Node) -> None:
        inputs = self.graph.topology.inputs[position]
        data: dict[int, None] = {}
        weights: dict[int, None] = {}
        for place, (producer, _) in enumerate(inputs):
            if producer >= 0 and not is_parameter_input(node.op, place, len(inputs)):
                found = self.sources[producer]
                data.update(dict.fromkeys(found[0]))
                weights.update(dict.fromkeys(found[1]))
        seen = (tuple(data), tuple(weights))
        if node.op in _READS and weights and not data:
            self.sources[position] = seen
            self.hidden[position] = "reads of variables"
        elif position in self.losses or is_loop_state(self.graph, position):
            self._show(position, *seen)
        elif node.op in TRANSPARENT and position not in self.outputs:
            written = _written_in_loop(self.graph, position)
            if written >= 0:
                self.exits[position] = written
                seen = ((position,), ())
            self.sources[position] = seen
            self.hidden[position] = "identities"
        elif data or position in self.outputs or (weights and self.random[position]):
            self._show(position, *seen)
        elif weights:  # a penalty ends here; a rewritten weight is still that weight
            is_penalty = node.op == "L2Loss" or output_shape(self.graph, position) == ()
            self.sources[position] = ((), () if is_penalty else seen[1])
            self.hidden[position] = "arithmetic on weights alone"
        else:
            self.hidden[position] = "constants and random numbers"

    def _show(self, position: int, data: tuple[int, ...], weights: tuple[int, ...]) -> None:
        self.ops.append(position)
        self.producers[position] = data
        self.weights[position] = weights
        self.sources[position] = ((position,), ())

    def _resolved(self, producers: tuple[int, ...], depth: int = 0) -> tuple[int, ...]:
        found: dict[int, None] = {}
        for producer in producers:
            if producer not in self.exits:
                found[producer] = None
            elif depth < _NESTED:
                inner = self.sources[self.exits[producer]][0]
                found.update(dict.fromkeys(self._resolved(inner, depth + 1)))
        return tuple(found)

    def result(self) -> Forward:
        ops = tuple(sorted(self.ops))
        if self.exits:
            self.producers = {op: self._resolved(found) for op, found in self.producers.items()}
        knobs = tuple(self.graph.nodes[position].name for position in sorted(self.knobs))
        return Forward(
            ops, self.producers, self.weights, self.losses, self.outputs, knobs, self.hidden
        )


def is_loop_state(graph: GraphModel, position: int) -> bool:
    """Whether a node is where a loop's value comes round; counters of integers are not meant."""
    node = graph.nodes[position]
    if node.op not in ("Merge", "RefMerge") or node.attrs.get("T") in ("int32", "int64", "bool"):
        return False
    producers = [producer for producer, _ in graph.topology.inputs[position] if producer >= 0]
    comes_round = any(graph.nodes[p].op in NEXT_ITERATION_OPS for p in producers)
    return comes_round and _next_array(graph, position) < 0


def _next_array(graph: GraphModel, merge: int) -> int:
    """Return the write of a TensorArray whose flow comes round to a Merge, else -1."""
    for producer, _ in graph.topology.inputs[merge][:2]:  # that of a loop has just two
        if producer >= 0 and graph.nodes[producer].op in NEXT_ITERATION_OPS:
            written = _first_input(graph, producer)
            for _ in range(_IDENTITIES):
                if written < 0 or graph.nodes[written].op != "Identity":
                    break
                written = _first_input(graph, written)
            if written >= 0 and graph.nodes[written].op in _WRITES:
                return written
    return -1


def _written_in_loop(graph: GraphModel, position: int) -> int:
    """Return the write behind an Exit that hands out a TensorArray's flow, -1 for anything else."""
    for wanted in (("Exit", "RefExit"), ("Switch", "RefSwitch")):
        if position < 0 or graph.nodes[position].op not in wanted:
            return -1
        position = _first_input(graph, position)
    if position < 0 or graph.nodes[position].op not in ("Merge", "RefMerge"):
        return -1
    return _next_array(graph, position)


def _first_input(graph: GraphModel, position: int) -> int:
    inputs = graph.topology.inputs[position]
    return inputs[0][0] if inputs else -1


def _signature_outputs(stored: StoredModel, graph: GraphModel) -> frozenset[int]:
    found = set()
    for signature in stored.meta.signatures.values():
        for info in signature.outputs.values():
            position = graph.index.get(op_name(info.tensor), -1)
            if position >= 0:
                found.add(position)
    return frozenset(found)


def _find_knobs(graph: GraphModel, roles: Roles) -> frozenset[int]:
    """Return scalar inputs that steer the model while other inputs feed it."""
    inputs = [i for i, role in enumerate(roles.role) if role == "input"]
    scalars = {
        i
        for i in inputs
        if output_shape(graph, i) == ()
        or _only_steers(graph, roles, i)
        or (output_shape(graph, i) is None and _scales_noise(graph, i))
    }
    return frozenset(scalars) if len(scalars) < len(inputs) else frozenset()


def _only_steers(graph: GraphModel, roles: Roles, position: int) -> bool:
    users = graph.topology.consumers[position]
    return bool(users) and all(
        roles.role[target] == "parameter"
        or is_parameter_input(graph.nodes[target].op, place, len(graph.topology.inputs[target]))
        for target, place in users
    )


def _scales_noise(graph: GraphModel, position: int) -> bool:
    """Whether an input meets random numbers within a few ops, as a dropout rate does."""
    reached = {position}
    for _ in range(_NOISE_HOPS):
        reached = {t for p in reached for t, _ in graph.topology.consumers[p]}
        if len(reached) > _NOISE_WIDTH:
            return False
        for target in reached:
            if graph.nodes[target].op not in ("Add", "AddV2", "GreaterEqual", "Less"):
                continue
            if any(p >= 0 and _is_noise(graph, p) for p, _ in graph.topology.inputs[target][:2]):
                return True
    return False


def _is_noise(graph: GraphModel, position: int) -> bool:
    """Whether a value is a random number, shifted and scaled as `random_uniform` writes it."""
    for _ in range(_NOISE_HOPS):
        if graph.nodes[position].op in RANDOM_OPS:
            return True
        inputs = graph.topology.inputs[position]
        is_scaled = graph.nodes[position].op in ("Add", "AddV2", "Mul")
        if not is_scaled or not inputs or inputs[0][0] < 0:
            return False
        position = inputs[0][0]
    return False


def _is_frozen_weight(node: Node) -> bool:
    value = node.attrs.get("value")
    return isinstance(value, TensorValue) and value.dtype in _FLOATS and len(value.shape) >= 1


def output_shape(graph: GraphModel, position: int) -> Dims:
    """Return the shape of the output where the file tells; of several only if they are equal."""
    node = graph.nodes[position]
    if node.op in _FLOWS:  # a scalar that stands for the whole array tells nothing
        return None
    shapes = node.attrs.get("_output_shapes")
    if isinstance(shapes, tuple) and shapes and isinstance(shapes[0], ShapeValue):
        return shapes[0].dims if all(shape == shapes[0] for shape in shapes) else None
    shape = node.attrs.get("shape")
    if node.op in INPUT_OPS and isinstance(shape, ShapeValue):
        is_unknown = not shape.dims and graph.producer < _OLD_SHAPES
        return None if is_unknown else shape.dims
    return None


def variable_shape(graph: GraphModel, position: int) -> Dims:
    """Return the shape of a variable node, or of a Const that is a weight."""
    attrs = graph.nodes[position].attrs
    shape, value = attrs.get("shape"), attrs.get("value")
    if isinstance(shape, ShapeValue):
        return shape.dims
    return value.shape if isinstance(value, TensorValue) else None


def parameter_count(graph: GraphModel, positions: tuple[int, ...]) -> int:
    """Return the number of values in these variables; unknown sizes count as nothing."""
    total = 0
    for position in positions:
        dims = variable_shape(graph, position)
        if dims is not None and None not in dims:
            total += prod(size for size in dims if size is not None)
    return total

"""A graph -> its forward part: data ops, and at which of them each variable enters.

Gradients and updates are peeled off from what writes variables; ops that only pass a value on are
looked through. What depends on an input is data, what depends on variables alone is a parameter.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from graphmap.model.graph import GraphModel, ShapeValue

__all__ = ["COMMUTATIVE", "Forward", "Place", "find_forward", "unordered"]

# What ends a computation that serves training, storing or the input pipeline.
UPDATES = re.compile(r"(Resource|Sparse|ResourceSparse)?Apply[A-Z]|.*Grad$|Save|Restore|MergeV2")
WRITES = re.compile(r"(Resource)?(Assign|Scatter)|.*(Enqueue|Accumul)|.*IsInitialized|IsVariable")
# What takes back the values that a loop kept for its gradient; all that follows is gradient.
BACKWARD = re.compile(r"StackPop(V2)?$|TensorArrayGrad|TensorListPopBack$")
# Consumers that make no use of the value.
IGNORED = re.compile(
    r"(Shape|ShapeN|Size|Rank|BroadcastGradientArgs|NoOp|StackPush|Assert|.*Summary)(V\d)?$"
)
THROUGH = frozenset(
    {
        "Cast",
        "CheckNumerics",
        "Enter",
        "Exit",
        "Identity",
        "IdentityN",
        "NextIteration",
        "PreventGradient",
        "Print",
        "PrintV2",
        "ReadVariableOp",
        "RefEnter",
        "RefExit",
        "RefIdentity",
        "RefNextIteration",
        "RefSwitch",
        "Snapshot",
        "StopGradient",
        "Switch",
    }
)
SOURCES = re.compile(
    r"Placeholder|.*Iterator.*Next|.*Dequeue|.*Reader|Decode|ReadFile|ParseExample"
)
RANDOM = re.compile(r"(Stateless)?(Random|TruncatedNormal|Multinomial)|Parameterized")
REDUCING = frozenset({"L2Loss", "Sum", "Mean", "Prod", "Max", "Min", "Norm"})
CLASSES = {
    "AddN": "Add",
    "AddV": "Add",
    "BiasAdd": "Add",
    "BiasAddV1": "Add",
    "BatchMatMul": "MatMul",
    "Einsum": "MatMul",
    "Div": "RealDiv",
    "ResourceGather": "Gather",
    "FusedBatchNorm": "Norm",
    "SparseSoftmaxCrossEntropyWithLogits": "SoftmaxCrossEntropyWithLogits",
}
COMMUTATIVE = frozenset({"Add", "Mul", "Maximum", "Minimum", "SquaredDifference"})
NORM_PORTS = {1: "scale", 2: "offset", 3: "mean", 4: "variance"}

Step = tuple[str, int]  # class of an op, port at which it is entered


class Place(NamedTuple):
    """Where a variable enters: a data op, the way there, and what it does there."""

    op: int
    path: tuple[Step, ...]
    kind: str


class Forward(NamedTuple):
    """Data ops in topological order.

    classes: of each. inputs: (port, output slot of the producer, producer), data only.
    places: of each variable, by its number. names: of ops, where somebody chose one: inputs, and
    outputs that an Identity names. nodes: of each op, its position in the graph.
    """

    classes: list[str]
    inputs: list[list[tuple[int, int, int]]]
    places: dict[int, list[Place]]
    names: Mapping[int, str] = {}
    nodes: Sequence[int] = ()


def unordered(forward: Forward, ops: Collection[int]) -> Forward:
    """Return the forward part with the ports of some ops as one: the order of inputs is nothing."""
    inputs = [
        sorted((0, slot, source) for _, slot, source in row) if at in ops else row
        for at, row in enumerate(forward.inputs)
    ]
    return forward._replace(inputs=inputs)


def find_forward(graph: GraphModel, variables: Mapping[int, int]) -> Forward:
    """Return the forward part. variables: {position of a node: number of its variable}."""
    for all_writes in (True, False):
        live = _peel(graph, all_writes)
        found = _Tracer(graph, variables, live).trace()
        if 2 * len(found.places) >= len(set(variables.values())):
            break
    return found


def class_of(op: str) -> str:
    """Return the class of an op: its name without a version, or that of ops that do the same.

    >>> class_of("BatchMatMulV2"), class_of("BiasAdd"), class_of("Conv2D"), class_of("GatherV2")
    ('MatMul', 'Add', 'Conv2D', 'Gather')
    """
    bare = re.sub(r"V\d$", "", op)
    return CLASSES.get(bare, bare)


def _peel(graph: GraphModel, all_writes: bool) -> list[bool]:
    """Say of each node whether it serves more than updates: one with dead consumers only is dead.

    all_writes: what only goes into assignments is dead too, not only what goes into optimizers.
    """
    nodes = graph.nodes
    inputs, controls, consumers, _ = graph.topology
    live = [IGNORED.match(node.op) is None for node in nodes]
    uses = [sum(live[c] for c, _ in row) for row in consumers]
    dead = _backward(graph)
    for at in dead:
        live[at] = False
    for at, node in enumerate(nodes):
        if not live[at]:
            continue
        ends = UPDATES.match(node.op) or (all_writes and WRITES.match(node.op))
        if (ends and (uses[at] == 0 or not node.op.endswith("Grad"))) or (
            uses[at] == 0 and node.op == "Identity" and _of_tuple(graph, inputs[at], controls[at])
        ):
            dead.append(at)
            live[at] = False
        elif WRITES.match(node.op):
            live[at] = False
            for producer, _ in inputs[at]:
                if producer >= 0:
                    uses[producer] -= 1
    while dead:
        for producer, _ in inputs[dead.pop()]:
            if producer < 0:
                continue
            uses[producer] -= 1
            if uses[producer] == 0 and live[producer]:
                live[producer] = False
                dead.append(producer)
    return live


def _backward(graph: GraphModel) -> list[int]:
    """Return what depends on a value that a loop kept for its gradient."""
    consumers = graph.topology.consumers
    found = [at for at, node in enumerate(graph.nodes) if BACKWARD.match(node.op)]
    seen = set(found)
    for at in found:  # grows
        for consumer, _ in consumers[at]:
            if consumer not in seen:
                seen.add(consumer)
                found.append(consumer)
    return found


def _of_tuple(graph: GraphModel, inputs: list[tuple[int, int]], controls: list[int]) -> bool:
    """Whether an Identity was left over by tf.tuple, which gradients go through."""
    barriers = graph.topology.controls
    return bool(inputs) and any(c >= 0 and inputs[0][0] in barriers[c] for c in controls)


class _Tracer:
    """One graph on its way to a Forward."""

    def __init__(self, graph: GraphModel, variables: Mapping[int, int], live: list[bool]) -> None:
        self.graph = graph
        self.variables = variables
        self.live = live
        self.ops = [node.op for node in graph.nodes]
        self.classes = [class_of(op) for op in self.ops]
        self.raw = graph.topology.inputs
        self.passed: dict[int, int] = {}  # node: where its value comes from
        self.sources: dict[int, tuple[int, int]] = {}  # node that passes a value on: whose
        for at in variables:
            self.passed[at] = at

    def _source(self, at: int, slot: int) -> tuple[int, int]:
        """Look through ops that pass a value on; a ring of them, which is damage, has no source."""
        way: dict[int, None] = {}
        while at >= 0 and at not in self.variables:
            if at in way:
                at, slot = -1, 0
                break
            if at in self.sources:
                at, slot = self.sources[at]
                break
            onward = self._onward(at)
            if onward is None:
                break
            way[at] = None
            at, slot = onward
        self.sources.update((passed, (at, slot)) for passed in way)
        return at, slot

    def _onward(self, at: int) -> tuple[int, int] | None:
        op, inputs = self.ops[at], self.raw[at]
        if not inputs:
            return None
        if op in ("Merge", "RefMerge"):
            entries = [i for i in inputs if i[0] >= 0 and "NextIteration" not in self.ops[i[0]]]
            return entries[0] if len(entries) == 1 else None
        if op not in THROUGH:
            return None
        if op in ("Exit", "RefExit"):
            switch = inputs[0][0]
            merge = self.raw[switch][0][0] if switch >= 0 and self.raw[switch] else -1
            for back, _ in self.raw[merge] if merge >= 0 else ():
                if back >= 0 and "NextIteration" in self.ops[back] and self.raw[back]:
                    return self.raw[back][0]
        return inputs[0]

    def trace(self) -> Forward:
        """Find data ops and places; noise counts as data where nothing else reaches a variable."""
        self.inputs: list[list[tuple[int, int, int]]] = [[] for _ in self.ops]
        self.consumers: list[list[tuple[int, int]]] = [[] for _ in self.ops]
        for at, row in enumerate(self.raw):
            if not self.live[at] or (self._onward(at) is not None and at not in self.variables):
                continue
            for port, (producer, slot) in enumerate(row):
                source, slot = self._source(producer, slot)
                if source >= 0 and (self.live[source] or source in self.variables):
                    port = 0 if self.classes[at] in COMMUTATIVE else port
                    self.inputs[at].append((port, slot, source))
                    self.consumers[source].append((at, port))
        order = self._order()
        data = self._spread(order, self._is_input)
        if not any(any(data[c] for c, _ in self.consumers[v]) for v in self.variables):
            data = self._spread(order, lambda at: self._is_input(at) or self._is_noise(at))
        self.data = data
        kept = [at for at in order if data[at] and at not in self.variables]
        number = {at: n for n, at in enumerate(kept)}
        places: dict[int, list[Place]] = {}
        for at, variable in sorted(self.variables.items()):
            found = self._places(at) or self._updated_from(at)
            if found:
                rows = [p._replace(op=number[p.op]) for p in found if p.op in number]
                places.setdefault(variable, []).extend(rows)
        inputs = [
            [(port, slot, number[s]) for port, slot, s in self.inputs[at] if s in number]
            for at in kept
        ]
        names = self._chosen_names(number)
        forward = Forward([self.classes[at] for at in kept], inputs, places, names, kept)
        return _name_offsets(forward)

    def _chosen_names(self, number: Mapping[int, int]) -> dict[int, str]:
        """Return {data op: its name} where it is no default, which starts with the op's type."""
        found: dict[int, str] = {}
        for at, node in enumerate(self.graph.nodes):
            source = at
            if node.op == "Identity" and self.raw[at]:
                source, _ = self._source(at, 0)
            elif not node.op.startswith("Placeholder"):
                continue
            name = node.name.rpartition("/")[2]
            if source in number and not name.startswith(node.op):
                found.setdefault(number[source], name)
        return found

    def _is_input(self, at: int) -> bool:
        op = self.ops[at]
        if SOURCES.match(op) is None:
            return False
        shape = self.graph.nodes[at].attrs.get("shape")
        return not (isinstance(shape, ShapeValue) and shape.dims == ())

    def _is_noise(self, at: int) -> bool:
        return RANDOM.match(self.ops[at]) is not None

    def _order(self) -> list[int]:
        """Topological order of the live ops; what lies on a cycle is left out."""
        waiting = [len(row) for row in self.inputs]
        ready = deque(
            at
            for at, count in enumerate(waiting)
            if count == 0 and (self.live[at] or at in self.variables)
        )
        order = []
        while ready:
            at = ready.popleft()
            order.append(at)
            for consumer, _ in self.consumers[at]:
                waiting[consumer] -= 1
                if waiting[consumer] == 0:
                    ready.append(consumer)
        return order

    def _spread(self, order: list[int], starts: Callable[[int], bool]) -> list[bool]:
        """Say of each node whether it depends on a start."""
        data = [False] * len(self.ops)
        for at in order:
            data[at] = starts(at) or any(data[s] for _, _, s in self.inputs[at])
        return data

    def _places(self, variable: int) -> list[Place]:
        """Walk from a variable through parameter ops to the first data ops.

        A way through a reduction, such as that of a weight decay, counts only if there is no other.
        """
        reached: dict[int, tuple[tuple[Step, ...], bool]] = {}
        seen = {variable}
        queue: deque[tuple[int, tuple[Step, ...], bool]] = deque([(variable, (), False)])
        while queue:
            at, path, reduced = queue.popleft()
            for consumer, port in self.consumers[at]:
                step = (*path, (self.classes[consumer], port))
                if self.data[consumer]:
                    if consumer not in reached or (reached[consumer][1] and not reduced):
                        reached[consumer] = (step, reduced)
                elif consumer not in seen and len(path) < 12:
                    seen.add(consumer)
                    queue.append((consumer, step, reduced or self.classes[consumer] in REDUCING))
        straight = {op: path for op, (path, reduced) in reached.items() if not reduced}
        chosen = straight or {op: path for op, (path, _) in reached.items()}
        kind = _kind_of(min(chosen.values(), key=len)) if chosen else ""
        return [Place(op, path, kind) for op, path in sorted(chosen.items())]

    def _updated_from(self, variable: int) -> list[Place]:
        """A moving statistic that no forward op reads stands where its updates come from."""
        for writer, port in self.graph.topology.consumers[variable]:
            if port != 0 or "Assign" not in self.ops[writer] or len(self.raw[writer]) < 2:
                continue
            seen: set[int] = set()
            queue = deque([self.raw[writer][1]])
            while queue and len(seen) < 64:
                at, slot = self._source(*queue.popleft())
                if at < 0 or at in seen or at in self.variables:
                    continue
                seen.add(at)
                if self.live[at] and self.data[at]:
                    if self.classes[at] == "Norm":
                        return [Place(at, (("Norm", slot + 2),), NORM_PORTS.get(slot + 2, "mean"))]
                    kind = self._statistic(at)
                    return [Place(at, (("update", 0),), kind)]
                queue.extend(self.raw[at])
        return []

    def _statistic(self, at: int) -> str:
        for _ in range(6):
            if self.classes[at] in ("SquaredDifference", "Square", "Sub"):
                return "variance"
            onward = [s for _, _, s in self.inputs[at] if self.data[s]]
            if not onward or (self.classes[at] == "Mean" and len(onward) > 1):
                break
            was_mean = self.classes[at] == "Mean"
            at = onward[0]
            if was_mean and self.classes[at] not in ("SquaredDifference", "Square"):
                break
        return "mean"


def _kind_of(path: tuple[Step, ...]) -> str:
    """Say what a vector does: from the ops between it and the data."""
    last, port = path[-1]
    if last == "Norm":
        return NORM_PORTS.get(port, "scale")
    classes = {step[0] for step in path}
    if classes & {"Rsqrt", "Sqrt"}:
        return "variance"
    if ("Sub", 1) in path:
        return "mean"
    if ("Sub", 0) in path:
        return "offset"
    if classes & {"Mul", "RealDiv"}:
        return "scale"
    return "bias" if last == "Add" else last


def _name_offsets(forward: Forward) -> Forward:
    """What is added right behind a scale is an offset, not a bias."""
    scaled = {p.op for rows in forward.places.values() for p in rows if p.kind == "scale"}
    for rows in forward.places.values():
        for at, place in enumerate(rows):
            behind = any(s in scaled for _, _, s in forward.inputs[place.op])
            if place.kind == "bias" and behind:
                rows[at] = place._replace(kind="offset")
    return forward

"""From gradients to what is trained, and to the outermost ops that a training loop ran."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from graphmap.analysis.gradients import GradientCall, find_gradient_calls
from graphmap.analysis.loops import EXITS, loop_nodes
from graphmap.analysis.ops import CONST_LIKE_READS, STATE_OPS, is_apply, is_write
from graphmap.analysis.writes import WriteIndex, find_writes, trace_variable
from graphmap.model.graph import GraphModel

__all__ = ["Training", "downstream", "find_training", "upstream"]


@dataclass(frozen=True, slots=True)
class Training:
    """What a graph says about training. All integers are positions in graph.nodes.

    forward_variables: variables that the differentiated tensors depend on, and those of `beside`.
    beside: trainable variables that fused updates move and no differentiated tensor depends on,
        such as a shared network that is moved by gradients of a worker's copy.
    tainted: one byte a node, 1 where its value depends on a gradient.
    from_state: one byte a node, 1 where its value depends on a slot or accumulator of this step.
    updates: nodes that write a forward variable with a value that depends on a gradient, and all
        fused updates; in node order, which is creation order.
    train_ops: the outermost ops that reach an update, in node order.
    """

    graph: GraphModel
    writes: WriteIndex
    calls: tuple[GradientCall, ...]
    forward_variables: frozenset[int]
    tainted: bytes
    from_state: bytes
    updates: tuple[int, ...]
    train_ops: tuple[int, ...]
    beside: frozenset[int] = frozenset()

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that gradients were made in."""
        return tuple(call.scope for call in self.calls)

    def takes_gradient(self, write: int) -> bool:
        """Whether the value that an op writes, not only the variable, depends on a gradient."""
        sources = self.graph.topology.inputs[write][1:]
        return any(producer >= 0 and self.tainted[producer] for producer, _ in sources)


def find_training(
    graph: GraphModel, *, kept: Collection[str] = (), trainable: Collection[str] = ()
) -> Training:
    """Find gradients, updates and train ops.

    kept: op names that someone meant to run (collections, signatures); a dead leaf among them
    stays a train op. trainable: op names of variables, used where no differentiated tensor is
    known.
    """
    writes = find_writes(graph)
    calls = find_gradient_calls(graph)
    forward = _forward_variables(graph, calls, trainable)
    beside = _beside(graph, writes, frozenset(trainable)) - forward
    forward |= beside
    tainted = _taint(graph, writes, calls, forward)
    updates = tuple(
        position
        for position, write in writes.by_node.items()
        if write.applies
        or (tainted[position] and any(variable in forward for variable in write.variables))
    )
    sinks = _sinks(graph, updates, kept) if updates else ()
    from_state = _from_state(graph, tainted, forward)
    return Training(
        graph, writes, calls, forward, bytes(tainted), from_state, updates, sinks, beside
    )


def upstream(
    graph: GraphModel, starts: Iterable[int], *, controls: bool = True, stop: Collection[int] = ()
) -> dict[int, None]:
    """Return what `starts` depend on, themselves included; nothing beyond a node of `stop`."""
    inputs, control_inputs = graph.topology.inputs, graph.topology.controls
    found = {start: None for start in starts if start >= 0}
    stack = list(found)
    while stack:
        position = stack.pop()
        if position in stop:
            continue
        sources = [producer for producer, _ in inputs[position]]
        if controls:
            sources += control_inputs[position]
        for producer in sources:
            if producer >= 0 and producer not in found:
                found[producer] = None
                stack.append(producer)
    return found


def downstream(graph: GraphModel, starts: Iterable[int]) -> dict[int, None]:
    """Return what depends on `starts` by data or control, themselves included."""
    consumers, control_consumers = graph.topology.consumers, graph.topology.control_consumers
    found = dict.fromkeys(starts)
    stack = list(found)
    while stack:
        position = stack.pop()
        for consumer in [c for c, _ in consumers[position]] + control_consumers[position]:
            if consumer not in found:
                found[consumer] = None
                stack.append(consumer)
    return found


def _forward_variables(
    graph: GraphModel, calls: tuple[GradientCall, ...], trainable: Collection[str]
) -> frozenset[int]:
    ys = [seed.y for call in calls for seed in call.seeds]
    looked_at = [at for call in calls for at in call.uses]
    starts = [*(y.node for y in ys if y is not None), *looked_at]
    found = upstream(graph, starts, controls=False)
    variables = {position for position in found if graph.nodes[position].op in STATE_OPS}
    if None in ys or not ys:
        variables.update(graph.index[name] for name in trainable if name in graph.index)
    return frozenset(variables)


def _beside(graph: GraphModel, writes: WriteIndex, trainable: Collection[str]) -> frozenset[int]:
    """Return the trainable variables that fused updates move; slots come after them."""
    moved = (
        write.variables[0] for at, write in writes.by_node.items() if is_apply(graph.nodes[at].op)
    )
    return frozenset(at for at in moved if graph.nodes[at].name in trainable)


def _taint(
    graph: GraphModel,
    writes: WriteIndex,
    calls: tuple[GradientCall, ...],
    forward: frozenset[int],
) -> bytearray:
    """Mark what depends on a gradient.

    A written variable passes the mark on only if the forward pass does not read it: gradient
    accumulators and slots do, weights do not.
    """
    consumers = graph.topology.consumers
    tainted = bytearray(len(graph.nodes))
    stack = [seed.node for call in calls for seed in call.seeds]
    for position in stack:
        tainted[position] = 1
    while stack:
        position = stack.pop()
        reached = [consumer for consumer, _ in consumers[position]]
        write = writes.by_node.get(position)
        if write is not None:
            reached += [variable for variable in write.variables if variable not in forward]
        for other in reached:
            if not tainted[other]:
                tainted[other] = 1
                stack.append(other)
    return tainted


def _from_state(graph: GraphModel, tainted: bytearray, forward: frozenset[int]) -> bytes:
    consumers = graph.topology.consumers
    stack = [
        position
        for position, node in enumerate(graph.nodes)
        if tainted[position] and node.op in STATE_OPS and position not in forward
    ]
    found = bytearray(len(graph.nodes))
    for position in stack:
        found[position] = 1
    while stack:
        for consumer, _ in consumers[stack.pop()]:
            if not found[consumer]:
                found[consumer] = 1
                stack.append(consumer)
    return bytes(found)


def _sinks(graph: GraphModel, updates: tuple[int, ...], kept: Collection[str]) -> tuple[int, ...]:
    """Return the ops that nothing else waits for, among those that run an update.

    Leaves that only look at something (reads, shapes, summaries) are no reason to stay alive, nor
    are those inside a loop, which nobody can run.
    """
    inside = loop_nodes(graph)
    reached = downstream(graph, updates)
    consumers, control_consumers = graph.topology.consumers, graph.topology.control_consumers
    waiting = {
        position: len({c for c, _ in consumers[position]} | set(control_consumers[position]))
        for position in reached
    }
    leaves = deque(position for position, count in waiting.items() if count == 0)
    sinks = []
    while leaves:
        position = leaves.popleft()
        is_within = position in inside and graph.nodes[position].op not in EXITS
        if not is_within and not _is_dead_leaf(graph, position, kept):
            sinks.append(position)
            continue
        sources = {producer for producer, _ in graph.topology.inputs[position]}
        for producer in sources.union(graph.topology.controls[position]):
            if producer in waiting:
                waiting[producer] -= 1
                if waiting[producer] == 0:
                    leaves.append(producer)
    return tuple(sorted(sinks))


def _is_dead_leaf(graph: GraphModel, position: int, kept: Collection[str]) -> bool:
    node = graph.nodes[position]
    if graph.index[node.name] != position:
        return True  # of a name that stands twice, nobody can run but the first
    if node.name in kept:
        return False
    if node.op in CONST_LIKE_READS:
        return True
    if node.op != "Identity" or not graph.topology.inputs[position]:
        return False
    source = graph.topology.inputs[position][0][0]
    return source < 0 or _is_plain_read(graph, source)


def _is_plain_read(graph: GraphModel, position: int) -> bool:
    """Whether a value is just a variable: read, or returned by the op that wrote it."""
    op = graph.nodes[position].op
    return (
        op in STATE_OPS
        or is_write(op)
        or (op in {"ReadVariableOp", "Identity"} and trace_variable(graph, position) >= 0)
    )

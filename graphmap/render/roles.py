"""What each node of a training graph is there for, from structure.

Seeds first (save, assign, summary, update, gradient, queue ops), then one backward pass: a node
whose consumers are all outside the model takes their role. What depends on the inputs of the
model is never absorbed, nor is a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from graphmap.analysis.gradients import find_gradient_calls, gradient_scope_of
from graphmap.analysis.ops import ASSIGN_OPS, VARIABLE_OPS, is_apply, is_write
from graphmap.analysis.updates import upstream
from graphmap.model.graph import NEXT_ITERATION_OPS, GraphModel
from graphmap.model.training import TrainOp
from graphmap.names import op_name, scope_of
from graphmap.render.optable import (
    CHECK_OPS,
    INPUT_OPS,
    SAVE_OPS,
    TRANSPARENT,
    is_input_pipeline,
    is_parameter_input,
    is_summary,
)

__all__ = ["NodeRole", "Roles", "find_roles"]

NodeRole = Literal[
    "model", "input", "variable", "constant", "parameter",
    "save", "init", "summary", "check", "gradients", "clip", "optimizer", "slot", "update",
    "step", "pipeline", "group", "unused",
]  # fmt: skip
# A node that serves several of these takes the first.
_OUTSIDE: tuple[NodeRole, ...] = (
    "gradients", "clip", "optimizer", "update", "step", "pipeline", "check", "summary", "save",
    "init", "slot", "unused", "group",
)  # fmt: skip
_RANK = {role: rank for rank, role in enumerate(_OUTSIDE)}
# These absorb even what depends on the inputs: nothing of it reaches the model.
_ABSORBS_DATA = frozenset({"pipeline", "check", "optimizer", "clip", "update", "save"})
_INTEGERS = frozenset({"int32", "int64"})
# What a value comes from, as bits; those of the gradient scopes stand above them.
_DATA, _RESTORED, _VARIABLE, _PLAIN, _PLAIN_BITS = 1, 2, 4, 7, 3
_OWN_BITS = {
    **dict.fromkeys(INPUT_OPS, _DATA),
    **dict.fromkeys(SAVE_OPS, _RESTORED),
    **dict.fromkeys(VARIABLE_OPS, _VARIABLE),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """role: one for each node. order: positions, producers first (loops cut).

    losses: {position of a loss: gradient scopes that start at it}.
    gradient_of: {position: gradient scopes that it depends on, as a bit set over `scopes`}.
    """

    role: list[NodeRole]
    order: list[int]
    losses: dict[int, tuple[str, ...]]
    scopes: tuple[str, ...]
    gradient_of: list[int]


def find_roles(graph: GraphModel, train_ops: tuple[TrainOp, ...] = ()) -> Roles:
    """Return the role of every node; works without train ops, by gradient scopes alone."""
    order = _producers_first(graph)
    losses, scopes = _losses(graph, train_ops)
    depends = _Dependencies(graph, order, losses, scopes)
    seeds = _seeds(graph, order, depends)
    role = _absorb(graph, order, seeds, depends, losses)
    _mark_parameters(graph, order, role, losses)
    return Roles(role, order, losses, scopes, depends.gradient)


def _producers_first(graph: GraphModel) -> list[int]:
    """Kahn's order; the output of a NextIteration is not followed, other circles are cut."""
    topology, nodes = graph.topology, graph.nodes
    if graph.order.is_ordered:  # as TensorFlow writes graphs
        return list(range(len(nodes)))
    closing = {position for position, node in enumerate(nodes) if node.op in NEXT_ITERATION_OPS}
    waiting = [0] * len(nodes)
    for position in range(len(nodes)):
        if position in closing:
            continue
        for target, _ in topology.consumers[position]:
            waiting[target] += 1
        for target in topology.control_consumers[position]:
            waiting[target] += 1
    ready = [position for position, count in enumerate(waiting) if count == 0]
    for position in ready:  # grows while it is walked
        if position in closing:
            continue
        targets = [target for target, _ in topology.consumers[position]]
        for target in [*targets, *topology.control_consumers[position]]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    if len(ready) < len(nodes):
        done = set(ready)
        ready.extend(position for position in range(len(nodes)) if position not in done)
    return ready


def _losses(
    graph: GraphModel, train_ops: tuple[TrainOp, ...]
) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    calls = find_gradient_calls(graph)
    for call in calls:
        for seed in call.seeds:
            if seed.y is not None:
                position = seed.y.node
                found[position] = tuple(dict.fromkeys((*found.get(position, ()), call.scope)))
    for train_op in train_ops:
        position = graph.index.get(op_name(train_op.loss), -1) if train_op.loss else -1
        if position >= 0:
            found.setdefault(position, ())
    return found, tuple(dict.fromkeys(call.scope for call in calls))


class _Dependencies:
    """For every node: what its data come from. gradient: bit set over the gradient scopes."""

    def __init__(
        self, graph: GraphModel, order: list[int], losses: Iterable[int], scopes: tuple[str, ...]
    ) -> None:
        self.to_loss = upstream(graph, losses, controls=False)
        self.in_scope, own = _scopes_of(graph, scopes)
        holds = [0] * len(own)
        inputs = graph.topology.inputs
        for position in order:
            op = graph.nodes[position].op
            bits = own[position]
            if op in _OWN_BITS:
                bits |= _OWN_BITS[op]
            if op not in VARIABLE_OPS:
                # what lies in a gradient scope is of that gradient alone
                taken = _PLAIN if self.in_scope[position] >= 0 else -1
                for producer, _ in inputs[position]:
                    if producer >= 0:
                        bits |= holds[producer] & taken
            holds[position] = bits
        self.data = [bits & _DATA for bits in holds]
        self.restored = [bits & _RESTORED for bits in holds]
        self.variable = [bits & _VARIABLE for bits in holds]
        self.gradient = [bits >> _PLAIN_BITS for bits in holds]


def _scopes_of(graph: GraphModel, scopes: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return, for each node, the gradient scope it lies in (-1: none), and that as a bit."""
    bit = {scope: index for index, scope in enumerate(scopes)}
    known: dict[str, int] = {}
    inside = []
    for node in graph.nodes:
        holder = scope_of(node.name)
        found = known.get(holder)
        if found is None:
            scope = gradient_scope_of(node.name, scopes)
            known[holder] = found = -1 if scope is None else bit[scope]
        inside.append(found)
    return inside, [1 << (_PLAIN_BITS + scope) if scope >= 0 else 0 for scope in inside]


def _seeds(graph: GraphModel, order: list[int], depends: _Dependencies) -> list[NodeRole | None]:
    role: list[NodeRole | None] = [None] * len(graph.nodes)
    for position in order:
        role[position] = _seed(graph, position, depends, role)
    return role


def _seed(
    graph: GraphModel, position: int, depends: _Dependencies, role: list[NodeRole | None]
) -> NodeRole | None:
    op = graph.nodes[position].op
    if op in SAVE_OPS:
        return "save"
    if is_summary(op):
        return "summary"
    if op in CHECK_OPS:
        return "check"
    if is_apply(op):
        return "optimizer"
    if is_write(op):
        return _write_role(graph, position, depends, role)
    if depends.in_scope[position] >= 0:
        return "gradients"
    if op in VARIABLE_OPS:
        return "variable"
    if op.startswith(("InitializeTable", "LookupTableImport")):
        return "init"
    if is_input_pipeline(op):
        return "pipeline"
    if op in INPUT_OPS:
        return "input"
    if depends.gradient[position] and position not in depends.to_loss:
        producers = [producer for producer, _ in graph.topology.inputs[position] if producer >= 0]
        takes_state = any(
            role[producer] == "optimizer"
            or (depends.variable[producer] and not depends.gradient[producer])
            for producer in producers
        )
        return "optimizer" if takes_state else "clip"
    return None


def _write_role(
    graph: GraphModel, position: int, depends: _Dependencies, role: list[NodeRole | None]
) -> NodeRole:
    """Say what a write of a variable is for, by what the written value depends on."""
    node = graph.nodes[position]
    topology = graph.topology
    values = [producer for producer, _ in topology.inputs[position][1:] if producer >= 0]
    if any(depends.gradient[value] for value in values):
        return "optimizer"
    if any(depends.restored[value] for value in values):
        return "save"
    variable = topology.inputs[position][0][0] if topology.inputs[position] else -1
    name = graph.nodes[variable].name if variable >= 0 else ""
    dtype = node.attrs.get("T") or node.attrs.get("dtype")
    if node.op not in ASSIGN_OPS and dtype in _INTEGERS:
        return "step"
    controls = [producer for producer in topology.controls[position] if producer >= 0]
    if any(role[producer] == "optimizer" for producer in controls):
        return "optimizer"
    reads = any(depends.variable[value] or depends.data[value] for value in values)
    if node.op in ASSIGN_OPS and (not reads or node.name.startswith(f"{name}/Assign")):
        return "init"
    return "update"


def _absorb(
    graph: GraphModel,
    order: list[int],
    seeds: list[NodeRole | None],
    depends: _Dependencies,
    losses: Iterable[int],
) -> list[NodeRole]:
    """Walk from the consumers back; what serves only roles outside the model takes one of them."""
    role: list[NodeRole] = [seed or "model" for seed in seeds]
    topology, nodes, kept = graph.topology, graph.nodes, set(losses)
    for position in reversed(order):
        op = nodes[position].op
        seed = seeds[position]
        if position in kept or seed not in (None, "variable", "input"):
            if position in kept:
                role[position] = "model"
            continue
        wanted = {role[target] for target, _ in topology.consumers[position]}
        wanted.update(role[target] for target in topology.control_consumers[position])
        if not wanted:
            role[position] = _sink_role(graph, position, seeds, depends)
        elif all(found in _RANK for found in wanted):
            pick = min(wanted, key=lambda found: _RANK[found])
            role[position] = _taken(pick, wanted, seed, depends.data[position], role[position])
            if role[position] in ("clip", "optimizer"):
                for target, _ in topology.consumers[position]:
                    depends.gradient[position] |= depends.gradient[target]
        if role[position] == "model" and op in ("Const", "HashTableV2", "HashTable"):
            role[position] = "constant"
    return role


def _sink_role(
    graph: GraphModel, position: int, seeds: list[NodeRole | None], depends: _Dependencies
) -> NodeRole:
    """Say what a node without consumers is; one that only waits for others takes their role."""
    op, seed = graph.nodes[position].op, seeds[position]
    if op == "NoOp":
        return "group"
    if seed is not None:
        return seed
    if op in TRANSPARENT:
        waits = [seeds[p] or "model" for p in graph.topology.controls[position] if p >= 0]
        outside = [role for role in waits if role in _RANK]
        if outside:
            return min(outside, key=lambda found: _RANK[found])
    return "model" if depends.data[position] or op == "Const" else "unused"


def _taken(
    pick: NodeRole, wanted: set[NodeRole], seed: NodeRole | None, data: int, own: NodeRole
) -> NodeRole:
    if seed == "variable":
        trained = not wanted.isdisjoint({"optimizer", "clip"})
        if trained and "gradients" not in wanted:
            return "slot"
        return "step" if "step" in wanted else own
    if data and (pick not in _ABSORBS_DATA or "gradients" in wanted):
        return own
    return pick


def _mark_parameters(
    graph: GraphModel, order: list[int], role: list[NodeRole], losses: Iterable[int]
) -> None:
    """Mark what the model uses only to say how an op works: shapes, axes, permutations."""
    nodes, topology, kept = graph.nodes, graph.topology, set(losses)
    for position in reversed(order):
        if role[position] not in ("model", "constant") or position in kept:
            continue
        users = [
            (target, place)
            for target, place in topology.consumers[position]
            if role[target] in ("model", "parameter")
        ]
        if users and all(
            role[target] == "parameter"
            or is_parameter_input(nodes[target].op, place, len(topology.inputs[target]))
            for target, place in users
        ):
            role[position] = "parameter"

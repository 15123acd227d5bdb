"""Roles that the graph's own edges and collections prove."""

from __future__ import annotations

from collections.abc import Mapping

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.slot_names import RoleTriple, role
from graphmap.analysis.train_ops import Specs, advances, is_counter
from graphmap.analysis.updates import Training
from graphmap.analysis.writes import trace_variable
from graphmap.model.graph import GraphModel
from graphmap.model.stored import StoredModel

__all__ = ["find_roles"]

_TRAINABLE = frozenset({"trainable_variables"})
_GLOBAL = frozenset({"variables"})
_LOCAL = frozenset({"local_variables", "metric_variables"})


def find_roles(
    stored: StoredModel, names: Mapping[int, str], specs: Specs
) -> dict[str, RoleTriple]:
    """Return what is proven, by variable name. names: of each variable node, parts joined."""
    training, train_ops = specs
    graph = training.graph
    joined = {graph.nodes[at].name: name for at, name in names.items()}
    found: dict[str, RoleTriple] = {}
    for name in _collected(stored, _LOCAL) - _collected(stored, _GLOBAL):
        if name in joined:
            found[joined[name]] = role("other")
    for at, writers in training.writes.by_variable.items():
        if at in names and is_counter(graph.nodes[at]) and any(advances(graph, w) for w in writers):
            found[names[at]] = role("step")
    trainable = _collected(stored, _TRAINABLE)
    for name in sorted(trainable):
        if name in joined:
            found[joined[name]] = role("weight")
    for at in _gradient_state(training):
        if at in names:
            found[names[at]] = role("optimizer")
    for shadow, of in _shadows(graph, training).items():
        if graph.nodes[shadow].name not in trainable and shadow in names and of in names:
            found[names[shadow]] = role("shadow", names[of])
    for train_op in train_ops:
        for spec in train_op.optimizers:
            for state in spec.non_slots.values():
                if state in joined:
                    found[joined[state]] = role("optimizer")
            for primary, slots in spec.slots.items():
                if primary not in joined:
                    continue
                found[joined[primary]] = role("weight")
                for word, slot in slots.items():
                    if slot in joined:
                        found[joined[slot]] = role("slot", joined[primary], word)
        if train_op.global_step in joined:
            found[joined[train_op.global_step]] = role("step")
    for step in stored.meta.node_lists.get("global_step", ()):
        if step.partition(":")[0] in joined:
            found[joined[step.partition(":")[0]]] = role("step")
    return found


def _collected(stored: StoredModel, collections: frozenset[str]) -> set[str]:
    meta = stored.meta
    names = {entry.name for kind in collections for entry in meta.variables.get(kind, ())}
    listed = (name for kind in collections for name in meta.node_lists.get(kind, ()))
    return names.union(name.partition(":")[0] for name in listed)


def _gradient_state(training: Training) -> list[int]:
    """Return what gradients are written into and the forward pass does not read: accumulators."""
    return [
        variable
        for variable, writers in training.writes.by_variable.items()
        if variable not in training.forward_variables
        and training.graph.nodes[variable].op in VARIABLE_OPS
        and any(training.takes_gradient(at) for at in writers)
    ]


def _shadows(graph: GraphModel, training: Training) -> dict[int, int]:
    """Return {average: what it follows}: AssignSub(s, (s - w) * (1 - decay)), w a variable.

    Moving statistics have the same form with a batch statistic for w; they are weights.
    """
    found = {}
    inputs = graph.topology.inputs
    for position, write in training.writes.by_node.items():
        if graph.nodes[position].op not in {"AssignSub", "AssignSubVariableOp"}:
            continue
        variable = write.variables[0]
        if training.tainted[position] or variable in training.forward_variables:
            continue
        if len(inputs[position]) < 2:
            continue
        product = inputs[position][1][0]
        if product < 0 or graph.nodes[product].op != "Mul":
            continue
        for difference, _ in inputs[product]:
            if difference >= 0 and graph.nodes[difference].op == "Sub":
                pair = [trace_variable(graph, source) for source, _ in inputs[difference]]
                if pair[0] == variable and pair[1] in training.forward_variables:
                    found[pair[0]] = pair[1]
    return found

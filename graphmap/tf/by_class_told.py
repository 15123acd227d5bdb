"""What a stored graph tells of an optimizer that is made anew by its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.analysis.gradients import gradient_scope_of
from graphmap.analysis.ops import STATE_OPS
from graphmap.analysis.updates import Training, upstream
from graphmap.errors import ReconstructionError
from graphmap.model.training import TrainOp
from graphmap.opening import OpenedModel

__all__ = ["with_what_is_stored"]

_OF_THE_GRAPH = frozenset({"use_nesterov", "centered", "use_locking"})


def with_what_is_stored(opened: OpenedModel, told: Any) -> Any:
    """Return `told` with what the files tell filled in; an optimizer of the caller's as it is.

    Raises ReconstructionError where a class cannot do what the stored update does: several
    optimizers, a rule of its own, schedules, gradients that are clipped or mixed on their way,
    averages.
    """
    assert opened.stored.graph is not None
    training, found = opened.specs
    specs = [spec for train_op in found for spec in train_op.optimizers]
    where = opened.stored.path
    if len(found) != 1 or len(specs) != 1 or specs[0].kind == "custom":
        raise ReconstructionError(
            f"holds {len(found)} train ops with {len(specs)} optimizers, which no one class is",
            where=where,
            remedy="Build the new graph op by op as the stored one was.",
        )
    processed = _processed(training, found[0])
    if processed:
        raise ReconstructionError(
            f"does more than its optimizer: {processed}",
            where=where,
            remedy="Build the new graph op by op as the stored one was (its partitions, too), so "
            "that the update itself can be copied.",
        )
    if not isinstance(told, Mapping):
        return told
    fixed = {k: v for k, v in specs[0].hyperparameters.items() if not isinstance(v, dict)}
    answers = dict(told.get("hyperparameters") or {})
    moving = sorted(set(specs[0].hyperparameters) - set(fixed) - set(answers))
    if moving:
        raise ReconstructionError(
            f"computes {', '.join(moving)} in the stored graph, which a class does not",
            where=where,
            remedy='Tell it: optimizer={"hyperparameters": {...}}.',
        )
    stored = {"kind": specs[0].kind, "global_step": found[0].global_step}
    kept = {k: v for k, v in fixed.items() if v or k not in _OF_THE_GRAPH}
    return {**stored, **told, "hyperparameters": {**kept, **answers}}


def _processed(training: Training, train_op: TrainOp) -> str:
    """Name the first op that is neither of the optimizer nor of its gradients; "" for none.

    `Optimizer.apply_gradients` puts all that it does to one variable in the scope of that update.
    """
    graph, spec = training.graph, train_op.optimizers[0]
    cone = upstream(graph, [graph.index[train_op.name]])
    scopes: list[str] = []
    for update in (at for at in training.updates if at in cone):
        scope = _update_scope(graph.nodes[update].name)
        scopes.append(scope)
        stack = [source for source, _ in graph.topology.inputs[update]]
        seen = set(stack)
        while stack:
            at = stack.pop()
            name = graph.nodes[at].name
            if not training.tainted[at] or graph.nodes[at].op in STATE_OPS:
                continue
            if gradient_scope_of(name, training.scopes) is not None:
                continue
            if not name.startswith(scope):
                return f"{name} changes a gradient on its way"
            fresh = [source for source, _ in graph.topology.inputs[at] if source not in seen]
            seen.update(fresh)
            stack.extend(fresh)
    own = {*spec.non_slots.values(), train_op.global_step}
    for at in cone:
        write = training.writes.by_node.get(at)
        name = graph.nodes[at].name
        if write is None or name.startswith(tuple(scopes)):
            continue
        if any(graph.nodes[variable].name not in own for variable in write.variables):
            return f"{name} writes {graph.nodes[write.variables[0]].name}"
    return ""


def _update_scope(name: str) -> str:
    """Return "Adam/update_net/w/" of "Adam/update_net/w/ApplyAdam"."""
    return name.rpartition("/")[0] + "/"

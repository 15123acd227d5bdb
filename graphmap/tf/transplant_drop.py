"""Updates that are left out on request, and train ops that no copy can run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.updates import Training, upstream
from graphmap.errors import ReconstructionError, UsageError
from graphmap.model.graph import GraphModel
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import nodes_of
from graphmap.tf.descent import Descent

__all__ = ["Dropped", "decline_unplantable", "dropped_writes", "variable_names"]

_ACCUMULATORS = frozenset(
    {"ConditionalAccumulator", "SparseConditionalAccumulator", "ResourceConditionalAccumulator"}
)


class Dropped(NamedTuple):
    """Stored writes that are left out, and the stored variables that they trained."""

    writes: frozenset[int]
    variables: tuple[str, ...]


def variable_names(var_list: Iterable[Any]) -> frozenset[str]:
    """Return the op names of variables, of the pieces where one is partitioned."""
    names: list[str] = []
    for entry in var_list:
        pieces = entry._get_variable_list() if hasattr(entry, "_get_variable_list") else [entry]
        for piece in pieces:
            operation = getattr(piece, "op", None)
            if operation is None or operation.type not in VARIABLE_OPS:
                raise UsageError(
                    f"holds {str(piece)[:60]!r}, which is no variable of a graph",
                    where="var_list",
                    remedy="Pass the tf.Variable objects that the train op shall update.",
                )
            names.append(operation.name)
    return frozenset(names)


def dropped_writes(
    opened: OpenedModel,
    training: Training,
    roots: Sequence[int],
    descent: Descent,
    var_list: frozenset[str],
) -> Dropped:
    """Return the writes of trained variables that have no counterpart in var_list.

    Their slots and averages go with them. Raises ReconstructionError where var_list holds a
    variable that the stored op does not train, or where nothing would be left.
    """
    graph, cone = training.graph, upstream(training.graph, roots)
    trained = {
        variable: None
        for update in training.updates
        if update in cone
        for variable in training.writes.by_node[update].variables
        if variable in training.forward_variables
    }
    new = {at: descent.new.nodes[b].name for at, b in descent.variables.items()}
    kept = {at for at in trained if new.get(at) in var_list}
    foreign = sorted(var_list - {new[at] for at in kept})
    if foreign or not kept:
        raise ReconstructionError(
            "is not trained by the stored op" if foreign else "leaves nothing to train",
            where=f"var_list: {foreign[0]}" if foreign else "var_list",
            remedy="Pass variables of the new graph whose counterpart the stored op updates.",
        )
    gone = {graph.nodes[at].name for at in trained if at not in kept}
    wholes = {v.name: v for v in opened.variables}
    state = {
        node
        for v in opened.variables
        if v.slot_of in wholes and any(name in gone for name, _ in nodes_of(wholes[v.slot_of]))
        for node, _ in nodes_of(v)
    }
    for train_op in opened.train_ops:
        for spec in train_op.optimizers:
            for name in gone & set(spec.slots):
                state.update(spec.slots[name].values())
    lost = {graph.index[name] for name in gone | state if name in graph.index}
    writes = frozenset(
        at
        for at, write in training.writes.by_node.items()
        if at in cone and write.variables and set(write.variables) <= lost
    )
    return Dropped(writes, tuple(sorted(gone)))


def decline_unplantable(graph: GraphModel, roots: Sequence[int]) -> None:
    """Raise ReconstructionError for SyncReplicasOptimizer, whose step several processes make.

    Its gradients pass accumulators and its step waits for tokens of a queue, neither of which is
    stored: one process with a copy of it would wait for ever.
    """
    for at in sorted(upstream(graph, roots)):
        node = graph.nodes[at]
        if node.op in _ACCUMULATORS:
            raise ReconstructionError(
                f"gathers gradients in {node.name} ({node.op}), as SyncReplicasOptimizer does; "
                "the tokens and gradients of its workers are not stored",
                where=graph.nodes[roots[0]].name,
                remedy="Rebuild the optimizer inside of it: leave the graph out and pass "
                "optimizer=.",
            )

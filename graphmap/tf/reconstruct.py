"""A stored train op over the caller's own graph: same optimizer, slots and step, other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.errors import ReconstructionError, UsageError
from graphmap.model.collector import collector_paused
from graphmap.tf.by_class import rebuild_by_class
from graphmap.tf.by_class_told import with_what_is_stored
from graphmap.tf.importing import open_any
from graphmap.tf.runtime import tensorflow
from graphmap.tf.safety import check_sound
from graphmap.tf.transplant_build import Transplant
from graphmap.tf.transplant_rebuilt import RebuildReport, Rebuilt

__all__ = ["RebuildReport", "Rebuilt", "reconstruct_train_op"]


@collector_paused()
def reconstruct_train_op(
    path: Any,
    loss: Any,
    name_map: Any = None,
    train_op: Any = None,
    var_list: Any = None,
    global_step: Any = None,
    optimizer: Any = None,
    gradient_transform: Any = None,
    *,
    tags: str | None = None,
    step: int | None = None,
    allow_unsafe: bool = False,
    allow_inexact: bool = False,
) -> Rebuilt:
    """Rebuild the stored train op over `loss`, a tensor of a new graph.

    loss: a tensor, a list of tensors, or {stored train op or stored loss: tensor}; each must be the
    same computation as a stored loss, op by op, but is taken as given under a stored name.
    name_map: {new variable: stored variable}, a
    NameMap or a path to one; without it the computation itself pairs the variables. train_op: the
    stored op or ops to rebuild, by default all train ops found. var_list: the variables to train;
    the stored updates of all others are left out. global_step: the caller's step variable.
    optimizer: what the files cannot tell; with it (`{}` is enough where they tell all) an update
    that cannot be copied, such as one over another number of partitions, is rebuilt by class.
    gradient_transform: called
    with [(raw gradient, variable), ...], returns as many gradients, before stored clipping.
    allow_inexact: random ops, whose state no file holds, start anew; the report lists them.

    Raises ReconstructionError, before the graph is changed, where the result would not train on
    exactly as the stored run did.
    """
    opened = open_any(path, tags, step)
    losses = _losses(loss)
    graph = losses[0][1].graph
    _check_told(graph, global_step, optimizer)
    stored = opened.stored.graph
    wanted = _names(train_op)
    if stored is None or (optimizer is not None and not opened.train_ops and not wanted):
        return _by_class(opened, losses, name_map, optimizer, global_step, ())
    check_sound(stored, opened.stored.path)
    transplant = Transplant(opened, graph, stored, name_map, var_list)
    transplant.allow_inexact = allow_inexact
    try:
        return transplant.run(losses, wanted, global_step, allow_unsafe, gradient_transform)
    except ReconstructionError as cause:
        if optimizer is None or len(losses) > 1 or gradient_transform is not None:
            raise
        told = with_what_is_stored(opened, optimizer)
        why = f"the stored update could not be copied: {cause.where}: {cause.message}"
        return _by_class(opened, losses, name_map, told, global_step, (why,))


def _check_told(graph: Any, global_step: Any, optimizer: Any) -> None:
    """Raise UsageError for a step of another graph, and for what is no optimizer."""
    operation = getattr(global_step, "op", None)
    is_variable = operation is not None and operation.type in VARIABLE_OPS
    if global_step is not None and not (is_variable and global_step.op.graph is graph):
        raise UsageError(
            "belongs to another graph than the loss" if is_variable else "is no variable",
            where=f"global_step {getattr(operation, 'name', global_step)!s:.60}",
            remedy="Pass the step variable of the graph of the loss, or none: one is made.",
        )
    if optimizer is not None and not isinstance(
        optimizer, Mapping | tensorflow().compat.v1.train.Optimizer
    ):
        raise UsageError(
            f"is a {type(optimizer).__name__}",
            where="optimizer",
            remedy='Pass a tf.compat.v1.train optimizer, or {"kind": ..., "hyperparameters": ...}.',
        )


def _by_class(
    opened: Any, losses: Any, name_map: Any, optimizer: Any, global_step: Any, why: tuple[str, ...]
) -> Rebuilt:
    if len(losses) > 1:
        raise ReconstructionError(
            "stores no train op, so several losses cannot be told apart",
            where=opened.stored.path,
            remedy="Rebuild one loss at a time.",
        )
    return rebuild_by_class(opened, losses[0][1], name_map, optimizer, global_step, why)


def _losses(loss: Any) -> list[tuple[str | None, Any]]:
    """Return (stored name or None, tensor) for each loss; raises UsageError."""
    found: list[tuple[str | None, Any]]
    if isinstance(loss, Mapping):
        found = [(str(name), tensor) for name, tensor in loss.items()]
    else:
        found = [(None, tensor) for tensor in (loss if isinstance(loss, list | tuple) else [loss])]
    tensor_type = tensorflow().Tensor
    if not found or any(
        not isinstance(tensor, tensor_type) or not hasattr(tensor, "graph") for _, tensor in found
    ):
        raise UsageError(
            "is no tensor of a graph",
            where="loss",
            remedy="Pass a tensor made under tf.Graph().as_default(), or a list or dict of such.",
        )
    if len({id(tensor.graph) for _, tensor in found}) > 1:
        raise UsageError("holds tensors of several graphs", where="loss", remedy="Use one graph.")
    return found


def _names(train_op: Any) -> list[str] | None:
    if train_op is None:
        return None
    items = train_op if isinstance(train_op, list | tuple) else [train_op]
    return [item if isinstance(item, str) else item.name for item in items]

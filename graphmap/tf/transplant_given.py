"""Gradients that are not the stored ones: of a loss that is taken as given, or transformed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from graphmap.analysis.gradients import Seed, TensorRef
from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.raw_gradients import RawGradient
from graphmap.analysis.updates import Training, upstream
from graphmap.analysis.values import Frame, Value, number
from graphmap.errors import ReconstructionError, UsageError
from graphmap.tf.runtime import tensorflow

__all__ = ["Given", "check_given", "differentiated", "seeds_below", "transformed"]


class Given(NamedTuple):
    """A stored loss, and the tensor of the new graph that stands for it by the caller's word."""

    stored: TensorRef
    tensor: Any


def seeds_below(training: Training, given: Iterable[Given]) -> list[Seed]:
    """Return the seeds of what was differentiated and is made of a given loss."""
    nodes = {item.stored.node for item in given}
    found = []
    for call in training.calls:
        for seed in call.seeds:
            if seed.y is not None and nodes & set(upstream(training.graph, [seed.y.node])):
                found.append(seed)
    return found


def check_given(
    training: Training, raw: Sequence[RawGradient], seeds: Sequence[Seed], roots: Iterable[int]
) -> None:
    """Raise ReconstructionError where new gradients cannot stand for the stored ones."""
    graph = training.graph
    nodes = {seed.node for seed in seeds}
    for seed in seeds:
        if number(Value(Frame(graph), seed.node)) != 1:
            raise ReconstructionError(
                "weights the gradient (grad_ys), which is not made anew",
                where=graph.nodes[seed.node].name,
                remedy="Pass a loss that is the stored computation, op by op.",
            )
    mixed = [item for item in raw if item.seeds & nodes and item.seeds - nodes]
    per_variable = [item.variable for item in raw if item.seeds & nodes]
    twice = [at for at in per_variable if per_variable.count(at) > 1]
    if mixed or twice or not per_variable:
        at = mixed[0].variable if mixed else twice[0] if twice else None
        raise ReconstructionError(
            "has several gradients in the stored update, of which one loss is given only"
            if at is not None
            else "no stored update takes a gradient of it",
            where="loss" if at is None else graph.nodes[at].name,
            remedy="Pass a loss that is the stored computation, op by op.",
        )
    _check_forward_use(training, raw, seeds, roots)


def _check_forward_use(
    training: Training, raw: Sequence[RawGradient], seeds: Sequence[Seed], roots: Iterable[int]
) -> None:
    """The update may use the loss itself, but no other tensor of the stored forward pass."""
    graph = training.graph
    ys = [seed.y.node for seed in seeds if seed.y is not None]
    stop = {item.tensor.node for item in raw} | set(ys)
    stop |= {item.indices.node for item in raw if item.indices is not None}
    rest = upstream(graph, roots, stop=stop)
    forward = upstream(graph, ys, controls=False)
    for at in rest:
        if at in forward and at not in stop and graph.nodes[at].op not in VARIABLE_OPS:
            sources = upstream(graph, [at], controls=False)
            weights = [s for s in sources if s in training.forward_variables]
            trained = [
                s for s in weights
                if any(training.takes_gradient(w) for w in training.writes.by_variable.get(s, ()))
            ]  # fmt: skip
            is_read = graph.nodes[at].op in {"Identity", "ReadVariableOp"}
            if trained and not is_read:
                raise ReconstructionError(
                    f"the stored update uses {graph.nodes[at].name}, a tensor of the forward pass "
                    "that a loss taken as given has no counterpart of",
                    where=graph.nodes[at].name,
                    remedy="Pass a loss that is the stored computation, op by op.",
                )


def differentiated(
    graph: Any, ys: Sequence[Any], raw: Sequence[RawGradient], variables: Sequence[Any]
) -> dict[TensorRef, str]:
    """Differentiate; returns {stored gradient tensor: new tensor name}."""
    tf = tensorflow()
    with graph.as_default(), tf.compat.v1.name_scope(None):
        # gated, as Optimizer.minimize does: every read of a weight comes before its update
        made = tf.compat.v1.gradients(
            list(ys), list(variables), name="resumed_gradients", gate_gradients=True
        )
    found: dict[TensorRef, str] = {}
    for item, variable, gradient in zip(raw, variables, made, strict=True):
        if gradient is None:
            raise ReconstructionError(
                "is trained by the stored op, and the given loss does not reach it",
                where=variable.op.name,
                remedy="Check the loss; var_list= leaves its update out.",
            )
        _put(found, item, gradient, variable.op.name, "the given loss")
    return found


def transformed(
    graph: Any,
    raw: Sequence[RawGradient],
    tensors: Mapping[TensorRef, Any],
    variables: Sequence[Any],
    transform: Any,
) -> dict[TensorRef, str]:
    """Call `transform([(gradient, variable), ...])`; returns {stored tensor: new tensor name}.

    It returns as many gradients, or pairs, in the same order. Raises UsageError.
    """
    tf = tensorflow()
    pairs = []
    for item, variable in zip(raw, variables, strict=True):
        gradient = tensors[item.tensor]
        if item.indices is not None:
            gradient = tf.IndexedSlices(gradient, tensors[item.indices], tf.shape(variable))
        pairs.append((gradient, variable))
    with graph.as_default():
        answer = list(transform(pairs))
    if len(answer) != len(pairs):
        raise UsageError(
            f"returned {len(answer)} gradients, not {len(pairs)}",
            where="gradient_transform",
            remedy="Return one gradient for each (gradient, variable) that it was given.",
        )
    found: dict[TensorRef, str] = {}
    for item, variable, entry in zip(raw, variables, answer, strict=True):
        gradient = entry[0] if type(entry) is tuple else entry
        _put(found, item, gradient, variable.op.name, "gradient_transform")
    return found


def _put(
    found: dict[TensorRef, str], item: RawGradient, gradient: Any, variable: str, source: str
) -> None:
    tf = tensorflow()
    is_sparse = isinstance(gradient, tf.IndexedSlices)
    if is_sparse != (item.indices is not None):
        raise ReconstructionError(
            f"the gradient by {source} is {'sparse' if is_sparse else 'dense'}, the stored one is "
            "not",
            where=variable,
            remedy="Look the rows up as the stored graph does.",
        )
    if is_sparse and item.indices is not None:
        found[item.tensor] = gradient.values.name
        found[item.indices] = gradient.indices.name
    else:
        found[item.tensor] = tf.convert_to_tensor(gradient).name

"""Rebuilding a train op by the optimizer's class, where no stored update can be copied.

The optimizer is made anew over the caller's loss; its slots, powers and step come from the files,
paired by what the names of the files tell.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from graphmap.analysis.updates import upstream
from graphmap.errors import ReconstructionError, RestoreError, UnresolvedNameError, UsageError
from graphmap.matching import Side, match_variables
from graphmap.model.variable import Part, Variable
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import Assignment, check_assignments, nodes_of
from graphmap.tf.descent import Difference
from graphmap.tf.live import (
    LiveVariable,
    expected_variables,
    live_model,
    live_variables,
    variable_object,
)
from graphmap.tf.maps import STORED_AS_IS, as_name_map
from graphmap.tf.runtime import tensorflow
from graphmap.tf.transplant_rebuilt import RebuildReport, Rebuilt
from graphmap.tf.transplant_state import make_state

__all__ = ["rebuild_by_class"]

_NAME = "resumed_optimizer"


def rebuild_by_class(
    opened: OpenedModel,
    loss: Any,
    name_map: Any,
    optimizer: Any,
    global_step: Any,
    why: tuple[str, ...] = (),
) -> Rebuilt:
    """Make the optimizer over `loss`, and plan what to restore.

    why: what speaks against copying the stored update, where there is one.
    A partitioned variable gets its pieces of the whole that is stored, slots included, in whatever
    number of pieces the new graph has. Raises RestoreError where the files lack a slot.
    """
    graph = loss.graph
    made, told_step = _optimizer(optimizer)
    pairs = _weights(opened, graph, name_map)
    by_node = {live.node: live for live in live_variables(graph).values()}
    slots = _stored_slots(opened)
    slotted = {primary for primary, _ in slots}
    trained = [
        variable
        for variable in graph.get_collection("trainable_variables")
        if variable.op.name in pairs
        and (not slotted or pairs[variable.op.name].stored.name in slotted)
    ]
    if not trained:
        raise ReconstructionError(
            "no trainable variable of the new graph has stored optimizer state",
            where=opened.stored.path,
            remedy="Pass name_map={new variable: stored variable}.",
        )
    _check_complete(opened, loss, pairs, {v.op.name for v in trained}, slotted)
    step, step_variable = _step(opened, graph, global_step, told_step)
    if made is not optimizer:  # one of the caller's own cannot be tried out elsewhere
        _try_out(opened, _optimizer(optimizer)[0], [(v, pairs[v.op.name]) for v in trained], slots)
    with graph.as_default():
        train_op = made.minimize(loss, global_step=step, var_list=trained)
    state = [(live, pairs[node]) for node, live in by_node.items() if node in pairs]
    lives = live_variables(graph)
    for variable in trained:
        primary, part = pairs[variable.op.name]
        for word in made.get_slot_names():
            slot = made.get_slot(variable, word)
            if slot is not None:
                found = _slot(opened, slots, primary.name, word)
                state.append((lives[slot.op.name], _Source(found, part)))
    for name, variable in _non_slots(made, graph):
        state.append((lives[variable.op.name], _Source(_non_slot(opened, name))))
    if step is not None and step_variable is not None:
        state.append((lives[step.op.name], _Source(step_variable)))
    held = {live.node for live, _ in state}
    without = [v.op.name for v in made.variables() if v.op.name not in held]
    if without:
        raise RestoreError(
            f"holds nothing for {', '.join(without)}, which the optimizer keeps",
            where=opened.stored.path,
            remedy="Without it the optimizer cannot go on exactly; check optimizer=.",
        )
    return _rebuilt(opened, graph, train_op, state, made, why)


def _check_complete(
    opened: OpenedModel,
    loss: Any,
    pairs: Mapping[str, _Source],
    trained: set[str],
    slotted: set[str],
) -> None:
    """Raise ReconstructionError where a variable would silently not be trained on."""
    known = {source.stored.name for source in pairs.values()}
    lost = sorted(slotted - known)
    model = live_model(loss.graph).stored.graph
    assert model is not None
    reached = {model.nodes[at].name for at in upstream(model, [model.index[loss.op.name]])}
    trainable = {v.op.name for v in loss.graph.get_collection("trainable_variables")}
    free = sorted((trainable & reached) - trained - set(pairs))
    if lost or free:
        raise ReconstructionError(
            f"was trained in the stored run and is not paired ({len(lost)} such)"
            if lost
            else f"is reached by the loss and is not paired ({len(free)} such)",
            where=lost[0] if lost else free[0],
            remedy="Pass a name_map with every variable that the stored run trained.",
        )


def _try_out(
    opened: OpenedModel,
    made: Any,
    trained: list[tuple[Any, _Source]],
    slots: Mapping[tuple[str, str], Variable],
) -> None:
    """Raise RestoreError where the files lack what the optimizer keeps; changes no graph."""
    tf = tensorflow()
    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        copies = [
            tf1.Variable(tf.zeros(variable.shape, variable.dtype.base_dtype), name=f"v{place}")
            for place, (variable, _) in enumerate(trained)
        ]
        made.minimize(tf.add_n([tf.reduce_sum(tf.cast(v, tf.float32)) for v in copies]))
        for copy, (_, source) in zip(copies, trained, strict=True):
            for word in made.get_slot_names():
                if made.get_slot(copy, word) is not None:
                    _slot(opened, slots, source.stored.name, word)
        for name, _ in _non_slots(made, graph):
            _non_slot(opened, name)


def _rebuilt(
    opened: OpenedModel,
    graph: Any,
    train_op: Any,
    state: list[tuple[LiveVariable, _Source]],
    made: Any,
    why: tuple[str, ...],
) -> Rebuilt:
    unique = {live.node: (live, source) for live, source in state}
    assignments = [
        Assignment(live, str(source.stored.checkpoint_key), source.part)
        for live, source in unique.values()
    ]
    check_assignments(assignments, opened.stored)
    operation = getattr(train_op, "op", train_op)
    return Rebuilt(
        graph=graph,
        stored=opened.stored,
        train_ops={operation.name: operation},
        feeds={},
        state_map={
            source.stored.name: variable_object(live)
            for live, source in unique.values()
            if source.part is None
        },
        assignments=assignments,
        report=RebuildReport(
            "by class",
            forward_equal=Difference("", "", why[0] if why else "no stored graph to compare with"),
            gradients_equal=Difference("", "", "they were made anew by the optimizer's class"),
            assumed=(
                *why,
                f"{type(made).__name__} and its hyper-parameters, as told",
                "gradients reach it unprocessed, in the order of the trainable variables",
            ),
        ),
    )


def _optimizer(told: Any) -> tuple[Any, str | None]:
    """Return the optimizer, and the stored step's name if it was told."""
    tf1 = tensorflow().compat.v1
    if isinstance(told, tf1.train.Optimizer):
        return told, None
    if not isinstance(told, Mapping) or not told.get("kind"):
        raise ReconstructionError(
            "the files hold no train op, so they cannot tell which optimizer it was",
            where="optimizer",
            remedy='Pass optimizer={"kind": "Adam", "hyperparameters": {"learning_rate": ...}}, '
            "or a tf.compat.v1.train optimizer.",
        )
    kind = str(told["kind"]).removesuffix("Optimizer")
    made = getattr(tf1.train, f"{kind}Optimizer", None)
    if made is None:
        raise UsageError(
            f"{kind!r} is no optimizer of tf.compat.v1.train",
            where="optimizer",
            remedy="See "
            "https://www.tensorflow.org/api_docs/python/tf/compat/v1/train for their names.",
        )
    options = dict(told.get("hyperparameters") or {})
    known = inspect.signature(made.__init__).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise UsageError(
            f"{kind}Optimizer takes no {', '.join(unknown)}",
            where="optimizer",
            remedy=f"It takes: {', '.join(n for n in known if n != 'self')}",
        )
    step = told.get("global_step")
    try:
        return made(**{"name": _NAME, **options}), None if step is None else str(step)
    except TypeError as cause:
        raise UsageError(str(cause), where="optimizer", remedy="Tell it too.") from cause


class _Source(NamedTuple):
    """A stored variable, and which piece of it a new one holds."""

    stored: Variable
    part: Part | None = None


def _weights(opened: OpenedModel, graph: Any, name_map: Any) -> dict[str, _Source]:
    """Return {new variable node: what it gets} of the model itself."""
    live = live_model(graph)
    expected = expected_variables(live)
    stored = {v.name: v for v in opened.variables if v.checkpoint_key is not None}
    if name_map is None:
        side = Side(tuple(stored.values()), opened.stored.graph)
        found = match_variables(Side(expected, live.stored.graph, ordered=True), side)
        left = [d for d in found.decisions if d.status != "matched"]
        if left:
            near = tuple(candidate.actual for candidate in left[0].candidates)
            raise UnresolvedNameError(
                f"{left[0].status}: {len(left)} of {len(found.decisions)} variables have no "
                f"certain counterpart; nearest: {', '.join(near[:5]) or 'none'}",
                where=left[0].expected,
                remedy="Pass name_map={new variable: stored variable}.",
                candidates=near,
            )
    else:
        found = as_name_map(name_map)
    by_name = {v.name: v for v in expected}
    pairs: dict[str, _Source] = {}
    for decision in found.matched:
        ours, theirs = by_name.get(decision.expected), stored.get(decision.actual or "")
        if ours is None or theirs is None or decision.layout not in STORED_AS_IS:
            raise UnresolvedNameError(
                f"is not paired by name_map: {decision.actual!r}, layout {decision.layout}",
                where=decision.expected,
                remedy="A map goes {new variable: stored variable}; both must exist.",
            )
        pairs.update((node, _Source(theirs, part)) for node, part in nodes_of(ours))
    return pairs


def _stored_slots(opened: OpenedModel) -> dict[tuple[str, str], Variable]:
    return {
        (v.slot_of, v.slot): v
        for v in opened.variables
        if v.role == "slot" and v.slot_of and v.slot and v.checkpoint_key
    }


def _slot(
    opened: OpenedModel, slots: Mapping[tuple[str, str], Variable], primary: str, word: str
) -> Variable:
    found = slots.get((primary, word))
    if found is None:
        raise RestoreError(
            f"holds no slot {word!r} of {primary}",
            where=opened.stored.path,
            remedy="Without its slots an optimizer cannot go on exactly; check optimizer=.",
        )
    return found


def _non_slots(made: Any, graph: Any) -> Iterable[tuple[str, Any]]:
    """Variables of the optimizer as a whole, such as beta powers; private, but there since 1.0."""
    for (name, _), variable in made._non_slot_dict.items():
        if variable.graph is graph:
            yield name, variable


def _non_slot(opened: OpenedModel, name: str) -> Variable:
    found = [
        v
        for v in opened.variables
        if v.role == "optimizer" and v.checkpoint_key and v.name.split("/")[-1] == name
    ]
    if len(found) != 1:
        raise RestoreError(
            f"holds {len(found)} variables that could be the optimizer's {name}",
            where=opened.stored.path,
            remedy="Without it the optimizer cannot go on exactly.",
        )
    return found[0]


def _step(
    opened: OpenedModel, graph: Any, given: Any, told: str | None
) -> tuple[Any, Variable | None]:
    """Return (step variable of the new graph, stored step); a step is made where none is given."""
    stored = {v.name: v for v in opened.variables if v.checkpoint_key is not None}
    if told is not None and told not in stored:
        raise UsageError(f"{told!r} is not stored", where="global_step", remedy="Check optimizer=.")
    steps = [v for v in stored.values() if v.role == "step"]
    found = stored[told] if told is not None else steps[0] if len(steps) == 1 else None
    step = given if given is not None else tensorflow().compat.v1.train.get_global_step(graph)
    if found is None:
        return given, None
    if step is None:
        trainable = graph.get_collection("trainable_variables")
        resource = all(v.op.type == "VarHandleOp" for v in trainable)
        dtype = found.dtype or "int64"
        step = make_state(graph, found.name, dtype, (), resource=resource, is_step=True)
    return step, found

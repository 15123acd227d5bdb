"""Fused update ops: which optimizer they belong to, its hyper-parameters and slots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from graphmap.analysis.inner_training import find_inner_trainings, renamed
from graphmap.analysis.keras_words import keras_scope, keras_words
from graphmap.analysis.ops import ASSIGN_OPS, ApplyRule, apply_rule, is_apply, is_write
from graphmap.analysis.rules import describe_rule, find_clip_norm
from graphmap.analysis.schedules import describe
from graphmap.analysis.updates import Training
from graphmap.analysis.values import (
    Frame,
    Value,
    inputs_of,
    node_of,
    number,
    operand,
    operands,
    resolve,
    root_variable,
)
from graphmap.model.training import OptimizerSpec

__all__ = ["find_optimizers"]

_INITIAL = {
    "Adagrad": ("accumulator", "initial_accumulator_value"),
    "ProximalAdagrad": ("accumulator", "initial_accumulator_value"),
    "Ftrl": ("accum", "initial_accumulator_value"),
    "AdagradDA": (
        "gradient_squared_accumulator", "initial_gradient_squared_accumulator_value",
    ),
}  # fmt: skip
_CLIPPING = frozenset({"AdamWeightDecay", "LAMB"})  # clip by a global norm, in their own code
_BODY_LIMIT = 100  # bodies below one call; functions that call themselves end here


_Known = dict[tuple[int, int], Any]  # {tensor of the top graph: its description}


class Site(NamedTuple):
    """An op that updates a trained variable, in the graph or in a body that the graph calls."""

    frame: Frame
    node: int
    variable: int  # in the top graph


class Update(NamedTuple):
    """What one site does: its optimizer, and the trained variable's slots."""

    kind: str
    hyperparameters: dict[str, Any]
    non_slots: dict[str, str]
    variable: str
    slots: dict[str, str]
    is_sparse: bool


def find_optimizers(
    training: Training, updates: Iterable[int], trainable: frozenset[str]
) -> tuple[OptimizerSpec, ...]:
    """Return the optimizers behind these update nodes, in the order of their first update.

    trainable: names of the trainable variables; plain writes to others are no updates.
    """
    root = Frame(training.graph)
    groups: dict[str, list[Update]] = {}
    inner: list[OptimizerSpec] = []
    known: _Known = {}
    for position in updates:
        found = [
            update
            for site in _sites(root, position)
            if (update := _update_at(training, site, trainable, known)) is not None
        ]
        is_call = not is_write(training.graph.nodes[position].op)
        if is_call and all(update.kind == "custom" for update in found):
            specs = _inner_specs(training, position)
            inner += specs
            found = [] if specs else found
        for update in found:
            key = repr((update.kind, _key(update), sorted(update.non_slots.items())))
            groups.setdefault(key, []).append(update)
    return (*(_spec(training, group) for group in groups.values()), *inner)


def _inner_specs(training: Training, position: int) -> list[OptimizerSpec]:
    """Return the optimizers of a body that holds forward pass, gradients and update."""
    return [
        renamed(spec, inner.names)
        for inner in find_inner_trainings(training.graph, position)
        for spec in find_optimizers(inner.training, inner.training.updates, frozenset())
    ]


def _key(update: Update) -> list[tuple[str, str]]:
    """Weight decay differs between the variables of one optimizer, locking between forms."""
    told = update.hyperparameters.items()
    return sorted((k, repr(v)) for k, v in told if k not in {"weight_decay_rate", "use_locking"})


def _spec(training: Training, group: list[Update]) -> OptimizerSpec:
    hyperparameters: dict[str, Any] = {}
    for update in group:
        for name, value in update.hyperparameters.items():
            if name not in hyperparameters or not hyperparameters[name]:
                hyperparameters[name] = value
    if group[0].kind in _CLIPPING:
        hyperparameters.update(find_clip_norm(training))
    return OptimizerSpec(
        kind=group[0].kind,
        hyperparameters=hyperparameters,
        slots={update.variable: update.slots for update in group},
        non_slots=group[0].non_slots,
        sparse=tuple(dict.fromkeys(update.variable for update in group if update.is_sparse)),
    )


def _sites(frame: Frame, position: int) -> list[Site]:
    """Return the writes to variables of the top graph that a node makes, itself or in bodies."""
    found = []
    pending = [(frame, position)]
    entered = 0
    while pending:
        frame, position = pending.pop()
        if is_write(frame.graph.nodes[position].op):
            variable = root_variable(operand(Value(frame, position), 0))
            if variable >= 0:
                found.append(Site(frame, position, variable))
        elif entered < _BODY_LIMIT:
            inner = []
            for body in frame.bodies(position):
                entered += 1
                inner += [(body, at) for at in range(len(body.graph.nodes))]
            pending += reversed(inner)
    return found


def _update_at(
    training: Training, site: Site, trainable: frozenset[str], known: _Known
) -> Update | None:
    graph = training.graph
    node = site.frame.graph.nodes[site.node]
    name = graph.nodes[site.variable].name
    rule = apply_rule(node.op)
    if rule is not None:
        return _fused(training, site, rule, name, known)
    if is_apply(node.op):
        return Update("custom", {}, {}, name, {}, "Sparse" in node.op)
    if site.variable not in training.forward_variables or (trainable and name not in trainable):
        return None
    found = describe_rule(training, site.frame, site.node, site.variable)
    if found is None:
        return None
    return Update(found.kind, found.hyperparameters, found.non_slots, name, found.slots,
                  found.is_sparse)  # fmt: skip


def _fused(training: Training, site: Site, rule: ApplyRule, name: str, known: _Known) -> Update:
    value = Value(site.frame, site.node)
    node = node_of(value)
    names = training.graph.nodes
    slots = {
        word: names[at].name
        for word, place in rule.slots.items()
        if (at := root_variable(operand(value, place))) >= 0
    }
    scalars = {word: operand(value, place) for word, place in rule.scalars.items()}
    told = {word: _described(s, known) for word, s in scalars.items() if s is not None}
    kind = rule.kind
    l2 = scalars.get("l2_regularization_strength")
    if kind == "Ftrl" and l2 is not None:
        told.update(_ftrl_l2(l2))
    if node.op.endswith("CenteredRMSProp"):
        told["centered"] = True
    if "use_nesterov" in node.attrs or kind == "Momentum":
        nesterov = bool(node.attrs.get("use_nesterov", False))
        if nesterov or kind == "Momentum":
            told["use_nesterov"] = nesterov
    if node.attrs.get("use_locking"):
        told["use_locking"] = True
    told.update(_initial_value(training, kind, slots))
    powers = {
        word: names[at].name
        for word, place in rule.powers.items()
        if (at := root_variable(operand(value, place))) >= 0
    }
    scope = keras_scope(training.graph, told)
    if scope is not None:
        kind, told, slots, powers = keras_words(training.graph, scope, kind, told, slots)
    return Update(kind, told, powers, name, slots, rule.indices >= 0)


def _described(value: Value, known: _Known) -> Any:
    """All updates of one optimizer share their scalars: each is described once."""
    if value.frame.caller is not None:
        return describe(value)
    place = (value.node, value.output)
    if place not in known:
        known[place] = describe(value)
    return known[place]


def _ftrl_l2(value: Value) -> dict[str, Any]:
    """FtrlOptimizer feeds l2 + beta / (2 * max(lr, 1e-36)); take it apart."""
    total = operands(resolve(value), {"Add", "AddV2"})
    quotient = operands(total[1], {"RealDiv"}) if total is not None else None
    if total is None or quotient is None:
        return {}
    beta, l2 = describe(quotient[0]), {"l2_regularization_strength": describe(total[0])}
    return {**l2, "beta": beta} if beta != 0 else l2


def _initial_value(training: Training, kind: str, slots: dict[str, str]) -> dict[str, Any]:
    """Return what a slot starts with, which only its initializer tells."""
    word, argument = _INITIAL.get(kind, ("", ""))
    if word not in slots:
        return {}
    graph = training.graph
    variable = graph.index[slots[word]]
    for writer in training.writes.by_variable.get(variable, ()):
        if graph.nodes[writer].op in ASSIGN_OPS and not _is_restored(training, writer):
            sources = inputs_of(Value(Frame(graph), writer))
            if len(sources) == 2 and number(sources[1]) is not None:
                return {argument: number(sources[1])}
    return {}


def _is_restored(training: Training, writer: int) -> bool:
    sources = inputs_of(Value(Frame(training.graph), writer))
    return len(sources) == 2 and node_of(resolve(sources[1])).op.startswith("Restore")

"""The training lanes under a loss: loss -> gradients -> optimizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphmap.analysis.ops import apply_rule, is_apply
from graphmap.analysis.writes import trace_variable
from graphmap.model.graph import GraphModel
from graphmap.model.training import OptimizerSpec, TrainOp
from graphmap.names import op_name
from graphmap.render.forward import parameter_count
from graphmap.render.roles import Roles
from graphmap.render.scene import Row
from graphmap.render.text import count_text

__all__ = ["Lane", "find_lanes"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One gradient computation and what it drives.

    losses: positions of the nodes that it starts from. optimizer: rows, () without an update.
    """

    losses: tuple[int, ...]
    gradients: tuple[Row, ...]
    optimizer: tuple[Row, ...]
    kinds: tuple[str, ...]
    variables: tuple[int, ...]


def find_lanes(graph: GraphModel, roles: Roles, train_ops: tuple[TrainOp, ...]) -> tuple[Lane, ...]:
    """Return the lanes in the order of their first gradient scope.

    Gradient scopes that end in one update (towers, mixed losses) are one lane.
    """
    lanes = _collect(graph, roles, _groups(roles))
    _assign_specs(graph, lanes, train_ops)
    return tuple(_lane(graph, lane) for lane in lanes)


@dataclass(slots=True)
class _Found:
    """What the graph says about one lane. updated: {variable: op type of its update}."""

    losses: tuple[int, ...]
    counts: Counter[str] = field(default_factory=Counter)
    updated: dict[int, str] = field(default_factory=dict)
    slots: dict[int, None] = field(default_factory=dict)
    specs: list[OptimizerSpec] = field(default_factory=list)


def _groups(roles: Roles) -> list[int]:
    """Return disjoint bit sets of gradient scopes, joined by the updates that take several."""
    masks = [1 << index for index in range(len(roles.scopes))]
    for position, role in enumerate(roles.role):
        mask = roles.gradient_of[position]
        if role != "optimizer" or mask & (mask - 1) == 0:
            continue
        touched = [known for known in masks if known & mask]
        for known in touched:
            mask |= known
        if len(touched) > 1:
            masks = [known for known in masks if not known & mask] + [mask]
    return sorted(masks, key=lambda mask: mask & -mask)


def _collect(graph: GraphModel, roles: Roles, masks: list[int]) -> list[_Found]:
    lanes = []
    for mask in masks:
        names = {scope for i, scope in enumerate(roles.scopes) if mask >> i & 1}
        losses = tuple(p for p, scopes in roles.losses.items() if names.intersection(scopes))
        lanes.append(_Found(losses))
    driven: dict[int, list[_Found]] = {0: []}  # by the gradient scopes that a node depends on
    for position, role in enumerate(roles.role):
        scopes = roles.gradient_of[position]
        if scopes not in driven:
            both = zip(masks, lanes, strict=True)
            driven[scopes] = [lane for mask, lane in both if mask & scopes]
        for lane in driven[scopes]:
            lane.counts[role] += 1
            if role == "optimizer":
                _note_update(graph, roles, position, lane.updated, lane.slots)
    return lanes


def _assign_specs(graph: GraphModel, lanes: list[_Found], train_ops: tuple[TrainOp, ...]) -> None:
    """Give every optimizer to the one lane that it fits best: slots, then op types, then loss."""
    seen: set[int] = set()
    for train_op in train_ops:
        loss = graph.index.get(op_name(train_op.loss), -1) if train_op.loss else -1
        for spec in train_op.optimizers:
            if id(spec) in seen or not lanes:
                continue
            seen.add(id(spec))
            fits = [_fitness(graph, lane, spec, loss) for lane in lanes]
            best = max(fits)
            if best > (0, 0, 0, 0):
                lane = lanes[fits.index(best)]
                if not any(_is_same(spec, known) for known in lane.specs):
                    lane.specs.append(spec)


def _fitness(
    graph: GraphModel, lane: _Found, spec: OptimizerSpec, loss: int
) -> tuple[int, int, int, int]:
    slots = {graph.nodes[position].name for position in lane.slots}
    own = {name for words in spec.slots.values() for name in words.values()}
    updated = {graph.nodes[position].name for position in lane.updated}
    is_kind = spec.kind.rpartition(".")[2] in _kinds_by_op(lane.updated)
    shared = len(updated.intersection(spec.slots))
    return len(slots & own), shared * is_kind, shared, int(loss in lane.losses)


def _is_same(one: OptimizerSpec, other: OptimizerSpec) -> bool:
    """Whether two train ops run the same update, as a step with and without summaries does."""
    return (one.kind, one.slots) == (other.kind, other.slots)


def _lane(graph: GraphModel, lane: _Found) -> Lane:
    words = f"{lane.counts['gradients']:,} ops, mirror the forward pass"
    gradients = [Row("gradients", words, "", "", "training")]
    if lane.counts["clip"]:
        title = "clip / post-process"
        gradients.append(Row(title, f"{lane.counts['clip']:,} ops", "", "", "training"))
    trained = {position: None for position in lane.updated if position not in lane.slots}
    # An update may be behind an accumulator, in a function or in sparse ops: the train op tells.
    trained.update(_positions(graph, [name for spec in lane.specs for name in spec.slots]))
    own = [name for s in lane.specs for words in s.slots.values() for name in words.values()]
    lane.slots.update(_positions(graph, own))
    kinds = tuple(dict.fromkeys(spec.kind for spec in lane.specs)) or _kinds_by_op(lane.updated)
    rows: tuple[Row, ...] = ()
    if trained:
        rows = _optimizer_rows(graph, tuple(trained), tuple(lane.slots), kinds, lane.specs)
    return Lane(lane.losses, tuple(gradients), rows, kinds if rows else (), tuple(trained))


def _positions(graph: GraphModel, names: list[str]) -> dict[int, None]:
    return {graph.index[name]: None for name in names if name in graph.index}


def _note_update(
    graph: GraphModel,
    roles: Roles,
    position: int,
    updated: dict[int, str],
    slots: dict[int, None],
) -> None:
    inputs = graph.topology.inputs[position]
    op = graph.nodes[position].op
    if not is_apply(op) and "Assign" not in op and "Scatter" not in op:
        return
    variable = trace_variable(graph, inputs[0][0]) if inputs and inputs[0][0] >= 0 else -1
    if variable < 0:
        return
    if roles.role[variable] == "slot":
        slots[variable] = None
    else:
        updated[variable] = op
    rule = apply_rule(op)
    for place in sorted(rule.slots.values()) if rule else ():
        slot = trace_variable(graph, inputs[place][0]) if place < len(inputs) else -1
        if slot >= 0:
            slots[slot] = None


def _kinds_by_op(updated: Mapping[int, str]) -> tuple[str, ...]:
    kinds: dict[str, None] = {}
    for op in updated.values():
        rule = apply_rule(op)
        if rule is not None:
            kinds[rule.kind] = None
    return tuple(kinds)


def _optimizer_rows(
    graph: GraphModel,
    trained: tuple[int, ...],
    slots: tuple[int, ...],
    kinds: tuple[str, ...],
    specs: list[OptimizerSpec],
) -> tuple[Row, ...]:
    scope = _common_scope([graph.nodes[position].name for position in trained])
    where = f" of {scope}" if scope else ""
    word = "variable" if len(trained) == 1 else "variables"
    total = count_text(parameter_count(graph, trained))
    title = " + ".join(kind for kind in kinds if kind != "custom")
    rows = [
        Row(
            f"{title} optimizer" if title else "optimizer",
            f"updates {len(trained)} {word}{where}, {total} params",
            _rates(specs), "", "training",
        )
    ]  # fmt: skip
    if slots:
        values = count_text(parameter_count(graph, slots))
        words = Counter(word for spec in specs for own in spec.slots.values() for word in own)
        unnamed = len(slots) - words.total()
        listed = [*sorted(words.items()), *([("other state", unnamed)] if unnamed > 0 else ())]
        kinds_text = ", ".join(f"{word} ×{count}" for word, count in listed) if words else ""
        rows.append(Row("slots", kinds_text, f"{len(slots)} vars, {values} values", "", "training"))
    return tuple(rows)


def _common_scope(names: list[str]) -> str:
    if not names:
        return ""
    parts = [name.split("/")[:-1] for name in names]
    common: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) != 1:
            break
        common.append(level[0])
    return "/".join(common)


def _rates(specs: list[OptimizerSpec]) -> str:
    rates = [spec.hyperparameters.get("learning_rate") for spec in specs]
    return ", ".join(dict.fromkeys(_rate(rate) for rate in rates if rate is not None))


def _rate(rate: Any) -> str:
    if isinstance(rate, Mapping):
        source = rate.get("source") or "tensor"
        return f"learning rate: {source} {op_name(str(rate.get('tensor', '')))}"
    return f"learning rate {rate:g}" if isinstance(rate, (int, float)) else f"learning rate {rate}"

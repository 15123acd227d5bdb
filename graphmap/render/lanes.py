"""The training lanes under a loss: loss -> gradients -> optimizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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


def find_lanes(
    graph: GraphModel, roles: Roles, train_ops: tuple[TrainOp, ...]
) -> tuple[Lane, ...]:
    """Return the lanes in the order of their first gradient scope.

    Gradient scopes that end in one update (towers, mixed losses) are one lane.
    """
    groups = _groups(roles)
    specs = _specs(train_ops)
    return tuple(_lane(graph, roles, group, specs) for group in groups)


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


def _specs(train_ops: tuple[TrainOp, ...]) -> dict[str, OptimizerSpec]:
    found: dict[str, OptimizerSpec] = {}
    for train_op in train_ops:
        for spec in train_op.optimizers:
            for variable in spec.slots:
                found.setdefault(variable, spec)
    return found


def _lane(
    graph: GraphModel, roles: Roles, mask: int, specs: Mapping[str, OptimizerSpec]
) -> Lane:
    counts: Counter[str] = Counter()
    updated: dict[int, str] = {}  # variable: op type of its update
    slots: dict[int, None] = {}
    for position, role in enumerate(roles.role):
        if not roles.gradient_of[position] & mask:
            continue
        counts[role] += 1
        if role == "optimizer":
            _note_update(graph, roles, position, updated, slots)
    names = {s for i, s in enumerate(roles.scopes) if mask >> i & 1}
    losses = tuple(p for p, scopes in roles.losses.items() if names.intersection(scopes))
    words = f"{counts['gradients']:,} ops, mirror the forward pass"
    gradients = [Row("gradients", words, "", "", "training")]
    if counts["clip"]:
        title = "clip / post-process"
        gradients.append(Row(title, f"{counts['clip']:,} ops", "", "", "training"))
    trained = tuple(position for position in updated if position not in slots)
    mine = list(dict.fromkeys(
        id(specs[graph.nodes[p].name]) for p in trained if graph.nodes[p].name in specs
    ))  # fmt: skip
    found = [spec for key in mine for spec in specs.values() if id(spec) == key]
    used = list({id(spec): spec for spec in found}.values())
    kinds = tuple(dict.fromkeys(spec.kind for spec in used)) or _kinds_by_op(updated)
    rows = _optimizer_rows(graph, trained, tuple(slots), kinds, used) if updated else ()
    return Lane(losses, tuple(gradients), rows, kinds if updated else (), trained)


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
        kinds_text = ", ".join(f"{word} ×{count}" for word, count in sorted(words.items()))
        rows.append(
            Row("slots", kinds_text, f"{len(slots)} vars, {values} values", "", "training")
        )
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

"""Stored weights into the variables of a live graph, whatever those are called there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphmap.errors import NameMapError, RestoreError, UnresolvedNameError
from graphmap.matching import Side, match_variables, rank_candidates
from graphmap.model.graph import Dims
from graphmap.model.namemap import Decision, NameMap
from graphmap.model.variable import Variable
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import (
    STORED_AS_IS,
    Assignment,
    RestoreReport,
    assign_values,
    dtype_fault,
    nodes_of,
    read_values,
    shape_fault,
    without,
)
from graphmap.tf.importing import find_prefixes, open_any
from graphmap.tf.live import LiveVariable, expected_variables, live_model, live_variables
from graphmap.tf.maps import as_name_map
from graphmap.tf.suggest import did_you_mean, no_counterpart

__all__ = ["RestoreReport", "restore"]

WEIGHT_ROLES = ("weight", "other")  # what a restore must find; optimizer state follows
STATE_ROLES = ("slot", "optimizer")  # of no use in part: restored whole or not at all


@dataclass
class _Plan:
    """Which live variable gets which stored one, while it is being worked out."""

    expected: tuple[Variable, ...]
    stored: dict[str, Variable]
    pairs: dict[str, Variable] = field(default_factory=dict)  # by expected name
    layouts: dict[str, str] = field(default_factory=dict)  # likewise; "same" where absent
    notes: list[str] = field(default_factory=list)


def restore(
    session: Any,
    path: Any,
    name_map: Any = None,
    var_list: Any = None,
    allow_missing: bool = False,
    *,
    tags: str | None = None,
    step: int | None = None,
) -> RestoreReport:
    """Assign stored values to the variables of session.graph, and read each back.

    name_map: {new variable: stored variable}, a NameMap or a path to one; without it names are
    resolved here. var_list: only these variables, or {checkpoint key: variable}.
    allow_missing: a weight that nothing is stored for, or of another shape, stays as it is.
    An optimizer's state is restored whole or not at all. Raises UnresolvedNameError for names
    that are missing or ambiguous, RestoreError for other faults, before anything is assigned.
    """
    opened = open_any(path, tags, step)
    read_values(opened.stored, ())
    model = live_model(session.graph)
    lives = live_variables(session.graph)
    stored = {v.name: v for v in opened.variables if v.checkpoint_key is not None}
    plan = _Plan(_wanted(expected_variables(model), var_list), stored)
    if isinstance(var_list, Mapping):
        _pair_by_keys(plan, var_list, opened)
    elif name_map is not None:
        _pair_by_map(plan, as_name_map(name_map), opened)
    else:
        _pair_by_itself(plan, session.graph, model, opened, allow_missing)
    _follow(plan)
    _require_weights(plan, opened, allow_missing)
    mismatched = _drop_mismatched(plan, lives) if allow_missing else ()
    assignments = list(_assignments(plan, lives))
    if not assignments:
        raise RestoreError(
            "shares no variable with this graph",
            where=opened.stored.path,
            remedy="Nothing has been assigned. Check that this is the checkpoint you mean.",
        )
    restored = assign_values(session, assignments, opened.stored)
    untouched = without(lives, [*restored, *mismatched])
    return RestoreReport(restored, untouched, mismatched, notes=tuple(plan.notes))


def _wanted(variables: Sequence[Variable], var_list: Any) -> tuple[Variable, ...]:
    """The live variables to restore, in creation order."""
    nodes_only = tuple(v for v in variables if v.node is not None or v.parts)
    if var_list is None:
        return nodes_only
    entries = var_list.values() if isinstance(var_list, Mapping) else var_list
    names = {piece.op.name for entry in entries for piece in _pieces(entry)}
    return tuple(v for v in nodes_only if any(name in names for name, _ in nodes_of(v)))


def _pieces(entry: Any) -> Iterable[Any]:
    if hasattr(entry, "_get_variable_list"):  # a PartitionedVariable
        return list(entry._get_variable_list())
    return entry if isinstance(entry, list | tuple) else [entry]


def _find(plan: _Plan, opened: OpenedModel, name: str) -> Variable | None:
    """A stored variable by name or checkpoint key."""
    found = plan.stored.get(name)
    return found or next((v for v in plan.stored.values() if v.checkpoint_key == name), None)


def _pair_by_place(plan: _Plan, prefix: str) -> None:
    by_node = {prefix + name: v for v in plan.stored.values() for name, _ in nodes_of(v)}
    for expected in plan.expected:
        stored = by_node.get(next(name for name, _ in nodes_of(expected)))
        if stored is not None:
            plan.pairs[expected.name] = stored


def _pair_by_keys(plan: _Plan, var_list: Mapping[str, Any], opened: OpenedModel) -> None:
    by_node = {name: v for v in plan.expected for name, _ in nodes_of(v)}
    pairs = {
        by_node[piece.op.name].name: key
        for key, entry in var_list.items()
        for piece in _pieces(entry)
    }
    _pair_named(plan, pairs, opened, "var_list")


def _pair_by_map(plan: _Plan, name_map: NameMap, opened: OpenedModel) -> None:
    expected = {v.name: v for v in plan.expected}
    _take_layouts(plan, name_map.matched)
    pairs = {d.expected: str(d.checkpoint_key or d.actual) for d in name_map.matched}
    unknown = [name for name in pairs if name not in expected]
    if unknown:
        near = rank_candidates(unknown[0], expected)
        raise NameMapError(
            f"names {len(unknown)} variables that the graph does not have, such as {unknown[0]!r}",
            where="name_map",
            remedy=f"A map goes {{new variable: stored variable}}. {did_you_mean(near)}",
        )
    _pair_named(plan, pairs, opened, "name_map")


def _take_layouts(plan: _Plan, decisions: Sequence[Decision]) -> None:
    expected = {v.name for v in plan.expected}
    for decision in decisions:
        if decision.expected in expected and decision.actual is None:
            raise RestoreError(
                f"has layout {decision.layout!r}, which is not restored yet",
                where=decision.expected,
                remedy="Nothing has been assigned. Leave it out of the map, and pass "
                "allow_missing=True.",
            )
    plan.layouts = {d.expected: d.layout for d in decisions if d.layout not in STORED_AS_IS}


def _pair_named(plan: _Plan, pairs: Mapping[str, str], opened: OpenedModel, what: str) -> None:
    for expected, actual in pairs.items():
        found = _find(plan, opened, actual)
        if found is None:
            near = rank_candidates(actual, plan.stored)
            raise UnresolvedNameError(
                f"of {what} is not stored in {opened.stored.path}",
                where=actual,
                remedy=f"{did_you_mean(near)} A map goes {{new variable: stored variable}}.",
                candidates=near,
            )
        plan.pairs[expected] = found


def _pair_by_itself(
    plan: _Plan, graph: Any, model: OpenedModel, opened: OpenedModel, allow_missing: bool
) -> None:
    """Resolve names: the stored graph itself, under any scope; else equal names; else matching."""
    stored_graph = opened.stored.graph
    prefixes = find_prefixes(graph, stored_graph) if stored_graph is not None else []
    names = plan.stored
    if len(prefixes) == 1:
        _pair_by_place(plan, prefixes[0])
    elif all(v.name in names and _fits(v, names[v.name].shape) for v in plan.expected):
        plan.pairs = {v.name: names[v.name] for v in plan.expected}
    else:
        _pair_by_matching(plan, model, opened, allow_missing)


def _pair_by_matching(
    plan: _Plan, model: OpenedModel, opened: OpenedModel, allow_missing: bool
) -> None:
    weights = tuple(v for v in plan.expected if v.role in WEIGHT_ROLES)
    name_map = match_variables(
        Side(weights, model.stored.graph, ordered=True),
        Side(tuple(opened.variables), opened.stored.graph),
    )
    open_questions = [d for d in name_map.decisions if d.status == "ambiguous"]
    if not allow_missing:
        open_questions += name_map.unmatched
    if open_questions:
        raise _no_counterpart(open_questions, len(weights), opened)
    _take_layouts(plan, name_map.matched)
    for decision in name_map.matched:
        if decision.actual in plan.stored:
            plan.pairs[decision.expected] = plan.stored[decision.actual]


def _no_counterpart(
    decisions: Sequence[Decision], total: int, opened: OpenedModel
) -> UnresolvedNameError:
    return no_counterpart(
        decisions,
        f"{len(decisions)} of {total} variables",
        [variable.name for variable in opened.variables],
        opened.stored.path,
        "; allow_missing=True leaves unmatched ones as they are",
    )


def _follow(plan: _Plan) -> None:
    """Let slots, shadows and steps follow the weights that they belong to."""
    open_state = [v for v in plan.expected if v.role in STATE_ROLES and v.name not in plan.pairs]
    found = {v.name: _counterpart(v, plan) for v in open_state}
    plan.layouts |= {
        v.name: plan.layouts[v.slot_of] for v in open_state if v.slot_of in plan.layouts
    }
    lacking = [name for name, stored in found.items() if stored is None]
    if not lacking:
        plan.pairs.update({name: stored for name, stored in found.items() if stored is not None})
        plan.pairs.update(_steps(plan))
    else:
        plan.notes.append(
            f"the optimizer of this graph keeps its own state: {lacking[0]} and "
            f"{len(lacking) - 1} more have no stored counterpart"
        )
    for shadow in (v for v in plan.expected if v.role == "shadow" and v.name not in plan.pairs):
        stored = _counterpart(shadow, plan)
        if stored is not None:
            plan.pairs[shadow.name] = stored


def _counterpart(variable: Variable, plan: _Plan) -> Variable | None:
    """The stored state variable that plays the same part; None where that is not certain."""
    if variable.slot_of is not None:
        primary = plan.pairs.get(variable.slot_of)
        if primary is None:
            return None
        found = [
            v for v in plan.stored.values()
            if (v.role, v.slot_of, v.slot) == (variable.role, primary.name, variable.slot)
        ]  # fmt: skip
    else:
        leaf = variable.name.rpartition("/")[2]
        same = [v for v in plan.stored.values() if v.role == variable.role and v.slot_of is None]
        found = [v for v in same if v.name.rpartition("/")[2] == leaf]
    if len(found) != 1:
        return None
    is_same = variable.slot_of not in plan.layouts
    return found[0] if not is_same or _fits(variable, found[0].shape) else None


def _steps(plan: _Plan) -> dict[str, Variable]:
    expected = [v for v in plan.expected if v.role == "step" and v.name not in plan.pairs]
    stored = [v for v in plan.stored.values() if v.role == "step"]
    return {expected[0].name: stored[0]} if len(expected) == len(stored) == 1 else {}


def _fits(variable: Variable, shape: Dims) -> bool:
    if variable.shape is None or shape is None:
        return True
    return len(variable.shape) == len(shape) and all(
        a is None or b is None or a == b for a, b in zip(variable.shape, shape, strict=True)
    )


def _require_weights(plan: _Plan, opened: OpenedModel, allow_missing: bool) -> None:
    missing = [v for v in plan.expected if v.role in WEIGHT_ROLES and v.name not in plan.pairs]
    if missing and not allow_missing:
        undecided = [Decision(v.name, "unmatched") for v in missing]
        raise _no_counterpart(undecided, len(plan.expected), opened)


def _drop_mismatched(plan: _Plan, lives: Mapping[str, LiveVariable]) -> tuple[str, ...]:
    """Take pairs of another shape or dtype out of the plan; returns their op names.

    A name that is stored with another shape was never a pair: it is told as well.
    """
    dropped = []
    for expected in plan.expected:
        stored = plan.pairs.get(expected.name) or plan.stored.get(expected.name)
        if stored is None:
            continue
        nodes = list(nodes_of(expected))
        if expected.name not in plan.layouts and any(
            shape_fault(lives[n], stored.shape, part) or dtype_fault(lives[n], stored.dtype)
            for n, part in nodes
        ):
            plan.pairs.pop(expected.name, None)
            dropped += [name for name, _ in nodes]
    return tuple(dropped)


def _assignments(plan: _Plan, lives: Mapping[str, LiveVariable]) -> Iterator[Assignment]:
    for expected in plan.expected:
        stored = plan.pairs.get(expected.name)
        if stored is not None and stored.checkpoint_key is not None:
            for name, part in nodes_of(expected):
                layout = plan.layouts.get(expected.name, "same")
                yield Assignment(lives[name], stored.checkpoint_key, part, layout, expected.shape)

"""Pairs of stored and new variables that come from names: a given map, or a match of leftovers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.errors import NameMapError, UnresolvedNameError
from graphmap.matching import Side, match_variables
from graphmap.matching.settings import MatchSettings
from graphmap.model.variable import Variable
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import nodes_of
from graphmap.tf.live import expected_variables
from graphmap.tf.maps import STORED_AS_IS, as_name_map

__all__ = ["given_pairs", "leftover_pairs"]

MODEL_ROLES = ("weight", "other")


def given_pairs(opened: OpenedModel, live: OpenedModel, name_map: Any) -> dict[str, str]:
    """Return {stored variable node: new variable node} of a name map; {} without one.

    Raises NameMapError where a name is in neither graph, or a layout has to be changed.
    """
    if name_map is None:
        return {}
    stored = _by_any_name(opened.variables)
    new = _by_any_name(expected_variables(live))
    pairs: dict[str, str] = {}
    faults = []
    for decision in as_name_map(name_map).matched:
        ours, theirs = new.get(decision.expected), stored.get(decision.actual or "")
        if ours is None or theirs is None:
            missing = decision.expected if ours is None else decision.actual
            faults.append(
                f"{missing} is no variable of the {'new' if ours is None else 'stored'} graph"
            )
        elif decision.layout not in STORED_AS_IS:
            faults.append(f"{decision.expected} has layout {decision.layout}")
        else:
            pairs.update(_node_pairs(theirs, ours))
    if faults:
        raise NameMapError(
            f"cannot be used here: {'; '.join(faults[:5])}",
            where="name_map",
            remedy="A map goes {new variable: stored variable}; both must exist, in one layout.",
        )
    return pairs


def _by_any_name(variables: tuple[Variable, ...]) -> dict[str, Variable]:
    found = {part.node: v for v in variables for part in v.parts}
    found.update({v.checkpoint_key: v for v in variables if v.checkpoint_key})
    found.update({v.node: v for v in variables if v.node})
    found.update({v.name: v for v in variables})
    return found


def _node_pairs(stored: Variable, new: Variable) -> Mapping[str, str]:
    ours, theirs = list(nodes_of(stored)), list(nodes_of(new))
    if [part and part.offset for _, part in ours] != [part and part.offset for _, part in theirs]:
        return {}  # cut into other pieces: the walk says whether that matters
    return {a: b for (a, _), (b, _) in zip(ours, theirs, strict=True)}


def leftover_pairs(
    opened: OpenedModel, live: OpenedModel, known: Mapping[str, str]
) -> dict[str, str]:
    """Pair the weights that neither the loss nor an update reaches, by name, else by shape.

    known: {stored node: new node} pairs; they are held to. Raises UnresolvedNameError where a new
    variable could be one of several stored ones.
    """
    stored = [v for v in opened.variables if v.checkpoint_key and v.role in MODEL_ROLES]
    nodes = {node: v for v in opened.variables for node, _ in nodes_of(v)}
    expected = expected_variables(live)
    new = {node: v for v in expected for node, _ in nodes_of(v)}
    pins = {new[b].name: nodes[a].name for a, b in known.items() if a in nodes and b in new}
    free_new = [v for v in expected if v.role in MODEL_ROLES and v.name not in pins]
    free_stored = [v for v in stored if v.name not in pins.values()]
    if not free_new or not free_stored:
        return {}
    chosen = _by_name(opened, live, expected, stored, pins)
    _add_unique_shapes(chosen, free_new, free_stored)
    open_stored = [v for v in free_stored if v not in chosen.values()]
    for variable in free_new:
        near = [v.name for v in open_stored if _kind_of(v) == _kind_of(variable)]
        if variable.name not in chosen and near:
            raise UnresolvedNameError(
                f"could be any of {len(near)} stored variables: {', '.join(near[:5])}",
                where=variable.name,
                remedy="No loss reaches it, so only its name could tell. Pass name_map, with every "
                "variable that the files hold; those not in it keep their initial value.",
                candidates=tuple(near),
            )
    by_name = {v.name: v for v in expected}
    pairs: dict[str, str] = {}
    for name, variable in chosen.items():
        pairs.update(_node_pairs(variable, by_name[name]))
    return pairs


def _kind_of(variable: Variable) -> tuple[object, object]:
    return variable.shape, variable.dtype


def _by_name(
    opened: OpenedModel,
    live: OpenedModel,
    expected: tuple[Variable, ...],
    stored: list[Variable],
    pins: Mapping[str, str],
) -> dict[str, Variable]:
    by_name = {v.name: v for v in stored}
    settings = MatchSettings(pins={a: b for a, b in pins.items() if b in by_name})
    found = match_variables(
        Side(expected, live.stored.graph, ordered=True),
        Side(tuple(stored), opened.stored.graph),
        settings,
    )
    return {
        decision.expected: by_name[decision.actual]
        for decision in found.matched
        if decision.expected not in pins
        and decision.actual in by_name
        and decision.actual not in pins.values()
        and decision.layout == "same"
    }


def _add_unique_shapes(
    chosen: dict[str, Variable], free_new: list[Variable], free_stored: list[Variable]
) -> None:
    taken = {v.name for v in chosen.values()}
    left_new = [v for v in free_new if v.name not in chosen]
    left_stored = [v for v in free_stored if v.name not in taken]
    for variable in left_new:
        ours = [v for v in left_new if _kind_of(v) == _kind_of(variable)]
        theirs = [v for v in left_stored if _kind_of(v) == _kind_of(variable)]
        if len(ours) == len(theirs) == 1:
            chosen[variable.name] = theirs[0]

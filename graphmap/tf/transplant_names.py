"""Pairs of stored and new variables that come from names: a given map, or a match of leftovers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.errors import NameMapError
from graphmap.matching import Side, match_variables
from graphmap.matching.settings import MatchSettings
from graphmap.model.variable import Variable
from graphmap.opening import OpenedModel
from graphmap.tf.assigning import nodes_of
from graphmap.tf.live import expected_variables
from graphmap.tf.maps import STORED_AS_IS, as_name_map

__all__ = ["given_pairs", "leftover_pairs"]


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
            faults.append(f"{missing} is no variable of the {'new' if ours is None else 'stored'} "
                          "graph")
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
    """Match the variables that neither the loss nor an update reaches, by name and shape.

    What is known already is pinned. Ambiguous ones are left out.
    """
    stored = {node: v for v in opened.variables for node, _ in nodes_of(v)}
    expected = expected_variables(live)
    new = {node: v for v in expected for node, _ in nodes_of(v)}
    pins = {
        new[b].name: stored[a].name for a, b in known.items() if a in stored and b in new
    }
    if all(v.name in pins for v in expected if v.role in ("weight", "other")):
        return {}
    actual = tuple(v for v in opened.variables if v.checkpoint_key is not None)
    names = {v.name for v in actual}
    settings = MatchSettings(pins={a: b for a, b in pins.items() if b in names})
    found = match_variables(
        Side(expected, live.stored.graph, ordered=True), Side(actual, opened.stored.graph), settings
    )
    by_name = {v.name: v for v in actual}
    asked = {v.name: v for v in expected}
    pairs: dict[str, str] = {}
    for decision in found.matched:
        if decision.expected not in pins and decision.actual not in pins.values():
            if decision.layout in STORED_AS_IS and decision.actual is not None:
                pairs.update(_node_pairs(by_name[decision.actual], asked[decision.expected]))
    return pairs

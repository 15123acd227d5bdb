"""What a name map says of each stored variable, as a colour."""

from __future__ import annotations

from graphmap.model.graph import GraphModel
from graphmap.model.namemap import NameMap
from graphmap.model.variable import Variable
from graphmap.render.scene import Kind

__all__ = ["map_facts", "status_by_name", "statuses"]


def status_by_name(variables: tuple[Variable, ...], name_map: NameMap | None) -> dict[str, Kind]:
    """Return {stored variable: matched | ambiguous | unused}; slots follow their primary."""
    if name_map is None:
        return {}
    found: dict[str, Kind] = {variable.name: "unused" for variable in variables}
    for decision in name_map.ambiguous:
        for candidate in decision.candidates:
            found[candidate.actual] = "ambiguous"
    for decision in name_map.matched:
        parts = [part["actual"] if isinstance(part, dict) else part for part in decision.parts]
        for actual in (decision.actual, *parts):
            if actual is not None:
                found[actual] = "matched"
    for variable in variables:
        if variable.slot_of in found:
            found[variable.name] = found[variable.slot_of]
    return found


def map_facts(name_map: NameMap | None) -> str:
    """Return how many expected names a map matches; those it does not are in no picture."""
    if name_map is None:
        return ""
    total = len(name_map.decisions)
    return (
        f"map: of {total:,} expected {'name' if total == 1 else 'names'} "
        f"{len(name_map.matched):,} matched, {len(name_map.ambiguous):,} ambiguous, "
        f"{len(name_map.unmatched):,} unmatched"
    )


def statuses(
    graph: GraphModel, variables: tuple[Variable, ...], name_map: NameMap | None
) -> dict[int, Kind]:
    """Return {position of a variable node: status}; empty without a name map."""
    by_name = status_by_name(variables, name_map)
    found: dict[int, Kind] = {}
    for variable in variables:
        status = by_name.get(variable.name)
        nodes = [part.node for part in variable.parts] or [variable.node or variable.name]
        for node in nodes:
            position = graph.index.get(node)
            if status is not None and position is not None:
                found[position] = status
    return found

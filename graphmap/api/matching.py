"""Expected names against an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.api.artifact import Artifact
from graphmap.api.name_map import NameMap
from graphmap.api.names import as_names, side_of
from graphmap.errors import NameMapError
from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.matching.layout import shapes_fit
from graphmap.matching.rules import find_rules
from graphmap.model.collector import collector_paused

__all__ = ["check_belongs", "explain", "layouts_of", "match", "pins_of", "refused_of"]

_UNTOLD = ("split", "gates")


@collector_paused()
def match(
    expected: Any,
    artifact: Any,
    *,
    min_confidence: float = 0.95,
    pins: Mapping[str, str] | None = None,
    refused: Mapping[str, tuple[str, ...]] | None = None,
    layouts: Mapping[str, str] | None = None,
    only: str | None = None,
    exclude: str | None = None,
    include_slots: bool = False,
    prefer_ema: bool = False,
    values: bool = False,
) -> NameMap:
    """Map every expected name to one actual name, or say why not.

    Each side: a path, names, {name: shape}, an Artifact, or objects with name and shape. The
    order of `expected` is that in which the code makes its variables. refused: {expected: actual
    names} that are not meant. layouts: {expected: layout} of pins whose shapes do not tell it.
    values: compare stored values and checksums too; nothing is read
    without it. Raises UsageError for pins and patterns that cannot be meant.
    """
    asked, actual = as_names(expected), as_names(artifact)
    settings = MatchSettings(
        min_confidence=min_confidence,
        pins=dict(pins or {}),
        refused=dict(refused or {}),
        layouts=dict(layouts or {}),
        only=only,
        exclude=exclude,
        include_slots=include_slots,
        prefer_ema=prefer_ema,
        values=values,
    )
    sides = side_of(asked), Side(actual.variables, actual.opened.stored.graph)
    if values:
        sides = _with_values(sides[0], asked), _with_values(sides[1], actual)
    found = match_variables(*sides, settings)
    return NameMap(
        found.decisions,
        found.verdict,
        found.unused,
        find_rules(found.decisions),
        found.expected_wrong,
        artifact=_source(actual),
        expected_source=_source(asked),
        settings=settings.as_dict(),
    )


def _with_values(side: Side, artifact: Artifact) -> Side:
    from graphmap.api.stored_values import values_of

    return side._replace(values=values_of(artifact))


def pins_of(old: NameMap, artifact: Artifact, expected: Artifact | None = None) -> dict[str, str]:
    """Return the matched rows of an older map that still name something on both sides.

    expected: who asks; without it every row counts. Raises NameMapError where no row is left.
    """
    names = {variable.name: variable.shape for variable in artifact.variables}
    asked = None if expected is None else {v.name: v.shape for v in expected.variables}
    untold = layouts_of(old, dict(old))
    kept = {
        e: a
        for e, a in old.items()
        if a in names
        and (asked is None or (e in asked and (e in untold or shapes_fit(asked[e], names[a]))))
    }
    if old and not kept:
        raise NameMapError(
            f"was made for another artifact: none of its {len(old)} rows names a variable here",
            where="--map",
            remedy="Match without --map, or give the artifact that the map was made for.",
        )
    return kept


def layouts_of(old: NameMap, pins: Mapping[str, str]) -> dict[str, str]:
    """Return the layouts of an older map's rows that no pair of shapes tells: splits and gates."""
    rows = (d for d in old.matched if d.expected in pins)
    return {d.expected: d.layout for d in rows if d.layout.partition(":")[0] in _UNTOLD}


def refused_of(old: NameMap) -> dict[str, tuple[str, ...]]:
    """Return the pairs that a reviewer of an older map rejected."""
    found = {
        d.expected: tuple(one.why for one in d.evidence if one.kind == "rejected")
        for d in old.unmatched
    }
    return {expected: names for expected, names in found.items() if names}


def check_belongs(name_map: NameMap, artifact: Artifact) -> None:
    """Raise NameMapError where a map was made for another artifact; a map by hand has no mark."""
    made_for = name_map.artifact.get("fingerprint")
    if made_for is None:
        _check_stored(name_map, artifact)
    elif made_for != artifact.fingerprint:
        raise NameMapError(
            f"was made for another artifact, {name_map.artifact.get('path')}: names, shapes or "
            f"dtypes of {artifact.path} differ",
            where="--map",
            remedy="Make a map for this artifact: graphmap match",
        )


def _check_stored(name_map: NameMap, artifact: Artifact) -> None:
    names = {variable.name for variable in artifact.variables}
    lost = [actual for actual in name_map.values() if actual not in names]
    if lost:
        raise NameMapError(
            f"was made for another artifact: {len(lost)} of its {len(name_map)} names are not "
            f"stored in {artifact.path}, the first is {lost[0]}",
            where="--map",
            remedy="Make a map for this artifact: graphmap match",
        )


def explain(name_map: NameMap, expected: str) -> str:
    """Return why an expected name was mapped so, as lines of text; raises NameMapError."""
    try:
        decision = name_map.decision(expected)
    except KeyError:
        raise _not_asked(name_map, expected) from None
    from graphmap.matching.explain import explain_decision

    return explain_decision(decision, name_map)


def _not_asked(name_map: NameMap, expected: str) -> NameMapError:
    from graphmap.matching import rank_candidates

    near = rank_candidates(expected, [decision.expected for decision in name_map.decisions])
    return NameMapError(
        "is not among the expected names of this map",
        where=expected,
        remedy=f"Did you mean {' or '.join(near)}?" if near else "Look at the map's entries.",
    )


def _source(artifact: Artifact) -> dict[str, Any]:
    return {
        "path": artifact.path,
        "kind": artifact.kind,
        "fingerprint": artifact.fingerprint,
    }

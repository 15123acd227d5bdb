"""A map as a page on which people accept, change and reject its rows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from graphmap.api.artifact import Artifact, load
from graphmap.api.name_map import NameMap
from graphmap.api.names import side_of
from graphmap.errors import GraphmapError, NameMapError
from graphmap.model.namemap import Decision
from graphmap.model.variable import Variable

__all__ = ["review", "sources_of"]

_TURNED = ("transpose", "permute")


def sources_of(
    name_map: NameMap, artifact: str | None = None, expected: str | None = None
) -> tuple[Artifact | None, Artifact | None, tuple[str, ...]]:
    """Return the artifact and the expected side of a map, and what is missing, as sentences.

    artifact, expected: paths that take the place of those in the map. What the map names and what
    is no longer there, or is another now, is left out; what the user names must be right.
    """
    notes: list[str] = []
    found = _open(artifact, name_map.artifact, notes, "Shapes, keys and neighbourhoods of what is "
                  "stored are not told, and a pin settles its own row only")  # fmt: skip
    asked = _open(expected, name_map.expected_source, notes, "The neighbourhoods of expected names "
                  "are not told")  # fmt: skip
    return found, asked, tuple(notes)


def _open(given: str | None, source: object, notes: list[str], without: str) -> Artifact | None:
    told = dict(source) if isinstance(source, dict) else {}
    path, mark = given or told.get("path"), told.get("fingerprint")
    if not isinstance(path, str) or not path or path == "-":
        if told:
            notes.append(f"The map does not say where this side lies. {without}.")
        return None
    try:
        found = load(path)
    except GraphmapError as cause:
        if given is not None:
            raise
        notes.append(f"{path} cannot be read ({cause.message}). {without}.")
        return None
    if mark in (None, found.fingerprint):
        return found
    if given is not None:
        raise NameMapError(
            "is another artifact than the map was made for: names, shapes or dtypes differ",
            where=path,
            remedy="Give the one that the map was made for, or match again.",
        )
    notes.append(f"{path} has changed since the map was made. {without}.")
    return None


def review(
    name_map: NameMap,
    artifact: Artifact | None = None,
    expected: Artifact | None = None,
    notes: tuple[str, ...] = (),
    out: str | os.PathLike[str] | None = None,
) -> bytes:
    """Return the review page of a map; written to `out` too, whole or not at all.

    artifact, expected: the sides that the map was made of, None where they are not at hand.
    """
    from graphmap.formats.namemap_json import SCHEMA
    from graphmap.matching.pipeline import FOLLOWS, PINNED
    from graphmap.matching.propagation import layout_table
    from graphmap.render.page import write_page
    from graphmap.render.page.review import Reviewed, SideTold, review_payload
    from graphmap.version import VERSION

    asked = tuple(Variable(d.expected, d.shape) for d in name_map.decisions)
    pool, others = _stored(name_map, artifact)
    table = None
    if artifact is not None:
        table = layout_table((v.shape for v in asked), (v.shape for v in (*pool, *others)))
        if table is None:
            notes = (*notes, "There are too many different shapes to tell which fit: a pin "
                     "settles its own row only.")  # fmt: skip
    knows = table is not None
    content = review_payload(
        Reviewed(
            name_map,
            {
                "schema": SCHEMA,
                "graphmap_version": VERSION,
                "artifact": dict(name_map.artifact),
                "expected_source": dict(name_map.expected_source),
                "settings": dict(name_map.settings),
            },
            SideTold(asked, _columns(asked) if knows else None, _vicinity(expected, asked)),
            SideTold(
                (*pool, *others),
                _columns(pool) if knows else None,
                _vicinity(artifact, (*pool, *others)),
            ),
            len(pool),
            table,
            _kernels_turned(name_map.matched),
            (PINNED, FOLLOWS),
            _covers(name_map),
            notes,
            _title(name_map),
        )
    )
    page = write_page(f"Review of {content['title']}", content)
    if out is not None:
        from graphmap.files import write_atomic

        write_atomic(out, page)
    return page


def _stored(
    name_map: NameMap, artifact: Artifact | None
) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return who may answer, and the other actual names, those that only the map has included."""
    from graphmap.matching.sides import answering

    known = () if artifact is None else artifact.variables
    pool = () if artifact is None else answering(side_of(artifact))
    names = {v.name for v in pool}
    rest = {v.name: v for v in known if v.name not in names}
    for name in _mentioned(name_map):
        if name not in names and name not in rest:
            rest[name] = Variable(name)
    return pool, tuple(rest.values())


def _mentioned(name_map: NameMap) -> Iterable[str]:
    for decision in name_map.decisions:
        if decision.actual is not None:
            yield decision.actual
        yield from (candidate.actual for candidate in decision.candidates)
    yield from name_map.unused


def _columns(
    variables: tuple[Variable, ...],
) -> tuple[list[int], list[tuple[int, ...]], list[int], list[str]]:
    from graphmap.matching.propagation import spread_columns

    return spread_columns(variables)


def _vicinity(artifact: Artifact | None, variables: tuple[Variable, ...]) -> dict[str, Any] | None:
    if artifact is None or not artifact.has_graph:
        return None
    from graphmap.render.page.vicinity import vicinity

    by_name = {v.name: v for v in artifact.variables}
    placed = tuple(by_name.get(v.name, v) for v in variables)
    return vicinity(artifact.opened.stored, artifact.train_ops, placed)


def _kernels_turned(matched: Iterable[Decision]) -> bool:
    """Whether the two sides keep kernels the other way round: what most matched rows say."""
    deep = [d.layout for d in matched if d.shape is not None and len(set(d.shape)) > 1]
    return 2 * sum(layout.startswith(_TURNED) for layout in deep) > len(deep)


def _covers(name_map: NameMap) -> list[list[int]]:
    """Return for each rule the positions of the names that it rewrites."""
    from graphmap.model.rewriting import compile_rule

    found = []
    for rule in name_map.rules:
        apply = compile_rule(rule)
        found.append([at for at, d in enumerate(name_map.decisions) if apply(d.expected)])
    return found


def _title(name_map: NameMap) -> str:
    path = name_map.artifact.get("path")
    return path if isinstance(path, str) and path else "a map"

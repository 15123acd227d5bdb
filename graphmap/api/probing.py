"""An exact map from a loader that exists: it gets numbers for values, what it made is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from graphmap.api.artifact import Artifact
from graphmap.api.live import live_values
from graphmap.api.name_map import NameMap
from graphmap.api.names import as_names
from graphmap.errors import UsageError
from graphmap.model.coding import Codebook, Source, layout_of
from graphmap.model.namemap import Decision, Evidence, Verdict

__all__ = ["probe"]

SURE = 50.0  # bits: every element was followed, twice


def probe(loader: Callable[[dict[str, Any]], Any], artifact: Any) -> NameMap:
    """Return what `loader` does with each stored variable, as a map with layouts and splits.

    loader: called with {actual name: array} a few times; it returns what it has filled: a
    state_dict or module, a Keras model, variables, or a tree of arrays. It is the caller's code and
    runs with the caller's rights. No stored value is read. What it computes (casts apart) instead
    of moving stays unmatched. Raises UsageError where it returns no values, or others each time.
    """
    artifact = as_names(artifact)
    shapes = {
        v.name: (tuple(size or 0 for size in v.shape), v.dtype)
        for v in artifact.variables
        if v.shape is not None and v.dtype is not None and None not in v.shape
    }
    book = Codebook(shapes)
    if not book.shapes:
        raise UsageError(
            "tells no shapes and number types, which a probe needs",
            where=artifact.path,
            remedy="Give the checkpoint itself, or a listing with shapes and dtypes.",
        )
    loads = []
    for values in book.loads():
        made = live_values(loader(values))
        loads.append({name: _copy(value) for name, value in made.items()})
    if any(list(one) != list(loads[0]) for one in loads):
        raise UsageError(
            "made other variables in each call",
            where="loader",
            remedy="Fill the same model each time, or one of the same names.",
        )
    traced = {name: book.trace([one[name] for one in loads]) for name in loads[0]}
    return _map(traced, loads[0], book, artifact)


def _copy(value: Any) -> Any:
    """Take a value out of its framework before the next load overwrites it."""
    import numpy

    for word in ("detach", "cpu", "float"):  # a torch tensor; bfloat16 has no numpy type
        value = getattr(value, word)() if callable(getattr(value, word, None)) else value
    value = value.numpy() if callable(getattr(value, "numpy", None)) else value
    return numpy.array(value, dtype=numpy.float64)


def _map(
    traced: Mapping[str, Source | None],
    values: Mapping[str, Any],
    book: Codebook,
    artifact: Artifact,
) -> NameMap:
    uses: dict[str, int] = {}
    for source in traced.values():
        for name in source.names if source else ():
            uses[name] = uses.get(name, 0) + 1
    decisions = tuple(
        _decide(name, source, tuple(values[name].shape), book, artifact, uses)
        for name, source in traced.items()
    )
    known = {n for source in traced.values() if source for n in source.names}
    unused = tuple(
        sorted(v.name for v in artifact.variables if v.name not in known and v.slot_of not in known)
    )
    matched = sum(d.status == "matched" for d in decisions)
    verdict: Verdict = "same" if matched == len(decisions) else "partial" if matched else "other"
    from graphmap.matching.rules import find_rules

    made_for = {
        "path": artifact.path, "kind": artifact.kind, "fingerprint": artifact.fingerprint,
    }  # fmt: skip
    return NameMap(decisions, verdict, unused, find_rules(decisions), 0.0, artifact=made_for)


def _decide(
    name: str,
    source: Source | None,
    shape: tuple[int, ...],
    book: Codebook,
    artifact: Artifact,
    uses: Mapping[str, int],
) -> Decision:
    if source is None:
        return Decision(name, "unmatched", shape)
    evidence = (Evidence("probe", SURE, "every element was followed through the loader"),)
    if len(source.names) == 1:
        actual = source.names[0]
        layout = layout_of(source.place, book.shapes[actual])
        if layout is None:
            return Decision(name, "unmatched", shape)
        if layout == "same" and uses[actual] > 1:
            layout = "tied"
        stored = next(v for v in artifact.variables if v.name == actual)
        return Decision(
            name, "matched", shape, actual, f"{stored.node or actual}:0", stored.checkpoint_key,
            1.0, SURE, layout, (), evidence,
        )  # fmt: skip
    joined = _joined(source, book)
    if joined is None:
        return Decision(name, "unmatched", shape)
    axis, parts = joined
    return Decision(
        name, "matched", shape, None, None, None, 1.0, SURE, f"join:{axis}", parts, evidence
    )


def _joined(source: Source, book: Codebook) -> tuple[int, tuple[Any, ...]] | None:
    """Return axis and parts where whole variables, or slabs of some, stand one after another."""
    import numpy

    for axis in range(source.owner.ndim):
        rows = numpy.moveaxis(source.owner, axis, 0).reshape(source.owner.shape[axis], -1)
        if (rows != rows[:, :1]).any():
            continue
        borders = [0, *(numpy.flatnonzero(numpy.diff(rows[:, 0])) + 1), len(rows)]
        parts: list[Any] = []
        for start, stop in pairwise(borders):
            places = numpy.take(source.place, range(int(start), int(stop)), axis)
            actual = source.names[int(rows[start, 0])]
            layout = layout_of(places, book.shapes[actual])
            if layout is None:
                return None
            if layout == "same":
                parts.append(actual)
            elif layout.startswith("split:"):
                parts.append({"actual": actual, "split": layout.removeprefix("split:")})
            else:
                return None
        return axis, tuple(parts)
    return None

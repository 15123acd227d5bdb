"""Whether a map still fits an artifact, and what has changed since it was made."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.api.name_map import NameMap
from graphmap.model.graph import Dims
from graphmap.model.namemap import Decision
from graphmap.model.variable import Variable

__all__ = ["Checked", "check"]

SCHEMA = "graphmap.check/1"


@dataclass(frozen=True)
class Checked:
    """What `check` found.

    missing: (expected, actual) of rows whose actual name is not stored. changed: (expected, actual,
    what) of rows whose shapes no longer fit. moved: rows whose checkpoint key is another one now.
    added: stored names that the map does not know; empty for a map made by hand, which tells none.
    """

    path: str
    same_fingerprint: bool | None
    rows: int
    missing: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str, str], ...]
    moved: tuple[tuple[str, str, str], ...]
    added: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether every matched row still names a variable whose shape fits."""
        return not (self.missing or self.changed or self.moved)

    def as_dict(self) -> dict[str, Any]:
        """Return what `check --json` prints."""
        return {
            "schema": SCHEMA,
            "path": self.path,
            "fits": self.fits,
            "same_fingerprint": self.same_fingerprint,
            "rows": self.rows,
            "missing": [{"expected": e, "actual": a} for e, a in self.missing],
            "changed": [{"expected": e, "actual": a, "what": what} for e, a, what in self.changed],
            "moved": [{"expected": e, "actual": a, "what": what} for e, a, what in self.moved],
            "added": list(self.added),
        }


def check(
    name_map: NameMap | str | os.PathLike[str], artifact: Artifact | str | os.PathLike[str]
) -> Checked:
    """Compare the matched rows of a map with what an artifact holds; reads no values."""
    if not isinstance(name_map, NameMap):
        name_map = NameMap.load(name_map)
    artifact = as_artifact(artifact)
    stored = {v.name: v for v in artifact.variables}
    missing, changed, moved = [], [], []
    for decision in name_map.matched:
        for name in _names(decision):
            variable = stored.get(name)
            if variable is None:
                missing.append((decision.expected, name))
                continue
            what = _misfit(decision, variable)
            if what:
                changed.append((decision.expected, name, what))
            key = decision.checkpoint_key
            if key is not None and variable.checkpoint_key not in (None, key):
                moved.append((decision.expected, name, f"key {key}, now {variable.checkpoint_key}"))
    made_for = name_map.artifact.get("fingerprint")
    same = None if made_for is None else made_for == artifact.fingerprint
    added = () if same is not False else _added(name_map, stored)
    return Checked(
        artifact.path, same, len(name_map.matched),
        tuple(missing), tuple(changed), tuple(moved), added,
    )  # fmt: skip


def _names(decision: Decision) -> list[str]:
    if decision.actual is not None:
        return [decision.actual]
    return [part if isinstance(part, str) else str(part["actual"]) for part in decision.parts]


def _misfit(decision: Decision, variable: Variable) -> str:
    """Say how the stored shape contradicts the row; empty where it does not, or nobody knows."""
    wanted, found = decision.shape, variable.shape
    if wanted is None or found is None or None in wanted or None in found:
        return ""
    text = f"expected {list(wanted)}, found {list(found)}"
    word, _, axes = decision.layout.partition("+")[0].partition(":")
    turned: Dims = found
    if word == "transpose":
        turned = tuple(reversed(found))
    elif word == "permute":
        order = [int(axis) for axis in axes.split(",")]
        if sorted(order) != list(range(len(found))):
            return text
        turned = tuple(found[axis] for axis in order)
    if decision.layout in ("same", "tied", "transpose") or (
        word == "permute" and "+" not in decision.layout
    ):
        return "" if turned == wanted else text
    if "reshape" in decision.layout and "split" not in decision.layout:
        sizes = (math.prod(size or 0 for size in shape) for shape in (wanted, found))
        return "" if len(set(sizes)) == 1 else text
    return ""


def _added(name_map: NameMap, stored: dict[str, Variable]) -> tuple[str, ...]:
    known = set(name_map.unused) | set(name_map.values())
    return tuple(sorted(n for n, v in stored.items() if n not in known and v.slot_of not in known))

"""A matching case: two sides, the truth, and the files of a case folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LARGEST_CONST = 32  # elements of a constant that stays in a written graph
FIRST_CODE = 1_000_000  # codes are its negatives: no initial value or index table looks like that
MOST_CODES = 15_000_000  # float32 holds every integer up to 2**24

Row = tuple[str, tuple[int | None, ...] | None, str]  # name, shape, dtype


@dataclass
class Case:
    """One folder of cases; the fields are those of bench's case.json.

    expected is in creation order; actual is written sorted by name.
    """

    id: str
    family: str
    kind: str
    needs: str
    actual: Sequence[Row]
    expected: Sequence[Row]
    truth: dict[str, str | None]
    provenance: str
    notes: str = ""
    layout: dict[str, str] = field(default_factory=dict)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    composite: list[str] = field(default_factory=list)
    intent: str = "raw"
    actual_graph: Any = None
    expected_graph: Any = None
    actual_object_graph: bytes | None = None

    def write(self, folder: Path) -> None:
        """Write case.json and the graphs; raises ValueError where the case contradicts itself."""
        self.check()
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "id": self.id,
            "family": self.family,
            "kind": self.kind,
            "needs": self.needs,
            "provenance": self.provenance,
            "notes": self.notes,
            "actual": [_row(row) for row in sorted(self.actual)],
            "expected": [_row(row) for row in self.expected],
            "truth": self.truth,
            "layout": self.layout,
        }
        for key in ("ambiguous", "composite"):
            if getattr(self, key):
                content[key] = getattr(self, key)
        if self.intent != "raw":
            content["intent"] = self.intent
        (folder / "case.json").write_text(json.dumps(content, ensure_ascii=False))
        for side in ("actual", "expected"):
            graph = getattr(self, f"{side}_graph")
            if graph is not None:
                data = gzip.compress(blank_constants(graph).SerializeToString(), mtime=0)
                (folder / f"{side}_graph.pb.gz").write_bytes(data)
        if self.actual_object_graph is not None:
            data = gzip.compress(self.actual_object_graph, mtime=0)
            (folder / "actual_object_graph.pb.gz").write_bytes(data)

    def check(self) -> None:
        """Raise ValueError where names stand twice or the truth names nothing."""
        actual, expected = ([row[0] for row in side] for side in (self.actual, self.expected))
        for side in (actual, expected):
            if len(set(side)) != len(side):
                raise ValueError(f"{self.id}: a name stands twice")
        if set(self.truth) != set(expected):
            raise ValueError(f"{self.id}: truth and expected names differ")
        lost = {name for name in self.truth.values() if name is not None} - set(actual)
        if lost:
            raise ValueError(f"{self.id}: truth names {sorted(lost)[0]}, which is not there")


def _row(row: Row) -> dict[str, Any]:
    name, shape, dtype = row
    return {"name": name, "shape": None if shape is None else list(shape), "dtype": dtype}


def blank_constants(graph: Any) -> Any:
    """Return a copy of a GraphDef whose larger constants keep only dtype and shape."""
    copy = type(graph)()
    copy.CopyFrom(graph)
    for node in copy.node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            sizes = [dim.size for dim in tensor.tensor_shape.dim]
            if int(np.prod(sizes)) > LARGEST_CONST:
                kept = type(tensor)(dtype=tensor.dtype, tensor_shape=tensor.tensor_shape)
                tensor.CopyFrom(kept)
    return copy


class Codes:
    """Values of which every element says where it comes from."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.starts: list[int] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.next = FIRST_CODE

    def array(self, name: str, shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
        """Return the coded value of an actual variable."""
        size = int(np.prod(shape, dtype=np.int64))
        if self.next + size > FIRST_CODE + MOST_CODES:
            raise ValueError("more elements than float32 can number: take a smaller model")
        self.names.append(name)
        self.starts.append(self.next)
        self.shapes[name] = tuple(shape)
        value = -np.arange(self.next, self.next + size, dtype=np.float64)
        self.next += size
        return value.reshape(shape).astype(dtype)

    def trace(self, values: Mapping[str, np.ndarray]) -> Trace:
        """Find where the elements of every expected value come from."""
        trace = Trace({}, {}, [])
        starts = np.array([*self.starts, self.next])
        uses: dict[str, list[str]] = {}
        for name, value in values.items():
            codes = -np.asarray(value, dtype=np.float64).ravel()
            known = (codes >= FIRST_CODE) & (codes < self.next) & (codes == np.floor(codes))
            if not codes.size or not known.any():
                trace.truth[name] = None
                continue
            owners = np.unique(np.searchsorted(starts, codes[known], side="right") - 1)
            if len(owners) > 1 or not known.all():
                trace.truth[name] = None
                if len(owners) > 1:
                    trace.composite.append(name)
                continue
            actual = self.names[int(owners[0])]
            trace.truth[name] = actual
            uses.setdefault(actual, []).append(name)
            first = self.starts[int(owners[0])]
            layout = _layout((codes - first).astype(np.int64), np.shape(value), self.shapes[actual])
            if layout != "same":
                trace.layout[name] = layout
        for names in uses.values():
            for name in names if len(names) > 1 else ():
                trace.layout.setdefault(name, "tied")
        return trace


@dataclass
class Trace:
    """What was read off coded values: expected -> actual, layouts, and values of several."""

    truth: dict[str, str | None]
    layout: dict[str, str]
    composite: list[str]


def _layout(places: np.ndarray, shape: Sequence[int], stored: Sequence[int]) -> str:
    """Name the layout by which `places` (element numbers of the actual) fill `shape`."""
    from itertools import permutations

    size = int(np.prod(stored, dtype=np.int64))
    if places.size != size or len(np.unique(places)) != size:
        return "split"
    if (places == np.arange(size)).all():
        return "same" if tuple(shape) == tuple(stored) else "reshape"
    whole = np.arange(size).reshape(stored)
    fits = [
        axes
        for axes in permutations(range(len(stored)))
        if (whole.transpose(axes).ravel() == places).all()
    ]
    # Axes of length 1 leave several: the one that needs no reshape says it best.
    fits.sort(key=lambda axes: tuple(stored[axis] for axis in axes) != tuple(shape))
    for axes in fits[:1]:
        word = "transpose" if axes == tuple(reversed(range(len(stored)))) else "permute"
        text = word if word == "transpose" else f"permute:{','.join(map(str, axes))}"
        turned = tuple(stored[axis] for axis in axes)
        return text if turned == tuple(shape) else f"{text}+reshape"
    if len(shape) <= len(stored) + 2:
        wanted = places.reshape(shape)
        for axes in permutations(range(len(shape))):
            if (wanted.transpose(axes).ravel() == np.arange(size)).all():
                return "reshape+transpose"
    return "other"

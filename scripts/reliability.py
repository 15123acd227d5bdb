"""Rows for calibration: how sure the matcher was of its best candidate, and was it right."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from stress import VERBS, stress

import graphmap

LARGEST_STRESSED = 420  # expected names
MODES = ("shapes", "names", "graph", "traps")
BANDS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0)


VETOED = (
    "counter",
    "exchange",
    "home",
    "level",
    "stack",
    "swap",
    "twin",
)  # evidence that opens a name


class Row(NamedTuple):
    """One expected name: its case, the confidence of the best candidate, whether that is right."""

    family: str
    case: str
    mode: str
    confidence: float
    right: bool
    matched: bool
    linked: bool


def load_case(folder: Path) -> dict[str, Any] | None:
    """Return a case.json, packed or not; None where the folder holds none."""
    if (folder / "case.json").exists():
        return json.loads((folder / "case.json").read_text())
    if (folder / "case.json.gz").exists():
        return json.loads(gzip.decompress((folder / "case.json.gz").read_bytes()))
    return None


def sides(case: dict[str, Any], folder: Path, mode: str) -> tuple[Any, Any] | None:
    """Return expected and actual as bench's score.py gives them; None where a mode does not fit."""
    needs = case.get("needs", "names" if case.get("names_only_ok", True) else "shapes")
    if mode == "graph":
        found = []
        for side in ("expected", "actual"):
            packed = folder / f"{side}_graph.pb.gz"
            if not packed.exists():
                return None
            with tempfile.TemporaryDirectory() as box:
                path = Path(box) / f"{side}.pb"
                path.write_bytes(gzip.decompress(packed.read_bytes()))
                found.append(graphmap.load(path))
                _ = found[-1].variables, found[-1].opened.stored.graph
        return found[0], found[1]
    if (needs == "graph") != (mode == "traps") or (mode == "names" and needs != "names"):
        return None
    rows = (case["expected"], sorted(case["actual"], key=lambda v: v["name"]))
    keep = mode != "names"
    expected, actual = (
        {
            v["name"]: tuple(v["shape"]) if keep and v.get("shape") is not None else None
            for v in side
        }
        for side in rows
    )
    return expected, actual


def rows_of(case: dict[str, Any], found: graphmap.NameMap, mode: str) -> Iterator[Row]:
    """Yield a row for each expected name that has a candidate."""
    for decision in found.decisions:
        if not decision.candidates or str(decision.layout).startswith("join"):
            continue
        best = decision.candidates[0]
        truth = case["truth"].get(decision.expected)
        name = decision.actual if decision.status == "matched" else best.actual
        right = truth is not None and name == truth
        matched = decision.status == "matched"
        family = str(case.get("family") or case["id"])
        vetoed = any(  # by a rule, whatever the bits
            e.kind in VETOED or (e.kind == "whole" and e.bits < 0) for e in decision.evidence
        )
        linked = bool(decision.evidence) and not vetoed
        yield Row(family, case["id"], mode, best.confidence, right, matched, linked)


def collect(
    folders: Iterable[Path],
    modes: Sequence[str] = MODES[:3],
    seeds: Sequence[int] = (),
    verbs: tuple[str, ...] = VERBS,
) -> list[Row]:
    """Match every case of the folders in every mode that fits it.

    seeds: for each, a corrupted copy of every third case is matched as listings too.
    """
    rows: list[Row] = []
    for parent in folders:
        for at, folder in enumerate(sorted(parent.iterdir())):
            case = load_case(folder)
            prefer_ema = bool(case) and case.get("intent") == "ema"
            for mode in modes if case else ():
                given = sides(case, folder, mode)
                if given is not None:
                    found = graphmap.match(*given, prefer_ema=prefer_ema)
                    rows.extend(rows_of(case, found, mode))
            is_stressed = case and at % 3 == 0 and len(case["expected"]) <= LARGEST_STRESSED
            for seed in seeds if is_stressed else ():
                bad = stress(case, seed, verbs)
                for mode in ("shapes", "names"):
                    given = sides(bad, folder, mode)
                    if given is not None:
                        found = graphmap.match(*given, prefer_ema=prefer_ema)
                        rows.extend(rows_of(bad, found, mode))
    return rows


def table(rows: Sequence[Row]) -> list[tuple[float, float, int, float, float, float]]:
    """Return (from, to, rows, mean confidence, share right, share right by case) of each band."""
    found = []
    for low, high in pairwise(BANDS):
        inside = [r for r in rows if low <= r.confidence < high or (high == 1.0 == r.confidence)]
        if not inside:
            continue
        by_case: dict[tuple[str, str], list[bool]] = {}
        for row in inside:
            by_case.setdefault((row.case, row.mode), []).append(row.right)
        found.append((
            low, high, len(inside), float(np.mean([r.confidence for r in inside])),
            float(np.mean([r.right for r in inside])),
            float(np.mean([np.mean(one) for one in by_case.values()])),
        ))  # fmt: skip
    return found


def calibration_error(rows: Sequence[Row], bins: int = 15) -> float:
    """Return the expected calibration error over bins of equal width."""
    confidence = np.array([r.confidence for r in rows])
    right = np.array([r.right for r in rows], dtype=float)
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[at == one].mean() - right[at == one].mean()) * (at == one).mean()
        for one in range(bins)
        if (at == one).any()
    ]
    return float(sum(gaps))


def diagram(rows: Sequence[Row]) -> str:
    """Return an SVG of confidence against the share that is right; a dot's area grows with rows."""
    side, margin = 360, 48
    found = table(rows)

    def at(x: float, y: float) -> tuple[float, float]:
        return round(margin + x * side, 1), round(margin + (1 - y) * side, 1)

    size = side + 2 * margin
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" '
        f'viewBox="0 0 {size} {size}" font-family="sans-serif" font-size="12">',
        f'<rect width="{size}" height="{size}" fill="#fff"/>',
        f'<rect x="{margin}" y="{margin}" width="{side}" height="{side}" fill="none" '
        'stroke="#888"/>',
    ]
    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    parts.append(f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="#bbb"/>')
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, _ = at(tick, 0)
        _, y = at(0, tick)
        parts.append(f'<text x="{x}" y="{y0 + 18}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{x0 - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    for low, high, count, mean, right, _ in found:
        x, y = at(mean, right)
        radius = round(3 + 2 * np.log10(count), 1)
        title = f"{low:.2f} to {high:.2f}: {count:,} rows, {right:.4f} right"
        dot = f'<circle cx="{x}" cy="{y}" r="{radius}" fill="#2b6cb0" fill-opacity="0.7">'
        parts.append(f"{dot}<title>{title}</title></circle>")
    middle = margin + side / 2
    parts.append(f'<text x="{middle}" y="{size - 10}" text-anchor="middle">confidence</text>')
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle})">share that is right</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"

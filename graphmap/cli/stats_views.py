"""Statistics of values as JSON and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphmap.cli.console import escape, table

if TYPE_CHECKING:
    from graphmap.api.stats import Stats

__all__ = ["stats_json", "stats_text"]


def stats_json(stats: Stats) -> dict[str, Any]:
    """Return {"stats": ...} of one value; JSON has no infinity."""
    told = {
        "min": _finite(stats.minimum),
        "max": _finite(stats.maximum),
        "mean": _finite(stats.mean),
        "nan": stats.nan,
        "inf": stats.inf,
    }
    return {"stats": told}


def stats_text(stats: Mapping[str, Stats]) -> str:
    """Return a table, or a sentence where nothing fits."""
    if not stats:
        return "\nno variable with a value fits --stats"
    rows = [
        [escape(name), _number(s.minimum), _number(s.maximum), _number(s.mean), f"{s.nan:,}"]
        for name, s in stats.items()
    ]
    return "\n" + table(["values of", "min", "max", "mean", "NaN"], rows)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"

"""A name map as a table for people, as CSV, as Python code, and as the JSON of its file."""

from __future__ import annotations

import csv
import io

from graphmap.api.name_map import NameMap
from graphmap.cli.console import escape, table
from graphmap.cli.wording import count, shape_text
from graphmap.model.namemap import Decision

__all__ = ["map_bytes", "map_table"]

MAX_CANDIDATES = 3  # names offered in a row that is left open
MAX_UNUSED = 8
COLUMNS = ("expected", "status", "actual", "tensor", "checkpoint_key", "confidence", "margin",
           "layout")  # fmt: skip


def map_bytes(name_map: NameMap, form: str) -> bytes:
    """Return the bytes of a file: "json", "csv" or "python"."""
    if form == "json":
        return name_map.dump()
    if form == "csv":
        return _csv_text(name_map).encode("utf-8", "backslashreplace")
    from graphmap.api.exports import python_code

    text = python_code(name_map)
    return text.encode("utf-8", "backslashreplace")


def map_table(name_map: NameMap) -> str:
    """Return a row for each expected name, and what is left over."""
    rows = [_row(decision) for decision in name_map.decisions]
    parts = [
        f"{len(name_map.matched):,} of {count(len(name_map.decisions), 'expected name')} matched"
    ]
    if name_map.ambiguous:
        parts.append(f"{len(name_map.ambiguous):,} ambiguous")
    if name_map.unmatched:
        parts.append(f"{len(name_map.unmatched):,} without a counterpart")
    if name_map.verdict != "same":
        parts.append(f"verdict: {name_map.verdict} model")
    lines = [
        table(("expected", "", "actual", "shape", "confidence", "layout"), rows, right=(4,)),
        "",
        ", ".join(parts),
    ]
    if name_map.unused:
        shown = [escape(name) for name in name_map.unused[:MAX_UNUSED]]
        rest = len(name_map.unused) - len(shown)
        lines.append(f"unused: {', '.join(shown)}" + (f" and {rest:,} more" if rest else ""))
    return "\n".join(lines)


def _row(decision: Decision) -> tuple[str, ...]:
    name, shape = escape(decision.expected), shape_text(decision.shape)
    if decision.status == "matched":
        actual = decision.actual or " + ".join(str(part) for part in decision.parts)
        layout = "" if decision.layout == "same" else decision.layout
        return name, "->", escape(actual), shape, f"{decision.confidence:.3f}", layout
    offered = [escape(c.actual) for c in decision.candidates[:MAX_CANDIDATES]]
    if decision.status == "ambiguous":
        text = "ambiguous: " + " or ".join(offered)
    else:
        text = "none" + (f" (nearest: {', '.join(offered)})" if offered else "")
    return name, "?", text, shape, "", ""


def _csv_text(name_map: NameMap) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for d in name_map.decisions:
        names = (d.expected, d.status, d.actual or "", d.tensor or "", d.checkpoint_key or "")
        numbers = (f"{d.confidence:.6f}", f"{d.margin:.3f}")
        writer.writerow([*map(_inert, names), *numbers, d.layout])
    return stream.getvalue()


def _inert(cell: str) -> str:
    """Return a cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell

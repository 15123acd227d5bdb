"""A name map as a table for people, as CSV, as Python code, and as the JSON of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphmap.api.name_map import NameMap
from graphmap.cli.console import aligned, escape, is_plain
from graphmap.cli.wording import count, shape_text
from graphmap.model.namemap import Decision

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["map_bytes", "map_table"]

HEADER = ("expected", "", "actual", "shape", "confidence", "layout")
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
    numbers = Counter([decision.status for decision in name_map.decisions])
    parts = [f"{numbers['matched']:,} of {count(len(name_map.decisions), 'expected name')} matched"]
    if numbers["ambiguous"]:
        parts.append(f"{numbers['ambiguous']:,} ambiguous")
    if numbers["unmatched"]:
        parts.append(f"{numbers['unmatched']:,} without a counterpart")
    if name_map.verdict != "same":
        parts.append(f"verdict: {name_map.verdict} model")
    lines = [
        aligned(HEADER, _columns(name_map.decisions), right=(4,)),
        "",
        ", ".join(parts),
    ]
    if name_map.unused:
        shown = [escape(name) for name in name_map.unused[:MAX_UNUSED]]
        rest = len(name_map.unused) - len(shown)
        lines.append(f"unused: {', '.join(shown)}" + (f" and {rest:,} more" if rest else ""))
    return "\n".join(lines)


def _columns(decisions: Sequence[Decision]) -> list[Sequence[str]]:
    """Return the columns of a table; rows of 100,000 matched names differ in the names only."""
    known: dict[tuple[Dims, float, str], tuple[str, ...]] = {}
    left: list[str] = []
    marks: list[str] = []
    right: list[str] = []
    ends: list[tuple[str, ...]] = []
    for d in decisions:
        expected, status, shape, actual, _, _, sure, _, layout, _, _, _ = d
        if status != "matched" or not actual:
            expected, mark, actual, *rest = _row(d)
            end = tuple(rest)
        else:
            mark, end = "->", known.get((shape, sure, layout), ())
            if not end:
                end = known[shape, sure, layout] = _row(d)[3:]
        left.append(expected)
        marks.append(mark)
        right.append(actual)
        ends.append(end)
    if not is_plain("".join(left)):  # what is escaped already stays as it is
        left = list(map(escape, left))
    if not is_plain("".join(right)):
        right = list(map(escape, right))
    return [left, marks, right, *(zip(*ends, strict=True) if ends else ([], [], []))]


def _row(decision: Decision) -> tuple[str, str, str, str, str, str]:
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
    import csv  # needless for a table
    import io

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

"""A name map as a table for people, as CSV, as Python code, and as the JSON of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from graphmap.api.name_map import NameMap
from graphmap.chunks import chunks
from graphmap.cli.console import align, aligned_lines, escape, is_plain
from graphmap.cli.wording import count, shape_text
from graphmap.model.namemap import Decision

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["map_bytes", "map_table"]

HEADER = ("expected", "", "actual", "shape", "confidence", "layout")
_expected, _status, _actual = map(itemgetter, (0, 1, 3))  # of a Decision
_kind = itemgetter(2, 6, 8)  # its shape, confidence, layout
_Columns = tuple[tuple[str, ...], list[list[str]]]  # header, columns
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


def map_table(name_map: NameMap) -> Iterator[str]:
    """Yield a row for each expected name, many lines at once, and what is left over."""
    columns, numbers = _columns(name_map.decisions)
    yield from aligned_lines(*columns)
    asked = count(len(name_map.decisions), "expected name")
    parts = [f"{numbers['matched']:,} of {asked} matched"]
    if numbers["ambiguous"]:
        parts.append(f"{numbers['ambiguous']:,} ambiguous")
    if numbers["unmatched"]:
        parts.append(f"{numbers['unmatched']:,} without a counterpart")
    if name_map.verdict != "same":
        parts.append(f"verdict: {name_map.verdict} model")
    yield "\n" + ", ".join(parts)
    if name_map.unused:
        shown = [escape(name) for name in name_map.unused[:MAX_UNUSED]]
        rest = len(name_map.unused) - len(shown)
        yield f"unused: {', '.join(shown)}" + (f" and {rest:,} more" if rest else "")


def _columns(decisions: Sequence[Decision]) -> tuple[_Columns, Counter[str]]:
    """Return the columns of a table, and how many decisions there are of each status.

    The last three columns are the same in most rows: they are aligned once, and are one column.
    """
    numbers: Counter[str] = Counter()
    left, marks, right = [], [], []  # type: list[str], list[str], list[str]
    ends: list[int] = []  # places among those that differ
    places: dict[tuple[str, str, str], int] = {}
    known: dict[tuple[Dims, float, str], int] = {}  # of matched rows
    for chunk in chunks(decisions):
        statuses = Counter(map(_status, chunk))
        numbers += statuses
        actual = list(map(_actual, chunk))
        if statuses.keys() != {"matched"} or not all(actual):
            for name, mark, answer, *end in map(_row, chunk):
                left.append(name)
                marks.append(mark)
                right.append(answer)
                ends.append(places.setdefault((end[0], end[1], end[2]), len(places)))
            continue
        kinds = list(map(_kind, chunk))
        rest: list[Any] = list(map(known.get, kinds))
        if None in rest:
            for kind, d in dict(zip(kinds, chunk, strict=True)).items():
                if kind not in known:
                    known[kind] = places.setdefault(_row(d)[3:], len(places))
            rest = [known[kind] for kind in kinds]
        left += _escaped(list(map(_expected, chunk)))
        marks += repeat("->", len(chunk))
        right += _escaped(actual)
        ends += rest
    head, *texts = align(HEADER[3:], list(zip(*places, strict=True)) or [(), (), ()], right=(1,))
    columns = [left, marks, right, list(map(texts.__getitem__, ends))]
    return ((*HEADER[:3], head), columns), numbers


def _escaped(names: list[str]) -> list[str]:
    return names if is_plain("".join(names)) else list(map(escape, names))


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

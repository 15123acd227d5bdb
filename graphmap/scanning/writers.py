"""An inventory as a file: JSON lines, CSV, Parquet, or a page to filter. Written in one stream."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from graphmap.errors import MissingDependencyError
from graphmap.files import replacing
from graphmap.scanning.row import COLUMNS, Row

__all__ = ["FORMATS", "write_inventory"]

_PIECE = 1000  # rows of one group of a Parquet file
_PAGE = os.path.join(os.path.dirname(__file__), "page.html")
_PLACE = "<!-- rows -->"


def write_inventory(rows: Iterable[Row], path: str | os.PathLike[str], kind: str) -> None:
    """Write all rows or nothing; `kind` is a suffix of FORMATS.

    Raises MissingDependencyError for Parquet without pyarrow, GraphmapError where the system
    refuses.
    """
    write = FORMATS[kind]
    if kind == ".parquet":
        _pyarrow()
    with replacing(path) as stream:
        write(rows, stream)


def _jsonl(rows: Iterable[Row], stream: BinaryIO) -> None:
    for row in rows:
        stream.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")


def _csv(rows: Iterable[Row], stream: BinaryIO) -> None:
    import csv
    import io

    text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(list(COLUMNS))
    for row in rows:
        values: dict[str, Any] = dict(row)
        writer.writerow(
            "; ".join(value) if isinstance(value, list) else value
            for value in (values[column] for column in COLUMNS)
        )
    text.detach()  # closing it would close the stream


def _parquet(rows: Iterable[Row], stream: BinaryIO) -> None:
    pyarrow, parquet = _pyarrow()
    text = pyarrow.string()
    types = {int: pyarrow.int64(), str: text, list: pyarrow.list_(text)}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    with parquet.ParquetWriter(stream, schema) as writer:
        for piece in _pieces(rows):
            writer.write_table(pyarrow.Table.from_pylist(piece, schema))


def _html(rows: Iterable[Row], stream: BinaryIO) -> None:
    """Put the rows into the page as JSON in which no name can be markup."""
    before, after = _page().split(_PLACE)
    stream.write(before.encode() + b"[")
    for number, row in enumerate(rows):
        text = json.dumps(row, separators=(",", ":")).replace("<", "\\u003c")
        stream.write((",\n" if number else "\n").encode() + text.encode())
    stream.write(b"\n]" + after.encode())


def _page() -> str:
    """Return the page; its policy lets the one script run that is in it, and nothing else."""
    import base64
    import hashlib

    with open(_PAGE, encoding="utf-8") as stream:
        page = stream.read()
    script = page[page.rindex("<script>") + len("<script>") : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return page.replace("SCRIPT_DIGEST", digest)


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    for row in rows:
        piece.append(row)
        if len(piece) == _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _pyarrow() -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as cause:
        raise MissingDependencyError(
            "needs the package pyarrow",
            where="a .parquet inventory",
            remedy="Run: pip install 'graphmap[fleet]', or write .jsonl or .csv.",
        ) from cause
    return pyarrow, parquet


FORMATS: dict[str, Callable[[Iterable[Row], BinaryIO], None]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
    ".html": _html,
}

"""The rows of a scan on disk while it runs, so that memory stays flat and a stop costs nothing.

One line for each row, appended when it is known. A scan that is started again takes the rows of
files that have not changed; a last line that was cut is dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from graphmap.files import open_regular
from graphmap.scanning.items import Item
from graphmap.scanning.row import Row
from graphmap.version import VERSION

__all__ = ["Spool"]

_HEADER = {"schema": "graphmap.scan-progress/1", "graphmap_version": VERSION}


class Spool:
    """Rows by path, in a file; only where each begins is kept in memory."""

    def __init__(self, path: str | None) -> None:
        """Open the file at `path`, taking its rows; a temporary one where there is no path."""
        self.path = path
        self._places: dict[str, tuple[int, str]] = {}
        self._stream = _temporary() if path is None else _open(path)
        self._take()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: Item) -> bool:
        """Whether the row of an item is there, and its files are what they were."""
        return self._places.get(item.path, (0, ""))[1] == _stamp(item)

    def paths(self) -> list[str]:
        """Return the paths of all rows, sorted."""
        return sorted(self._places)

    def keep(self, paths: set[str]) -> None:
        """Forget the rows of artifacts that are not there any more."""
        self._places = {path: place for path, place in self._places.items() if path in paths}

    def add(self, item: Item, row: Row) -> None:
        """Append a row; it is on disk as far as the system keeps promises to a killed process."""
        at = self._stream.seek(0, os.SEEK_END)
        stamp = _stamp(item)
        self._write({"stamp": stamp, "files": item.files, "row": row})
        self._places[item.path] = (at, stamp)

    def read(self, path: str) -> tuple[Item, Row]:
        """Return the item and the row of a path."""
        at, stamp = self._places[path]
        self._stream.seek(at)
        line = json.loads(self._stream.readline())
        row: Row = line["row"]
        return Item(path, tuple(line["files"]), row["bytes"], stamp), row

    def rows(self) -> Iterator[Row]:
        """Yield all rows, sorted by path."""
        for path in self.paths():
            yield self.read(path)[1]

    def close(self, *, remove: bool) -> None:
        """Close the file, and remove it where its rows have gone elsewhere."""
        self._stream.close()
        if remove and self.path is not None:
            os.unlink(self.path)

    def _begin(self) -> None:
        self._stream.truncate(0)
        self._stream.seek(0)
        self._write(_HEADER)

    def _write(self, content: Any) -> None:
        self._stream.write(json.dumps(content, separators=(",", ":")).encode() + b"\n")
        self._stream.flush()

    def _take(self) -> None:
        """Note the rows of an earlier run, of this version; cut off a line that is not whole."""
        if _parse(self._stream.readline()) != _HEADER:
            self._begin()
            return
        at = self._stream.tell()
        while line := self._stream.readline():
            content = _parse(line)
            if not line.endswith(b"\n") or not isinstance(content, dict) or "row" not in content:
                break
            self._places[content["row"]["path"]] = (at, content["stamp"])
            at += len(line)
        self._stream.truncate(at)


def _stamp(item: Item) -> str:
    return hashlib.sha256(f"{item.stamp}\n{item.problem}".encode()).hexdigest()[:24]


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _temporary() -> BinaryIO:
    import tempfile

    return tempfile.TemporaryFile()  # Spool.close does


def _open(path: str) -> BinaryIO:
    """Open or make a regular file for reading and writing."""
    if os.path.exists(path):
        os.close(open_regular(path))  # raises for a FIFO or device
        return open(path, "r+b")
    return open(path, "w+b")

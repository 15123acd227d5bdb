"""Every artifact under some roots, a row each: `graphmap.scan`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import TracebackType

from graphmap.errors import UsageError
from graphmap.scanning.folders import find_items
from graphmap.scanning.items import Item
from graphmap.scanning.row import Row, content_digest, describe, died
from graphmap.scanning.spool import Spool
from graphmap.scanning.working import Crew, cluster, each, processes

__all__ = ["Inventory", "scan"]


class Inventory:
    """The rows of a scan, sorted by path; they are read from disk, so memory stays flat.

    counts: how many rows have each status. reused: rows that an earlier run had made.
    """

    def __init__(self, spool: Spool, duplicates: dict[str, str], reused: int) -> None:
        self._spool = spool
        self._duplicates = duplicates
        self.reused = reused
        self.counts = Counter(row["status"] for row in self._spool.rows())

    def __iter__(self) -> Iterator[Row]:
        for row in self._spool.rows():
            row["duplicate_of"] = self._duplicates.get(row["path"])
            yield row

    def __len__(self) -> int:
        return len(self._spool)

    def __enter__(self) -> Inventory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        cause: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(done=kind is None)

    def __repr__(self) -> str:
        told = ", ".join(f"{number} {status}" for status, number in sorted(self.counts.items()))
        return f"<Inventory of {len(self)} artifacts: {told}>"

    def close(self, *, done: bool = True) -> None:
        """Free the file of rows; `done`: they are kept elsewhere, no later run needs them."""
        self._spool.close(remove=done)


def scan(
    *roots: str | os.PathLike[str],
    jobs: int = 1,
    scheduler: str | None = None,
    progress: str | os.PathLike[str] | None = None,
    tick: Callable[[Row], None] | None = None,
) -> Inventory:
    """Open every artifact under folders, files or prefixes, and note what each is.

    jobs: processes on this machine. scheduler: address of a Dask scheduler instead. progress: a
    file that takes each row when it is known; where it exists, rows of unchanged files are taken
    from it. tick: called with each row that is made. No tensor value is read, nothing is executed.

    Raises UsageError for a root that is not there; a damaged artifact is a row.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs can do nothing", where="jobs", remedy="Give 1 or more.")
    names = [os.fspath(root) for root in roots]
    for name in names:
        next(find_items(name), None)  # a mistyped root is told before an hour of work
    spool = Spool(None if progress is None else os.fspath(progress))
    try:
        with cluster(scheduler) if scheduler else nullcontext(processes(jobs)) as crew:
            reused = _add_rows(spool, names, crew, tick)
            duplicates = _find_duplicates(spool, crew)
        return Inventory(spool, duplicates, reused)
    except BaseException:
        spool.close(remove=False)
        raise


def _add_rows(
    spool: Spool, roots: list[str], crew: Crew, tick: Callable[[Row], None] | None
) -> int:
    """Add the rows that the spool lacks; returns how many it had."""
    seen: set[str] = set()
    known = 0

    def fresh() -> Iterator[Item]:
        nonlocal known
        for root in roots:
            for item in find_items(root):
                if item.path in seen:  # roots may overlap
                    continue
                seen.add(item.path)
                if item in spool:
                    known += 1
                else:
                    yield item

    for item, result in each(describe, fresh(), crew):
        row = died(item) if result is None else result
        spool.add(item, row)
        if tick is not None:
            tick(row)
    spool.keep(seen)
    return known


def _find_duplicates(spool: Spool, crew: Crew) -> dict[str, str]:
    """Return {path: the first path with the same content}.

    Only artifacts of equal kind, size and variables are read for it.
    """
    groups: dict[tuple[str | None, int, str | None], list[str]] = {}
    for row in spool.rows():
        if row["status"] in ("ok", "warned") and row["bytes"]:
            groups.setdefault((row["kind"], row["bytes"], row["fingerprint"]), []).append(
                row["path"]
            )
    alike = sorted(path for paths in groups.values() if len(paths) > 1 for path in paths)
    digests = {
        item.path: digest
        for item, digest in each(content_digest, (spool.read(path)[0] for path in alike), crew)
        if digest
    }
    first: dict[tuple[str, int], str] = {}
    found: dict[str, str] = {}
    for path in alike:
        if path in digests:
            original = first.setdefault((digests[path], spool.read(path)[1]["bytes"]), path)
            if original != path:
                found[path] = original
    return found

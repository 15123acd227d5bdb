"""`graphmap scan`: every artifact under folders, a row each."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path

from graphmap.cli import console
from graphmap.cli.console import escape, table
from graphmap.cli.options import add_format, add_out, choose_by_suffix, chosen_format
from graphmap.cli.wording import count, size_text
from graphmap.errors import UsageError
from graphmap.scanning.row import Row
from graphmap.scanning.scan import Inventory, scan
from graphmap.scanning.writers import FORMATS, write_inventory

DESCRIPTION = """List every artifact under folders, a row each: kind, producer, step, variables,
parameters, bytes, optimizer, train ops, unsafe ops, damage, a fingerprint of the architecture that
no name changes, and which are copies of each other. A damaged file is a row too; exits with 1
then. With -o, a scan that was stopped goes on where it was when it is started again: rows are kept
in FILE.partial until all are there.

status: ok; warned (see its warnings); damaged (cannot be read); unknown (no model we know)."""
EPILOG = """examples:
  graphmap scan models/ -o inventory.html --jobs 4
  graphmap scan /data/a /data/b -o inventory.jsonl
  graphmap scan /shared/models -o inventory.parquet --scheduler tcp://10.0.0.5:8786"""

EXIT_DAMAGED = 1


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument(
        "roots", metavar="ROOT", nargs="+", help="folder, file or checkpoint prefix"
    )
    add_out(parser, "write the inventory; its suffix says how: " + " ".join(FORMATS))
    parser.add_argument(
        "--jobs", metavar="N", type=_jobs, help="processes on this machine; default: 1"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on a Dask cluster, whose workers see the same files under the same paths",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget the rows of a scan that was stopped"
    )
    add_format(parser, ["table", "json", "jsonl"])


def run(args: Namespace) -> int:
    """Scan, print or write the rows."""
    wanted = chosen_format(args, "table")
    if args.jobs and args.scheduler:
        raise UsageError("--jobs and --scheduler contradict each other", remedy="Give one of them.")
    kind = choose_by_suffix(args.out, dict(zip(FORMATS, FORMATS, strict=True))) if args.out else ""
    progress = _progress_file(args)
    with console.counting("artifacts") as tick:
        found = scan(
            *args.roots,
            jobs=args.jobs or 1,
            scheduler=args.scheduler,
            progress=progress,
            tick=lambda row: tick(row["path"]),
        )
    with found:
        if found.reused:
            console.note(f"took {count(found.reused, 'row')} of the scan that was stopped")
        if args.out:
            write_inventory(found, args.out, kind)
            console.note(f"wrote {args.out}: {_told(found)}")
        if not args.out or args.json:
            _print(found, wanted)
    return EXIT_DAMAGED if found.counts["damaged"] else 0


def _progress_file(args: Namespace) -> str | None:
    """Return the file that keeps the rows until all are there, None without -o."""
    if not args.out:
        return None
    from graphmap.files import check_writable

    check_writable(args.out)
    path = Path(f"{args.out}.partial")
    if args.fresh:
        path.unlink(missing_ok=True)
    return str(path)


def _print(found: Inventory, wanted: str) -> None:
    if wanted == "table":
        console.print_text(_table(found))
    elif wanted == "jsonl":
        import json

        for row in found:
            console.print_text(json.dumps(row, separators=(",", ":")))
    else:
        rows = list(found)
        console.print_json({"schema": "graphmap.scan/1", "counts": found.counts, "rows": rows})


def _table(found: Inventory) -> str:
    header = ["path", "status", "kind", "variables", "parameters", "bytes", "optimizer", "remarks"]
    rows = [
        [
            escape(row["path"]),
            row["status"],
            row["kind"] or "",
            f"{row['variables']:,}",
            f"{row['parameters']:,}",
            size_text(row["bytes"]),
            escape(", ".join(row["optimizer"])),
            escape("; ".join(_remarks(row))),
        ]
        for row in found
    ]
    return f"{table(header, rows, right=(3, 4, 5))}\n\n{_told(found)}" if rows else _told(found)


def _remarks(row: Row) -> Iterator[str]:
    if row["error"]:
        yield row["error"]
    if row["duplicate_of"]:
        yield f"the same as {row['duplicate_of']}"
    if row["unsafe_ops"]:
        yield f"{count(row['unsafe_ops'], 'unsafe op')} ({row['worst']})"
    if row["warnings"]:
        yield count(len(row["warnings"]), "warning")


def _told(found: Inventory) -> str:
    counts = ", ".join(f"{number:,} {status}" for status, number in sorted(found.counts.items()))
    return count(len(found), "artifact") + (f" ({counts})" if counts else "")


def _jobs(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is no number of processes")

"""`graphmap audit`: what an artifact could do when it is run or loaded."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from graphmap.api.audit import Audit, audit
from graphmap.cli import console
from graphmap.cli.console import escape, table
from graphmap.cli.options import add_artifact, add_format, add_out, chosen_format

if TYPE_CHECKING:
    from graphmap.auditing.findings import Finding

DESCRIPTION = """Find what an artifact could do when it is run or loaded: ops that touch files, run
code, use the network, or that TensorFlow does not know, in every graph and function body, and
what a Keras config imports, calls or reads. Nothing is executed. Exits with 1 from `unknown` up.

  critical  runs code or writes            unknown  nobody can say what it does
  high      reads files, uses the network  note     harmless where it stands"""
EPILOG = """examples:
  graphmap audit downloaded_model/
  graphmap audit model.ckpt-500.meta --format sarif -o audit.sarif     # for CI"""

EXIT_FOUND = 1
MAX_NODES = 3  # nodes named in one row


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    add_out(parser, "write the findings to a file, in the format of --format")
    add_format(parser, ["table", "json", "sarif"])


def run(args: Namespace) -> int:
    """Print every finding, worst first."""
    wanted = chosen_format(args, "table")
    if args.out:
        from graphmap.files import check_writable

        check_writable(args.out)
    with console.busy(f"looking through {args.path}"):
        found = audit(args.path, args.tags, args.step)
        console.print_warnings(found.warnings)
    text = _table(found) if wanted == "table" else _json_text(found, wanted)
    if args.out:
        from graphmap.files import write_atomic

        write_atomic(args.out, f"{text}\n".encode())
        console.note(f"wrote {args.out}")
    if not args.out or args.json:
        console.print_text(text)
    return EXIT_FOUND if found.serious else 0


def _json_text(found: Audit, wanted: str) -> str:
    import json

    if wanted == "sarif":
        from graphmap.auditing.sarif import sarif
        from graphmap.version import VERSION

        content = sarif(found, VERSION)
    else:
        content = {
            "schema": "graphmap.audit/1",
            "path": found.path,
            "kind": found.kind,
            "worst": found.worst,
            "counts": found.counts,
            "findings": [finding._asdict() for finding in found],
            "warnings": list(found.warnings),
        }
    text = json.dumps(content, indent=1).replace("\x7f", "\\u007f")
    return text.replace("<", "\\u003c")  # CI shows logs on pages


def _table(found: Audit) -> str:
    told = ", ".join(f"{number:,} {word}" for word, number in found.counts.items() if number)
    head = escape(f"{found.path}: {found.kind}: ") + (told or "nothing found")
    if not found.findings:
        return head
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in found:
        groups.setdefault((finding.severity, finding.op, finding.why, finding.file), []).append(
            finding
        )
    rows = [
        [severity, escape(op), escape(why), escape(_places(members))]
        for (severity, op, why, _), members in groups.items()
    ]
    return head + "\n\n" + table(["severity", "op", "what it does", "where"], rows)


def _places(members: list[Finding]) -> str:
    names = [
        f"{finding.node} in {finding.function}"
        if finding.function
        else finding.node or finding.file
        for finding in members[:MAX_NODES]
    ]
    more = f" and {len(members) - MAX_NODES:,} more" if len(members) > MAX_NODES else ""
    return ", ".join(names) + more


def _place(finding: Finding) -> str:
    if finding.function:
        return f"{finding.node} in {finding.function}"
    return finding.node or finding.file

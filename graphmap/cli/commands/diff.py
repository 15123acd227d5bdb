"""`graphmap diff`: what two artifacts share, rename, change, add and drop."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.api.artifact import load
from graphmap.api.diff import diff
from graphmap.api.diff_drawing import draw_diff
from graphmap.api.picture import format_of
from graphmap.cli import console
from graphmap.cli.diff_views import diff_json, diff_markdown, diff_table
from graphmap.cli.options import add_format, add_out, chosen_format
from graphmap.files import check_writable

DESCRIPTION = """Compare two artifacts by content: variables in shape, dtype and value, train ops in
their hyper-parameters, signatures, nodes and function bodies. A name that is gone is looked for by
its content first. Values are compared by stored checksums where both sides have them, else read.
Exits with 1 where anything differs."""
EPILOG = """examples:
  graphmap diff model.ckpt-100 model.ckpt-200
  graphmap diff old_export/ new_export/ -o what_changed.html
  graphmap diff old_export/ new_export/ --format github >> $GITHUB_STEP_SUMMARY"""

EXIT_DIFFERS = 1


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("a", metavar="A", help="any artifact: what was")
    parser.add_argument("b", metavar="B", help="any artifact: what is")
    parser.add_argument("--tags", metavar="TAGS", help="which graph of each SavedModel")
    add_out(
        parser,
        "draw both side by side, with what differs marked: .svg, .png, .pdf, .dot, or .html for "
        "linked panes",
    )
    add_format(parser, ["table", "json", "markdown", "github"])


def run(args: Namespace) -> int:
    """Compare and print."""
    wanted = chosen_format(args, "table")
    if args.out is not None:
        format_of(args.out)  # a suffix that is no format is refused before the work
        check_writable(args.out)
    with console.busy(f"comparing {args.a} with {args.b}"):
        one, other = load(args.a, args.tags), load(args.b, args.tags)
        console.print_warnings(one.warnings, other.warnings)
        found = diff(one, other)
        if args.out is not None:
            draw_diff(found, args.out)
    if wanted == "json":
        console.print_json(diff_json(found))
    elif wanted == "table":
        console.print_text(diff_table(found))
    else:
        console.print_text(diff_markdown(found, folded=wanted == "github"))
    if found.unread:
        console.print_warnings(
            [f"{len(found.unread)} values cannot be read, the first is {found.unread[0]}"]
        )
    if args.out is not None:
        console.note(f"wrote {args.out}")
    return 0 if found.is_same else EXIT_DIFFERS

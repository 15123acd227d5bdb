"""`graphmap review`: a page on which a map is accepted, changed and rejected row by row."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from graphmap.api.name_map import NameMap
from graphmap.api.reviewing import review, sources_of
from graphmap.cli import console
from graphmap.cli.options import add_out
from graphmap.cli.wording import count
from graphmap.errors import UsageError
from graphmap.files import check_writable

DESCRIPTION = """Write one self-contained page that shows the uncertain rows of a map first, each
with its candidates, the evidence and the neighbourhoods on both sides. Rows are accepted, changed
and rejected by keyboard; a choice settles the same name in the other layers and the leaves beside
it, as a --pin does. The page keeps the progress and gives the new map as a file."""
EPILOG = """examples:
  graphmap review map.json -o review.html
  graphmap match checkpoints/ --expected names.txt --map map.reviewed.json -o final.json
  graphmap rename checkpoints/ --map map.reviewed.json -o renamed/"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("map", metavar="MAP", help="a map.json that `graphmap match -o` wrote")
    add_out(parser, "write the page here; default: standard output")
    parser.add_argument(
        "--artifact", metavar="PATH", help="where the artifact lies now; default: as the map says"
    )
    parser.add_argument(
        "--expected", metavar="EXPECTED", help="where the expected side lies now, likewise"
    )
    parser.add_argument("--json", action="store_true", help="print what was written; needs -o")


def run(args: Namespace) -> int:
    """Write the page."""
    if args.out is None and sys.stdout.isatty():
        raise UsageError(
            "a page is not printed on a terminal",
            where="review",
            remedy="Write it to a file: -o review.html",
        )
    if args.json and args.out is None:
        raise UsageError(
            "--json tells of a file that is written", where="review", remedy="Give -o too."
        )
    if args.out is not None:
        check_writable(args.out)
    with console.busy(f"reading {args.map}"):
        name_map = NameMap.load(args.map)
        artifact, expected, notes = sources_of(name_map, args.artifact, args.expected)
        opened = [one.warnings for one in (artifact, expected) if one is not None]
        console.print_warnings(*opened, notes)
        page = review(name_map, artifact, expected, notes, args.out)
    if args.out is None:
        sys.stdout.buffer.write(page)
        return 0
    uncertain = len(name_map.decisions) - len(name_map.matched)
    if args.json:
        console.print_json(
            {
                "schema": "graphmap.review/1",
                "map": args.map,
                "output": args.out,
                "bytes": len(page),
                "rows": len(name_map.decisions),
                "uncertain": uncertain,
                "warnings": [text for texts in (*opened, notes) for text in texts],
            }
        )
    else:
        console.note(f"wrote {args.out}: {count(uncertain, 'uncertain row')} first")
    return 0

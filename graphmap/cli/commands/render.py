"""`graphmap render`: a picture of the graph."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from graphmap.api.artifact import load
from graphmap.api.name_map import NameMap
from graphmap.api.picture import FORMATS, format_of, render
from graphmap.cli import console
from graphmap.cli.options import add_artifact, add_out
from graphmap.errors import UsageError
from graphmap.files import check_writable

DESCRIPTION = """Draw the graph: model, loss, gradients and optimizer as groups. Without a stored
graph the scope tree of the variables is drawn. Without -o the picture goes to standard output."""
EPILOG = """examples:
  graphmap render model.ckpt-500.meta -o model.svg
  graphmap render model.ckpt-500.meta -o model.html
  graphmap render checkpoints/ --map map.json -o matched.svg
  graphmap render frozen.pb --scope net/block1 --depth 3 --format dot
  graphmap render model.ckpt-500.meta --path input_ids loss -o way.svg"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    add_out(
        parser,
        "write the picture here; the format follows its suffix: .svg, .png, .pdf, .dot, or .html "
        "for an interactive page",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORMAT",
        help="default: by the suffix of -o, else svg; one of " + ", ".join(FORMATS),
    )
    parser.add_argument("--json", action="store_true", help="print what was drawn; needs -o")
    parser.add_argument("--map", metavar="MAP", help="colour the variables by their match status")
    parser.add_argument("--scope", metavar="NAME", help="draw this scope only")
    parser.add_argument("--focus", metavar="NODE", help="draw this node or scope and its vicinity")
    parser.add_argument("--hops", metavar="N", type=_positive, help="of --focus (default 2)")
    parser.add_argument(
        "--path", dest="way", nargs=2, metavar=("A", "B"), help="draw what lies on ways from A to B"
    )
    parser.add_argument("--depth", metavar="N", type=_positive, help="how deep scopes are opened")
    parser.add_argument("--max-nodes", metavar="N", type=_positive, help="boxes at most")
    parser.add_argument(
        "--engine",
        default="graphviz-pure",
        help="what lays it out: graphviz-pure (default), or dot where Graphviz is installed",
    )


def run(args: Namespace) -> int:
    """Draw, then write or print."""
    if args.out is None and sys.stdout.isatty():
        raise UsageError(
            "a picture is not printed on a terminal",
            where="render",
            remedy="Write it to a file: -o model.svg",
        )
    if args.json and args.out is None:
        raise UsageError(
            "--json tells of a file that is written", where="render", remedy="Give -o too."
        )
    if args.hops is not None and args.focus is None:
        raise UsageError(
            "--hops says how far around --focus", where="render", remedy="Give --focus NODE too."
        )
    chosen = args.format or format_of(args.out)
    if args.out is not None:
        check_writable(args.out)
    with console.busy(f"drawing {args.path}"):
        artifact = load(args.path, args.tags, args.step)
        console.print_warnings(artifact.warnings)
        picture = render(
            artifact,
            args.out,
            NameMap.load(args.map) if args.map else None,
            format=chosen,
            engine=args.engine,
            scope=args.scope,
            depth=args.depth,
            max_nodes=args.max_nodes,
            focus=args.focus,
            hops=args.hops,
            path=tuple(args.way) if args.way else None,
        )
    if args.out is None:
        sys.stdout.buffer.write(picture.data)
    elif args.json:
        console.print_json(
            {
                "schema": "graphmap.render/1",
                "path": artifact.path,
                "output": args.out,
                "format": chosen,
                "bytes": len(picture.data),
                "warnings": list(artifact.warnings),
            }
        )
    else:
        console.note(f"wrote {args.out}")
    return 0


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)

"""`graphmap convert`: an artifact's values in another container."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.api.artifact import load
from graphmap.api.converting import DTYPES, convert
from graphmap.cli import console
from graphmap.cli.console import escape
from graphmap.cli.options import add_artifact
from graphmap.cli.wording import count

DESCRIPTION = """Write values into another container under the expected names of a map, layouts
(transpose, reshape, split, join ...) applied. The suffix of NEW says which: .safetensors, .npz,
.h5, or a checkpoint prefix with .ckpt in its name. Without --map all values keep their names. One
value is in memory at a time. Exits with 1 where the map has names left open."""
EPILOG = """examples:
  graphmap convert model.ckpt-500 --map map.json -o model.safetensors
  graphmap convert weights.safetensors --map back.json -o weights.ckpt

In PyTorch: model.load_state_dict(safetensors.torch.load_file("model.safetensors"))"""

EXIT_LEFT_OUT = 1


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    parser.add_argument(
        "-o", "--output", dest="out", metavar="NEW", required=True, help="file or prefix to write"
    )
    parser.add_argument("--map", metavar="MAP", help="map.json of graphmap match")
    parser.add_argument("--only", metavar="REGEX", help="write only names that it is found in")
    parser.add_argument(
        "--no-slots", action="store_true", help="without --map: leave optimizer state out"
    )
    parser.add_argument("--dtype", choices=DTYPES, help="what floating values become")
    parser.add_argument("--force", action="store_true", help="replace NEW where it exists")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: Namespace) -> int:
    """Convert and say what was written."""
    with console.busy(f"converting {args.path}"):
        artifact = load(args.path, args.tags, args.step)
        console.print_warnings(artifact.warnings)
        report = convert(
            artifact,
            args.map,
            args.out,
            only=args.only,
            no_slots=args.no_slots,
            dtype=args.dtype,
            force=args.force,
        )
    if args.json:
        console.print_json({"schema": "graphmap.convert/1", **report._asdict()})
    else:
        console.print_text(
            f"wrote {count(len(report.names), 'value')}: {escape(', '.join(report.written))}"
        )
        if report.unresolved:
            left = escape(", ".join(report.unresolved))
            console.print_text(f"{count(len(report.unresolved), 'name')} open in the map: {left}")
    return EXIT_LEFT_OUT if report.unresolved else 0

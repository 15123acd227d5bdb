"""`graphmap explain`: why a name was mapped so."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.api.matching import explain
from graphmap.api.name_map import NameMap
from graphmap.cli import console
from graphmap.cli.options import add_format, chosen_format

DESCRIPTION = "Say why a name was mapped so: the evidence in bits, the margin, the runners-up."
EPILOG = """example:
  graphmap match checkpoints/ --expected names.txt -o map.json
  graphmap explain map.json dense/kernel"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("map", metavar="MAP", help="a map.json that `graphmap match -o` wrote")
    parser.add_argument("name", metavar="NAME", help="an expected name")
    add_format(parser, ["text", "json"])


def run(args: Namespace) -> int:
    """Print the reasons."""
    wanted = chosen_format(args, "text")
    name_map = NameMap.load(args.map)
    text = explain(name_map, args.name)  # refuses a name that the map lacks
    if wanted == "json":
        console.print_json(name_map.entry(args.name))
    else:
        console.print_text("\n".join(console.escape(line) for line in text.split("\n")))
    return 0

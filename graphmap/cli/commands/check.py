"""`graphmap check`: whether a map still fits an artifact."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.api.artifact import load
from graphmap.api.checking import Checked, check
from graphmap.api.name_map import NameMap
from graphmap.cli import console
from graphmap.cli.options import add_artifact, add_format, chosen_format
from graphmap.cli.wording import count

DESCRIPTION = """Say whether a map still fits an artifact: every name that it gives is stored, with
a shape that fits. The exit code is 1 where it does not."""
EPILOG = """example:
  graphmap check map.json checkpoints/model.ckpt-900
  graphmap match checkpoints/ --expected names.txt --map map.json -o new.json   # match anew"""

EXIT_STALE = 1
MOST = 20  # rows shown of a kind


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("map", metavar="MAP", help="a map.json that `graphmap match -o` wrote")
    add_artifact(parser)
    add_format(parser, ["text", "json"])


def run(args: Namespace) -> int:
    """Compare and say what has changed."""
    wanted = chosen_format(args, "text")
    name_map = NameMap.load(args.map)
    artifact = load(args.path, args.tags, args.step)
    console.print_warnings(artifact.warnings)
    found = check(name_map, artifact)
    if wanted == "json":
        console.print_json(found.as_dict())
    else:
        console.print_text("\n".join(_lines(args.map, found)))
    return 0 if found.fits else EXIT_STALE


def _lines(name: str, found: Checked) -> list[str]:
    escape = console.escape
    rows = count(found.rows, "matched row")
    if found.fits:
        lines = [f"{escape(name)} fits {escape(found.path)}: {rows}, all stored"]
    else:
        broken = len(found.missing) + len(found.changed) + len(found.moved)
        lines = [f"{escape(name)} does not fit {escape(found.path)}: {broken:,} of {rows}"]
    kinds = {
        "not stored": [f"{e} -> {a}" for e, a in found.missing],
        "shape differs": [f"{e} -> {a}: {what}" for e, a, what in found.changed],
        "moved": [f"{e} -> {a}: {what}" for e, a, what in found.moved],
        "new in the artifact": list(found.added),
    }
    for title, texts in kinds.items():
        lines += [f"  {title}: {escape(text)}" for text in texts[:MOST]]
        if len(texts) > MOST:
            lines.append(f"  {title}: {len(texts) - MOST:,} more")
    return lines

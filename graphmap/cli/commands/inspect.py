"""`graphmap inspect`: what an artifact holds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphmap.api.artifact import Artifact, load
from graphmap.cli import console
from graphmap.cli.options import add_artifact, add_format, chosen_format
from graphmap.cli.views import inspect_json, inspect_text, select

if TYPE_CHECKING:
    from graphmap.api.stats import Stats
    from graphmap.model.variable import Variable

DESCRIPTION = """Say what an artifact holds. Reads indexes, headers and graphs; values only with
--stats and --verify-data."""
EPILOG = """examples:
  graphmap inspect checkpoints/ --role weight
  graphmap inspect export/ --tags serve --json
  graphmap inspect checkpoints/ --stats 'kernel$'"""

ROLES = ("weight", "slot", "shadow", "optimizer", "step", "other")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    parser.add_argument("--only", metavar="REGEX", help="variables whose name it is found in")
    parser.add_argument("--role", choices=ROLES, help="variables of this role")
    parser.add_argument("--sort", choices=["name", "bytes"], default="name", help="default: name")
    parser.add_argument(
        "--stats",
        metavar="REGEX",
        help="read the values of the listed variables whose name it is found in: "
        "min, max, mean, NaN count",
    )
    parser.add_argument(
        "--verify-data", action="store_true", help="read all values and check their checksums"
    )
    add_format(parser, ["table", "json"])


def run(args: Namespace) -> int:
    """Print what is there."""
    wanted = chosen_format(args, "table")
    with console.busy(f"reading {args.path}"):
        artifact: Artifact = load(args.path, args.tags, args.step)
        variables = select(artifact.variables, args.only, args.role, args.sort)
        stats = _stats(artifact, variables, args.stats) if args.stats is not None else {}
        damaged = artifact.verify_data() if args.verify_data else ()
        console.print_warnings(artifact.warnings, damaged)
    if wanted == "json":
        console.print_json(inspect_json(artifact, variables, damaged, stats))
    else:
        for text in inspect_text(artifact, variables):
            console.print_text(text)
        if args.stats is not None:
            from graphmap.cli.stats_views import stats_text

            console.print_text(stats_text(stats))
    return 0


def _stats(artifact: Artifact, variables: Sequence[Variable], pattern: str) -> dict[str, Stats]:
    from graphmap.api.stats import value_stats  # a listing need not pay for it

    return value_stats(artifact, variables, pattern)

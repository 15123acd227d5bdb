"""`graphmap match`: expected names -> actual names."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from graphmap.api.artifact import Artifact, load
from graphmap.api.matching import layouts_of, match, pins_of, refused_of
from graphmap.api.name_map import NameMap
from graphmap.cli import console
from graphmap.cli.map_views import map_bytes, map_table
from graphmap.cli.options import add_artifact, add_format, add_out, choose_by_suffix, chosen_format
from graphmap.errors import UsageError
from graphmap.files import check_writable, write_atomic

DESCRIPTION = """Map every expected name (what your code asks for) to one actual name (what the
files hold), or say why not. A name is left open rather than guessed; then the exit code is 1."""
EPILOG = """Where names.txt comes from: build the graph of the code you have, then

  import graphmap.tf as gmtf
  gmtf.write_listing(graph, "names.txt")     # NAME [d0,d1,...] dtype, in creation order

or write it by hand: one name a line, the shape is optional.

examples:
  graphmap match checkpoints/ --expected names.txt -o map.json
  graphmap match old.ckpt --expected new.ckpt --pin dense/kernel=fc/W
  printf 'W\\nb\\n' | graphmap match checkpoints/ --expected - --format python"""

EXIT_UNRESOLVED = 1
SUFFIXES = {".json": "json", ".csv": "csv", ".py": "python", ".html": "html"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    parser.add_argument(
        "--expected", metavar="EXPECTED", required=True,
        help="the names that the code asks for: any artifact or listing, - for standard input",
    )  # fmt: skip
    parser.add_argument("--expected-tags", metavar="TAGS", help="--tags for EXPECTED")
    parser.add_argument("--expected-step", metavar="N", type=int, help="--step for EXPECTED")
    add_out(
        parser,
        "write the map: .json, .csv, .py for code with the dict, or .html for the page on which "
        "it is reviewed",
    )
    add_format(parser, ["table", "json", "csv", "python"])
    group = parser.add_argument_group("matching")
    group.add_argument(
        "--min-confidence", metavar="P", type=_probability, default=0.95,
        help="probability under which a name is left open; default: 0.95",
    )  # fmt: skip
    group.add_argument(
        "--pin", metavar="EXPECTED=ACTUAL", action="append", default=[], type=_pin,
        help="take this pair as given; repeatable",
    )  # fmt: skip
    group.add_argument(
        "--map", metavar="OLD",
        help="take the matched rows of this map as pins; what a reviewer rejected stays out",
    )  # fmt: skip
    group.add_argument("--only", metavar="REGEX", help="match only these expected names")
    group.add_argument("--exclude", metavar="REGEX", help="leave these expected names out")
    group.add_argument(
        "--include-slots", action="store_true", help="slots, shadows and steps are expected too"
    )
    group.add_argument(
        "--prefer-ema", action="store_true", help="take moving averages where they are stored"
    )
    group.add_argument(
        "--values", action="store_true",
        help="compare stored values and checksums too; values of a strange scale cast doubt",
    )  # fmt: skip
    group.add_argument(
        "--allow-unresolved", action="store_true", help="exit with 0 though names are left open"
    )


def run(args: Namespace) -> int:
    """Match, print, write."""
    wanted = chosen_format(args, "table")
    written = choose_by_suffix(args.out, SUFFIXES) if args.out else None
    if args.out:
        check_writable(args.out)
    if args.expected == args.path == "-":
        raise UsageError(
            "both sides are standard input", where="-", remedy="Give one of them as a file."
        )
    with console.busy(f"matching {args.path}"):
        expected = load(args.expected, args.expected_tags, args.expected_step)
        artifact = load(args.path, args.tags, args.step)
        console.print_warnings(expected.warnings, artifact.warnings)
        old = NameMap.load(args.map) if args.map else None
        pins = _pins(args, old, expected, artifact)
        name_map = match(
            expected,
            artifact,
            min_confidence=args.min_confidence,
            pins=pins,
            layouts={} if old is None else layouts_of(old, pins),
            refused={} if old is None else refused_of(old),
            only=args.only,
            exclude=args.exclude,
            include_slots=args.include_slots,
            prefer_ema=args.prefer_ema,
            values=args.values,
        )
    args.made = expected, artifact, name_map  # stay until the process ends: see `cli.app.run`
    if args.out and written == "html":
        from graphmap.api.reviewing import review  # brings the page

        review(name_map, artifact, expected, out=args.out)
    elif args.out and written:
        if written == "json":
            name_map.save(args.out)
        else:
            write_atomic(args.out, map_bytes(name_map, written))
    if wanted == "table":
        console.print_lines(map_table(name_map))
    else:
        console.print_text(map_bytes(name_map, wanted).decode().rstrip("\n"))
    if args.out:
        console.note(f"wrote {args.out}")
    return EXIT_UNRESOLVED if name_map.verdict != "same" and not args.allow_unresolved else 0


def _pins(
    args: Namespace, old: NameMap | None, expected: Artifact, artifact: Artifact
) -> dict[str, str]:
    given: dict[str, str] = {}
    for left, right in args.pin:
        if given.setdefault(left, right) != right:
            raise UsageError(
                f"is pinned to {given[left]} and to {right}",
                where=left,
                remedy="Keep one --pin for each expected name.",
            )
    if old is None:
        return given
    kept = pins_of(old, artifact, expected)
    if len(kept) < len(old):
        console.note(f"{len(old) - len(kept):,} rows of {args.map} fit nothing here any more")
    return {**kept, **given}


def _pin(text: str) -> tuple[str, str]:
    expected, equals, actual = text.partition("=")
    if not (expected and equals and actual):
        raise ArgumentTypeError(f"{text!r} is no pair EXPECTED=ACTUAL")
    return expected.removesuffix(":0"), actual.removesuffix(":0")


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ArgumentTypeError(f"{text!r} is no probability from 0 to 1")
    return value

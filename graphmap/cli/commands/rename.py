"""`graphmap rename`: an artifact under other names, as new files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.api.artifact import load
from graphmap.api.renaming import RenameReport, read_rules, rename
from graphmap.cli import console
from graphmap.cli.console import escape, table
from graphmap.cli.options import add_artifact
from graphmap.cli.wording import count
from graphmap.errors import UsageError

DESCRIPTION = """Write a new checkpoint (with its .meta), graph or SavedModel under the expected
names of a map. Tensor bytes are copied, never decoded; nothing is renamed in place. Slots follow
their variable; names that the map does not mention stay, and are listed. A kill at any moment
leaves what was there before, or the whole new artifact. Exits with 1 where names of the map are
open."""
EPILOG = """--link shares the data files with the source: it takes no time and no space, but
whatever writes one of them in place later changes both. --only, --no-slots and --compact need no
new names: they write a part under the old ones.

examples:
  graphmap rename old/model.ckpt-500 --map map.json -o new/model.ckpt-500
  graphmap rename old/ --strip my_model/ --dry-run -o new/model
  graphmap rename old/ --rules rules.txt --no-slots --compact -o new/weights
  graphmap rename old/ --only '^encoder/' -o new/encoder"""

EXIT_LEFT_OUT = 1


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    add_artifact(parser)
    parser.add_argument(
        "-o", "--output", dest="out", metavar="NEW", required=True,
        help="checkpoint prefix, file or folder to write; a folder gets the old file name",
    )  # fmt: skip
    group = parser.add_argument_group("names")
    group.add_argument("--map", metavar="MAP", help="map.json of graphmap match")
    group.add_argument(
        "--rules",
        metavar="FILE",
        help="lines of PATTERN REPLACEMENT; the first that fits is used",
    )
    group.add_argument("--prefix", metavar="SCOPE/", default="", help="put this before every name")
    group.add_argument("--strip", metavar="SCOPE/", default="", help="take this off every name")
    group.add_argument("--only", metavar="REGEX", help="write only variables it is found in")
    group.add_argument(
        "--no-slots", action="store_true", help="leave slots and other optimizer state out"
    )
    group = parser.add_argument_group("files")
    group.add_argument("--dry-run", action="store_true", help="say what would change, no more")
    group.add_argument("--link", action="store_true", help="link data files instead of copying")
    group.add_argument("--compact", action="store_true", help="leave bytes out that no name needs")
    group.add_argument(
        "--no-sync", action="store_true",
        help="do not wait for the disk: quicker, but a power cut may leave half of it",
    )  # fmt: skip
    group.add_argument("--force", action="store_true", help="replace NEW where it exists")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: Namespace) -> int:
    """Rename and say what was done."""
    if args.link and args.compact:
        raise UsageError("--link and --compact contradict each other", remedy="Give one of them.")
    with console.busy(f"renaming {args.path}"):
        artifact = load(args.path, args.tags, args.step)
        console.print_warnings(artifact.warnings)
        report = rename(
            artifact,
            args.map,
            args.out,
            only=args.only,
            no_slots=args.no_slots,
            rules=read_rules(args.rules) if args.rules else (),
            prefix=args.prefix,
            strip=args.strip,
            link=args.link,
            compact=args.compact,
            force=args.force,
            dry_run=args.dry_run,
            sync=not args.no_sync,
        )
    if args.json:
        console.print_json({"schema": "graphmap.rename/1", **report._asdict()})
    else:
        console.print_text(_text(report, args.dry_run))
    return EXIT_LEFT_OUT if report.unresolved else 0


def _text(report: RenameReport, dry_run: bool) -> str:
    lines = []
    if report.renamed and dry_run:
        rows = [
            (escape(old), escape(", ".join(new))) for old, new in sorted(report.renamed.items())
        ]
        lines += [table(["name", "new name"], rows), ""]
    lines.append(f"{count(len(report.renamed), 'name')} {'would change' if dry_run else 'changed'}")
    for what, names in (
        ("kept as they are", report.kept),
        ("left out", report.dropped),
        ("expected, but open in the map", report.unresolved),
    ):
        if names:
            lines.append(f"{count(len(names), 'name')} {what}: {escape(', '.join(names))}")
    lines += [f"wrote {escape(path)}" for path in report.written]
    return "\n".join(lines)

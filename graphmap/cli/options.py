"""Flags that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from graphmap.errors import UsageError

__all__ = ["add_artifact", "add_format", "add_out", "choose_by_suffix", "chosen_format"]


def add_artifact(parser: argparse.ArgumentParser) -> None:
    """Add PATH, --tags and --step."""
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        default=".",
        help="checkpoint (prefix, .index or folder), .meta, GraphDef, SavedModel, .h5, .keras, "
        ".safetensors, listing, or - for a listing on standard input; default: this folder",
    )
    parser.add_argument(
        "--tags", metavar="TAGS", help="which graph of a SavedModel, such as serve or serve,gpu"
    )
    parser.add_argument(
        "--step", metavar="N", type=_step, help="which checkpoint of a folder; default: the latest"
    )


def add_format(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Add --format, the first one being the default, and --json."""
    parser.add_argument(
        "--format", choices=formats, help=f"what is printed on stdout; default: {formats[0]}"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")


def add_out(parser: argparse.ArgumentParser, what: str) -> None:
    """Add -o."""
    parser.add_argument("-o", "--output", dest="out", metavar="FILE", help=what)


def chosen_format(args: argparse.Namespace, default: str) -> str:
    """Return the format of stdout; raises UsageError where --json contradicts --format."""
    if args.json and args.format not in (None, "json"):
        raise UsageError(
            f"--json and --format {args.format} contradict each other", remedy="Give one of them."
        )
    return "json" if args.json else args.format or default


def choose_by_suffix(out: str, formats: dict[str, str]) -> str:
    """Return the format that a file name asks for; raises UsageError for another suffix."""
    suffix = os.path.splitext(out)[1].lower()
    if suffix not in formats:
        raise UsageError(
            f"nothing is written with the suffix {suffix!r}",
            where=out,
            remedy=f"Use one of: {', '.join(formats)}",
        )
    return formats[suffix]


def _step(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no step number") from None

"""The argument parser: common flags, usage errors as GraphmapError, one populated command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from graphmap.errors import UsageError
from graphmap.version import VERSION

__all__ = ["COMMANDS", "build_parser", "parse"]

Run = Callable[[argparse.Namespace], int]

COMMANDS = {  # name: (module in cli.commands, one line for the list of commands)
    "inspect": ("inspect", "say what an artifact holds: kind, graph, variables, train ops"),
    "match": ("match", "map every expected name to one actual name, or say why not"),
    "explain": ("explain", "say why one name was mapped so: evidence, margin, runners-up"),
    "check": ("check", "say whether a map still fits an artifact"),
    "review": ("review", "write a page to accept, change and reject the rows of a map"),
    "train-op": ("train_op", "show the train ops: optimizer, slots, loss, what to feed"),
    "render": ("render", "draw the graph as a picture"),
    "rename": ("rename", "write it under other names, as new files"),
    "convert": ("convert", "write its values as safetensors, npz, h5 or a checkpoint"),
    "diff": ("diff", "say what two artifacts share, rename, change, add and drop"),
    "audit": ("audit", "find what it could do when it is run: files, code, network"),
    "scan": ("scan", "list every artifact under folders, a row each"),
    "completion": ("completion", "print the completion script of a shell"),
}
SHELLS = ("bash", "zsh", "fish")

_EPILOG = """examples:
  graphmap inspect checkpoints/              what is in this old folder?
  graphmap match checkpoints/ --expected names.txt -o map.json
  graphmap train-op checkpoints/model.ckpt-500
  graphmap render model.ckpt-500.meta -o model.svg

`graphmap COMMAND --help` explains each command with an example."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """A formatter that finds the width itself: argparse imports shutil for it, at 1.5 ms."""

    def __init__(self, prog: str, **options: Any) -> None:
        try:
            columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size().columns
        except (ValueError, OSError):
            columns = 80
        super().__init__(prog, **{"width": columns - 2, **options})


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are GraphmapErrors: one line, with a remedy."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, remedy=f"See: {self.prog} --help")


def parse(words: Sequence[str]) -> tuple[argparse.Namespace, Run]:
    """Parse a command line; returns the arguments and what runs them. Raises UsageError."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        raise _unknown_command(command)
    listed = [command] if command and words[0] == command else COMMANDS  # no help of all is asked
    parser = build_parser([command] if command else [], listed)
    args, rest = parser.parse_known_args(words)
    if rest:
        raise _unknown_arguments(rest, parser, command)
    if command is None:
        raise UsageError("no command is given", remedy=f"Give one of: {', '.join(COMMANDS)}")
    return args, args.run


def build_parser(populated: Sequence[str], listed: Iterable[str] = tuple(COMMANDS)) -> Parser:
    """Return the parser of the listed commands; only the modules of `populated` are imported."""
    parser = Parser(
        prog="graphmap",
        description="Read old TensorFlow models without TensorFlow, map their names, "
        "run their train ops again.",
        epilog=_EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"graphmap {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name in listed:
        module, line = COMMANDS[name]
        if name not in populated:
            commands.add_parser(name, help=line, add_help=False)
            continue
        chosen = import_module(f"graphmap.cli.commands.{module}")
        command = commands.add_parser(
            name,
            help=line,
            description=chosen.DESCRIPTION,
            epilog=chosen.EPILOG,
            formatter_class=Formatter,
            allow_abbrev=False,
        )
        chosen.add_arguments(command)
        _add_common(command)
        command.set_defaults(run=chosen.run)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("messages")
    group.add_argument("-q", "--quiet", action="store_true", help="say less; warnings stay")
    group.add_argument("-v", "--verbose", action="store_true", help="say what is done on the way")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument(
        "--color", choices=["auto", "always", "never"], default="auto", help="default: auto"
    )


def _unknown_command(word: str) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1, cutoff=0.5)
    remedy = f"Did you mean: graphmap {near[0]}?" if near else f"Give one of: {', '.join(COMMANDS)}"
    return UsageError("is no command", where=word[:100], remedy=remedy)


def _unknown_arguments(rest: list[str], parser: Parser, command: str | None) -> UsageError:
    from difflib import get_close_matches

    flag = next((word for word in rest if word.startswith("-")), rest[0])
    known = _flags(parser, command)
    near = get_close_matches(flag.partition("=")[0], known, n=1) if flag.startswith("-") else []
    see = f"See: graphmap {command} --help" if command else "See: graphmap --help"
    what = "is no option here" if flag.startswith("-") else "is one argument too many"
    if near == [flag]:  # it stands before the command
        see, near = f"Put it behind the command: graphmap {command or 'COMMAND'} {flag}", []
    return UsageError(what, where=flag[:100], remedy=f"Did you mean {near[0]}?" if near else see)


def _flags(parser: Parser, command: str | None) -> list[str]:
    actions = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and command:
            actions += action.choices[command]._actions
    return [flag for action in actions for flag in action.option_strings]

"""`graphmap completion`: a completion script, generated from the parser."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from graphmap.cli import console
from graphmap.cli.parser import COMMANDS, SHELLS, build_parser

DESCRIPTION = "Print the completion script of a shell. It is complete in itself: TAB runs nothing."
EPILOG = """examples:
  graphmap completion bash > ~/.local/share/bash-completion/completions/graphmap
  graphmap completion zsh > ~/.zfunc/_graphmap
  graphmap completion fish > ~/.config/fish/completions/graphmap.fish"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("shell", choices=SHELLS)


def run(args: Namespace) -> int:
    """Print the script."""
    import shtab

    console.print_text(shtab.complete(build_parser(list(COMMANDS)), args.shell))
    return 0

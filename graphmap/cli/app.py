"""The `graphmap` command: run one command, turn every error into an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from graphmap.cli import console
from graphmap.cli.parser import parse
from graphmap.errors import GraphmapError

__all__ = ["main"]

EXIT_BAD_INPUT = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code of the contract."""
    # a command makes many small tuples and few cycles: collecting rarely saves a tenth of it
    gc.set_threshold(100_000, 50, 100)
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    try:
        args, run = parse(words)
        console.setup(args)
        status = run(args)
        sys.stdout.flush()
        return status
    except GraphmapError as error:
        _trace(debug)
        console.print_error(error)
        return EXIT_BAD_INPUT
    except BrokenPipeError:  # the reader of our output has seen enough, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        _trace(debug)
        console.print_bug(error)
        return EXIT_BUG


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()

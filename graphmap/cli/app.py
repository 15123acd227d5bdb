"""The `graphmap` command: run one command, turn every error into an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import NoReturn

from graphmap.cli import console
from graphmap.cli.parser import parse
from graphmap.errors import GraphmapError

__all__ = ["main", "run"]

EXIT_BAD_INPUT = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130
_last: list[Namespace] = []  # with what the command made, which is not freed one by one
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run() -> NoReturn:
    """Run one command as a whole process.

    Freeing 100,000 variables one by one takes a tenth of an `inspect`, and the system frees them
    anyway: so the process ends at once where nothing is left to do, which needs no threads (their
    module is not loaded then) and flushed streams.
    """
    status = main()
    if "threading" not in sys.modules:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            sys.exit(status)
        os._exit(status)
    sys.exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code of the contract."""
    # a command makes many small tuples and few cycles: collecting rarely saves a fifth of it, and
    # 100,000 variables, stored and told, are fewer objects than the threshold
    gc.set_threshold(300_000, 50, 100)
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    _last.clear()
    try:
        args, run = parse(words)
        _last.append(args)
        console.setup(args)
        status = run(args)
        console.flush_warnings()
        sys.stdout.flush()
        return status
    except GraphmapError as error:
        _trace(debug)
        console.print_error(error)
        return EXIT_BAD_INPUT
    except BrokenPipeError:  # the reader of our output has seen enough, as with `| head`
        console.flush_warnings()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.errno not in FULL:
            _trace(debug)
            console.print_bug(error)
            return EXIT_BUG
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more fits
        console.print_error(
            GraphmapError(
                f"cannot be written ({error.strerror})",
                where=error.filename or "standard output",
                remedy="Free some space, or write to another place.",
            )
        )
        return EXIT_BAD_INPUT
    except Exception as error:
        console.flush_warnings()
        _trace(debug)
        console.print_bug(error)
        return EXIT_BUG


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()

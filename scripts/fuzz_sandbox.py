"""Runs a graphmap command in a child process under limits, and judges what came of it.

The child is a fork of a process that has graphmap imported already: a run takes hundredths of a
second, and nothing that a damaged file does to it outlives it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import pkgutil
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

__all__ = ["Limits", "Outcome", "command", "faults", "preload", "run"]

# what no output may hold raw: C0 but tab, line feed and return; DEL, C1, direction overrides
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_INTERNAL = re.compile(r"Traceback \(most recent call last\)|RecursionError|MemoryError")
_LONGEST_LINE = 400  # characters of the first line on stderr
_MOST_LINES = 3  # on stderr, with an error
_READ = 8 << 20  # bytes of output that are looked at


class Limits(NamedTuple):
    """seconds: CPU time, so that a busy machine condemns nobody. memory: MiB of peak RSS."""

    seconds: int = 20
    memory: int = 1024

    @property
    def wall(self) -> float:
        """Seconds of waiting after which a run that computes nothing counts as hanging."""
        return self.seconds * 15.0


DEFAULTS = Limits()


class Outcome(NamedTuple):
    """status: exit code, negative for a death by signal. seconds: CPU. memory: MiB, peak RSS."""

    status: int
    seconds: float
    memory: int
    stdout: str
    stderr: str

    @property
    def warned(self) -> bool:
        """Whether the contract's warning line is there."""
        return any(line.startswith("graphmap: warning: ") for line in self.stderr.splitlines())


def run(work: Callable[[], int], folder: str | Path, limits: Limits = DEFAULTS) -> Outcome:
    """Run `work` in a child whose working directory is `folder`; returns what came of it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _child(work, str(folder), limits, out.fileno(), err.fileno())
        status, usage = _wait(child, limits.wall)
        return Outcome(
            status=os.waitstatus_to_exitcode(status),
            seconds=usage.ru_utime + usage.ru_stime,
            memory=usage.ru_maxrss >> 10,
            stdout=_text(out),
            stderr=_text(err),
        )


def faults(outcome: Outcome, limits: Limits = DEFAULTS) -> list[str]:
    """Return each promise of the contract that a run broke."""
    found = []
    if outcome.status in (-signal.SIGXCPU, -signal.SIGKILL) or outcome.seconds > limits.seconds:
        found.append(f"hangs: {outcome.seconds:.1f} s")
    elif outcome.status < 0:
        found.append(f"dies by signal {-outcome.status}")
    elif outcome.status not in (0, 1, 2):
        found.append(f"exits with {outcome.status}")
    if outcome.memory > limits.memory:
        found.append(f"takes {outcome.memory} MiB")
    if _INTERNAL.search(outcome.stderr) or "Traceback (most recent" in outcome.stdout:
        found.append("shows Python's own error")
    for name, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        control = _CONTROL.search(text)
        if control:
            found.append(f"raw {control.group()!a} on {name}")
    return found + (_error_faults(outcome) if outcome.status == 2 else [])


def _error_faults(outcome: Outcome) -> list[str]:
    lines = [line for line in outcome.stderr.splitlines() if line.strip()]
    if not any(line.startswith("graphmap: error: ") for line in lines):
        return ["exits with 2 and no line `graphmap: error: `"]
    found = []
    if len(lines[0]) > _LONGEST_LINE:
        found.append(f"an error line of {len(lines[0])} characters")
    if len(lines) > _MOST_LINES:
        found.append(f"an error of {len(lines)} lines")
    return found


def _child(work: Callable[[], int], folder: str, limits: Limits, out: int, err: int) -> NoReturn:
    status = 70
    try:
        os.chdir(folder)
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 2))
        # far above the limit on what is resident: maps of files count here, and cost nothing
        room = (limits.memory + 3072) << 20
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        status = work()
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        with contextlib.suppress(BaseException):
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(status & 0xFF)


def _wait(child: int, wall: float) -> tuple[int, resource.struct_rusage]:
    end = time.monotonic() + wall
    pause = 0.0005
    while time.monotonic() < end:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return status, usage
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, usage


def _text(stream: object) -> str:
    stream.seek(0)  # type: ignore[attr-defined]
    data: bytes = stream.read(_READ)  # type: ignore[attr-defined]
    return data.decode("utf-8", "replace")


def preload() -> None:
    """Import once, in this process, what every child would import again: commands run dry here.

    What is alive then is put out of the collector's reach: touching it would copy its pages.
    """
    import google.protobuf.text_format
    import networkx
    import numpy
    import pyfive

    assert networkx and numpy and google.protobuf.text_format and pyfive
    from graphmap.cli import commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    here = Path(__file__).resolve().parent.parent / "fixtures"
    with tempfile.TemporaryDirectory() as box:
        for name in ("adam_saver", "adam_saved_model"):
            path = str(here / name)
            for words in (
                ["inspect", path, "--verify-data"],
                ["train-op", path, "--json"],
                ["match", path, "--expected", path, "-o", f"{box}/map.json"],
                ["render", path, "-o", f"{box}/x.svg"],
                ["render", path, "-o", f"{box}/x.html"],
                ["render", path, "-o", f"{box}/x.dot"],
                ["diff", path, path],
                ["audit", path],
                ["convert", path, "-o", f"{box}/{name}.safetensors"],
            ):
                quiet = io.StringIO()
                with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                    command(words)()
    gc.collect()
    gc.freeze()


def command(words: Sequence[str]) -> Callable[[], int]:
    """Return the work of one graphmap command line."""

    def work() -> int:
        from graphmap.cli.app import main

        return main(words)

    return work

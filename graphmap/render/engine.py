"""Running a Graphviz engine: found by path, in a child process with limits."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from graphmap.errors import RenderError

__all__ = ["ENGINES", "EngineFailedError", "run_engine"]

ENGINES = ("graphviz-pure", "dot", "auto")
TIME_LIMIT = 20  # seconds of CPU and of wall time; a fitted picture takes 0.05
MEMORY_LIMIT = 2 * 1024**3  # bytes of address space


class EngineFailedError(RenderError):
    """The engine was there, and crashed, hung or passed its limits."""


def run_engine(engine: str, source: str, output: str) -> bytes:
    """Return what the engine writes for a DOT source; `output` is its -T word.

    Raises RenderError where the engine is absent, fails, or passes its limits.
    """
    program = _find(engine)
    try:
        with subprocess.Popen(
            [program, f"-T{output}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            _limit(child.pid)  # before it has read anything: it waits for its input
            drawn, said = _talk(child, source.encode(), program)
    except OSError as cause:
        raise RenderError(
            f"the drawing engine cannot be started ({cause.strerror or cause})",
            where=program,
            remedy="Install it again: pip install --force-reinstall graphviz-pure",
        ) from cause
    if child.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines() or [""]
        raise EngineFailedError(
            f"the drawing engine failed with code {child.returncode}: {lines[0]}",
            where=program,
            remedy="Draw less (--depth, --scope, --max-nodes), or try --engine dot.",
        )
    return drawn


def _talk(child: subprocess.Popen[bytes], source: bytes, program: str) -> tuple[bytes, bytes]:
    try:
        return child.communicate(source, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired as cause:
        child.kill()
        raise EngineFailedError(
            f"the drawing engine did not finish in {TIME_LIMIT} s",
            where=program,
            remedy="Draw less: --depth 2, --scope NAME, or --max-nodes 40.",
        ) from cause


def _find(engine: str) -> str:
    if engine not in ENGINES:
        raise RenderError(
            "is no drawing engine", where=engine, remedy=f"Choose one of {', '.join(ENGINES)}."
        )
    pure = _pure_path() if engine != "dot" else None
    if pure is not None:
        return pure
    system = shutil.which("dot") if engine != "graphviz-pure" else None
    if system is not None:
        return system
    remedy = "Install it: pip install graphviz-pure"
    if engine == "dot":
        remedy = "Install Graphviz so that `dot` is on PATH, or use --engine graphviz-pure."
    raise RenderError("the drawing engine is not installed", where=engine, remedy=remedy)


def _pure_path() -> str | None:
    """Return the program of the graphviz-pure package: beside this Python, else on PATH."""
    suffix = ".exe" if sys.platform == "win32" else ""
    folders = (Path(sysconfig.get_path("scripts")), Path(sys.executable).parent)
    for folder in folders:
        path = folder / f"graphviz-pure{suffix}"
        if path.is_file():
            return str(path)
    return shutil.which("graphviz-pure")


def _limit(pid: int) -> None:
    """Limit a child's CPU time and memory, on systems that can do so from outside (Linux)."""
    if sys.platform != "linux":
        return
    import resource

    for kind, limit in (
        (resource.RLIMIT_CPU, TIME_LIMIT), (resource.RLIMIT_AS, MEMORY_LIMIT)
    ):  # fmt: skip
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it may be gone already
            resource.prlimit(pid, kind, (limit, limit))

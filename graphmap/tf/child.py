"""Running a function of this floor in a process of its own, with limits on time and memory.

TensorFlow dies by a signal on some graphs, and hangs on others; what the command line runs on
request runs here, so that neither takes the caller down.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from graphmap.errors import GraphmapError

__all__ = ["run_in_child"]

TIME_LIMIT = 300  # seconds of wall time, and of CPU for each core that works on it
MEMORY_LIMIT = 16 * 2**30  # bytes of address space; TensorFlow maps 5 GiB before it computes
_MARK = "graphmap-child:"  # TensorFlow writes to the same standard output


def run_in_child(function: str, arguments: dict[str, Any], what: str) -> Any:
    """Call "package.module:function" with keyword arguments that JSON holds; return its answer.

    what: said in the errors ("the step"). Raises GraphmapError: that of the function, or one for a
    process that died, or took too long.
    """
    command = [sys.executable, "-m", "graphmap.tf.child", function, json.dumps(arguments)]
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIME_LIMIT, env=env, check=False
        )
    except subprocess.TimeoutExpired as cause:
        raise GraphmapError(
            f"did not finish in {TIME_LIMIT} s", where=what, remedy="Try a smaller graph."
        ) from cause
    answer = next((line for line in done.stdout.splitlines() if line.startswith(_MARK)), None)
    if answer is None:
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        how = (
            f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        )
        raise GraphmapError(
            f"ended the process that ran it ({how}): {last}",
            where=what,
            remedy="TensorFlow cannot run this graph, or not within the memory it was given.",
        )
    said = json.loads(answer.removeprefix(_MARK))
    if "error" in said:
        message, where, remedy = said["error"]
        raise GraphmapError(message, where=where, remedy=remedy)
    return said["answer"]


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows, where only the time is limited
        return
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, TIME_LIMIT * (os.cpu_count() or 1)),
    ):
        _, most = resource.getrlimit(kind)
        within = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (within, most))


def _main() -> None:
    _limit()
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), name)
    try:
        said = {"answer": function(**json.loads(sys.argv[2]))}
    except GraphmapError as error:
        said = {"error": [error.message, error.where, error.remedy]}
    print(_MARK + json.dumps(said))


if __name__ == "__main__":
    _main()

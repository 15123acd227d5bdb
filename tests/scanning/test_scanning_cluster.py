"""A scan on a real Dask cluster, undisturbed and with a worker killed in the middle."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from graphmap.errors import UsageError
from graphmap.scanning.scan import scan

pytest.importorskip("distributed", reason="distributed is not installed")
_CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        pids = [str(worker.pid) for worker in cluster.workers.values()]
        print(cluster.scheduler_address, *pids, flush=True)
        sys.stdin.read()
"""


@contextlib.contextmanager
def _cluster(tmp_path) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler with two worker processes; gives (its address, their process ids)."""
    script = tmp_path / "cluster.py"
    script.write_text(_CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    )
    try:
        found = re.match(r"(tcp://\S+) (\d+) (\d+)", process.stdout.readline())
        assert found is not None
        yield found[1], [int(found[2]), int(found[3])]
    finally:
        process.communicate()  # closing its standard input ends it


def test_a_killed_worker_loses_and_doubles_nothing(zoo, tmp_path):
    for number in range(20):
        shutil.copytree(zoo / "weights_only", zoo / f"more{number}")
    with scan(zoo) as plain:
        wanted = list(plain)
    done: list[str] = []
    with _cluster(tmp_path) as (address, pids):

        def kill_one(row):
            done.append(row["path"])
            if len(done) == 3:
                os.kill(pids[0], signal.SIGKILL)

        with scan(zoo, scheduler=address, tick=kill_one) as found:
            assert list(found) == wanted
    assert sorted(done) == [row["path"] for row in wanted]


def test_a_scheduler_that_is_not_there_is_told(zoo):
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        scan(zoo, scheduler="tcp://127.0.0.1:9")

"""The real command in a process of its own, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess
FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Result[str]]:
    """Run `python -m graphmap ...` with a copy-free view of the fixtures as `fixtures/`."""
    (tmp_path / "fixtures").symlink_to(FIXTURES)

    def run(*words: str, stdin: str = "", **environment: str) -> Result[str]:
        return subprocess.run(
            [sys.executable, "-m", "graphmap", *words],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **environment},
            check=False,
        )

    return run

"""The examples of docs/keras.md are executed, and its table names no failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "keras.md"
CONTAINERS = {".keras", ".weights.h5", ".h5", "checkpoint", "SavedModel"}


@pytest.mark.tf
def test_examples_run_one_after_the_other(tmp_path):
    """One process; line numbers are the page's own."""
    code, inside = [], False
    for line in PAGE.read_text().split("\n"):
        fence = line.startswith("```")
        inside = line == "```python" if fence else inside
        code.append(line if inside and not fence else "")
    script = tmp_path / "page.py"
    script.write_text("\n".join(code))
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "five trial steps" in result.stdout


def test_table_holds_no_run_that_differs_without_a_word():
    cells, columns = [], []
    for line in PAGE.read_text().split("\n"):
        row = line.strip("| ").split(" | ")
        if not line.startswith("|"):
            columns = []
        elif CONTAINERS & set(row):
            columns = [at for at, word in enumerate(row) if word in CONTAINERS]
        elif not line.startswith("|-"):
            cells += [row[at] for at in columns]
    assert cells.count("EXACT") >= 200
    silent = [c for c in cells if not c.startswith("declined: ") and "said beforehand" not in c]
    assert set(silent) <= {"EXACT", "-", "not run"}

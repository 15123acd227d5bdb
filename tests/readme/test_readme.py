"""README's examples are executed, its table names commands that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphmap.cli.parser import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_every_command_is_in_the_table():
    named = set(re.findall(r"`graphmap ([a-z-]+)", README))
    assert named == set(COMMANDS)


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets and [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.tf
def test_examples_run_one_after_the_other(tmp_path):
    """One process, since importing TensorFlow takes seconds; line numbers are README's own."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    script = tmp_path / "readme.py"
    lines = README.split("\n")
    code, inside = [], False
    for line in lines:
        fence = line.startswith("```")
        inside = line == "```python" if fence else inside
        code.append(line if inside and not fence else "")
    script.write_text("\n".join(code))
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=_one_thread(),
    )
    assert len(BLOCKS) >= 6
    assert result.returncode == 0, result.stderr[-3000:]


def _one_thread() -> dict[str, str]:
    import os

    return {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"}

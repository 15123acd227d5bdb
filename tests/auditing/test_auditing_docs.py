"""The documented list of ops is the one that is looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_op_is_in_the_documented_list():
    printed = subprocess.run(
        [sys.executable, "scripts/op_list"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "ReadFile" in printed
    assert printed in (ROOT / "docs" / "audit.md").read_text(), "run scripts/op_list --write"

"""A folder with whole, damaged, copied and foreign files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    root = tmp_path / "zoo"
    for name in ("adam_saver", "weights_only", "adam_saved_model"):
        shutil.copytree(FIXTURES / name, root / name)
    shutil.copytree(root / "weights_only", root / "copy")
    (root / "broken.h5").write_bytes(b"<html>not found</html>")
    (root / "notes.md").write_text("nothing")
    return root

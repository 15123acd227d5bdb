"""The scripts that `graphmap train-op -o` writes run once they are filled in; so does the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tf

ROOT = Path(__file__).parents[2]
CHECKPOINT = str(ROOT / "fixtures" / "adam_saver")
BUILD = """    import demo_model
    tf.disable_resource_variables()
    model = demo_model.build()
    return model["loss"], {"x:0": model["x"], "y:0": model["y"]}
"""


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("flags", [[], ["--new"]], ids=["same graph", "new graph"])
def test_written_script_trains_on(tmp_path, flags):
    written = run("-m", "graphmap", "train-op", CHECKPOINT, "-o", "go.py", *flags, cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    script = tmp_path / "go.py"
    text = script.read_text()
    assert "'x:0': ...,  # float32, shape [None, 4]" in text
    text = text.replace("return []  # yours, such as [{", "return [{")
    text = re.sub(r"(?m)^    # ( *['}])", r"    \1", text)
    text = text.replace('    raise SystemExit("fill in build() first")\n', BUILD)
    text = text.replace("'x:0': ...,  #", "'x:0': [[1, 2, 3, 4]],  #")
    text = text.replace("'y:0': ...,  #", "'y:0': [[1]],  #")
    script.write_text(text)
    result = run("go.py", cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    assert list((tmp_path / "resumed").glob("*.index"))


def test_demo_gives_the_reference_losses(tmp_path):
    result = run(str(ROOT / "scripts" / "demo_resume.py"), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    assert "the next 5 losses equal the reference, bit for bit" in result.stdout

"""The scripts that `train-op -o` writes run as they are, and with data filled in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_models as models

from graphmap.cli.app import main

pytestmark = pytest.mark.tf
HERE = Path(__file__).resolve().parent
BATCHES = """
import sys
sys.path.insert(0, {here!r})
import small_models

def batches():
    return [dict(zip(["x:0", "y:0"], small_models.batch(5)))]

"""
BUILD = """
def build():
    model = small_models.build("student", False, ("kernel", "offset"))
    return model["loss"], {"x:0": model["x"], "y:0": model["y"]}

"""


def run_script(folder: Path, name: str, **filled_in: str) -> str:
    """Run it in `folder`, functions put in place of those of the same name; returns its output."""
    code = (folder / name).read_text()
    for function, text in filled_in.items():
        before, _, after = code.partition(f"def {function}():")
        code = before + text + after[after.index("\n\n\n") :]
    (folder / name).write_text(code)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, name], cwd=folder, env=env, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_as_it_is_restores_and_saves_all(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    assert main(["train-op", run.checkpoint, "-q", "-o", str(tmp_path / "resume.py")]) == 0

    said = run_script(tmp_path, "resume.py")

    assert f"restored {len(run.values_before)} of {len(run.values_before)}" in said
    reader = tf.train.load_checkpoint(str(tmp_path / "resumed" / "model.ckpt-5"))
    assert set(reader.get_variable_to_shape_map()) == set(run.values_before)
    for name, value in run.values_before.items():
        assert np.array_equal(reader.get_tensor(name), value)


def test_a_script_for_a_new_graph_trains_it(tmp_path: Path) -> None:
    import tensorflow as tf

    run = models.train(tmp_path)
    out = str(tmp_path / "rebuild.py")
    assert main(["train-op", run.checkpoint, "-q", "--new", "-o", out]) == 0

    said = run_script(tmp_path, "rebuild.py", batches=BATCHES.format(here=str(HERE)), build=BUILD)

    assert "confirmed: every gradient is the stored computation" in said
    reader = tf.train.load_checkpoint(str(tmp_path / "resumed" / "model.ckpt"))
    assert not np.array_equal(reader.get_tensor("student/kernel"), run.values_before["W"])
    assert reader.get_tensor("resumed/global_step") == run.values_before["global_step"] + 1

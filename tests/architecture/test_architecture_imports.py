"""Import contracts hold, and are seen to fail; heavy packages are imported only where needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
HEAVY = ("tensorflow", "numpy", "networkx", "scipy", "google.protobuf", "rich", "rapidfuzz")

BREAKS = {  # id: (file, line that is added, what the linter has to name)
    "lower imports higher": ("model/graph.py", "import graphmap.api.artifact", "graphmap.api"),
    "siblings": ("render/text.py", "import graphmap.matching.kinds", "graphmap.matching"),
    "protobuf outside the readers": ("analysis/ops.py", "import graphmap.schema", "schema"),
    "TensorFlow below its floor": ("opening.py", "import tensorflow", "tensorflow"),
    "root from inside": ("names.py", "import graphmap", "graphmap"),
    "module without a floor": ("utils.py", "", "utils"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINTER), "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )


def test_contracts_hold():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("file", "line", "named"), BREAKS.values(), ids=BREAKS.keys())
def test_a_deliberate_break_is_reported(tmp_path, file, line, named):
    shutil.copytree(ROOT / "graphmap", tmp_path / "graphmap")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "graphmap" / file).open("a") as stream:
        stream.write(f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode != 0, result.stdout
    assert named in result.stdout + result.stderr


def loaded(*words: str) -> set[str]:
    """Return which heavy packages a command has imported by its end."""
    code = (
        "import sys, io\n"
        "from graphmap.cli.app import main\n"
        "out, sys.stdout = sys.stdout, io.StringIO()\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=out)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["inspect", "--help"],
        ["match", "--help"],
        ["train-op", "--help"],
        ["render", "--help"],
        ["completion", "bash"],
        ["inspect", "fixtures/weights_only"],
        ["inspect", "fixtures/weights_only", "--json"],
        ["inspect", "fixtures/names.txt"],
    ],
    ids=" ".join,
)
def test_light_commands_import_nothing_heavy(words):
    assert loaded(*words) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "fixtures/adam_saver"],
        ["match", "fixtures/adam_saver", "--expected", "fixtures/names.txt"],
        ["train-op", "fixtures/adam_saver"],
        ["render", "fixtures/cnn_training", "--format", "dot"],
    ],
    ids=" ".join,
)
def test_no_command_imports_tensorflow_or_scipy(words):
    assert not loaded(*words) & {"tensorflow", "scipy", "rich"}


def run_python(code: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.split()


def test_only_the_chosen_command_is_imported():
    code = (
        "import sys\n"
        "from graphmap.cli.parser import parse\n"
        "parse(['inspect', 'x'])\n"
        "print(*[n for n in sys.modules if n.startswith('graphmap.cli.commands.')])\n"
    )
    assert run_python(code) == ["graphmap.cli.commands.inspect"]


def test_import_graphmap_and_its_tf_module_are_light():
    listed = f"print(*[n for n in {HEAVY!r} if n in sys.modules])"
    assert run_python(f"import sys, graphmap\n{listed}") == []
    assert "tensorflow" not in run_python(f"import sys, graphmap.tf\n{listed}")

"""Every bad input: one error line with what, where and a remedy, exit 2, no file left behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"


def lay_out(root: Path) -> None:
    """Make the bad files beside the good fixtures."""
    (root / "empty").mkdir()
    (root / "prose").mkdir()
    (root / "prose" / "notes.rst").write_text("Nothing to see here.\n")
    (root / "pointer.meta").write_text(LFS)
    (root / "page.meta").write_text("<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n")
    (root / "latin.txt").write_bytes("gr\xf6\xdfe [3]\n".encode("latin-1"))
    (root / "twice.txt").write_text("W [4,6]\nb [6]\nW [4,6]\n")
    index = (root / "fixtures/adam_saver/model.ckpt-5.index").read_bytes()
    (root / "cut.index").write_bytes(index[: len(index) // 2])
    (root / "other.json").write_text('{"W": "another_model/W"}\n')
    (root / "broken.json").write_text('{"W": ')
    (root / "folder.json").mkdir()


SAVER, NAMES = "fixtures/adam_saver", "fixtures/names.txt"
MATCH = ["match", SAVER, "--expected", NAMES]
BAD = {  # id: (command line, what the error has to name)
    "missing path": (["inspect", "nowhere/model.ckpt"], "nowhere/model.ckpt"),
    "near miss": (["inspect", "fixtures/adam_savr"], "adam_saver"),
    "empty folder": (["inspect", "empty"], "empty"),
    "folder without an artifact": (["inspect", "prose"], "prose"),
    "LFS pointer": (["inspect", "pointer.meta"], "LFS"),
    "truncated index": (["inspect", "cut.index"], "cut.index"),
    "meta that is HTML": (["inspect", "page.meta"], "HTML"),
    "listing not UTF-8": (["match", SAVER, "--expected", "latin.txt"], "UTF-8"),
    "listing with a name twice": (["match", SAVER, "--expected", "twice.txt"], "'W' twice"),
    "pins of another artifact": ([*MATCH, "--map", "other.json"], "another artifact"),
    "picture with another map": (["render", SAVER, "--map", "other.json", "-o", "x.svg"],
                                 "another artifact"),
    "map that is no JSON": (["explain", "broken.json", "W"], "broken.json"),
    "map without the name": (["explain", "other.json", "V"], "V"),
    "tags that do not exist": (["inspect", "fixtures/adam_saved_model", "--tags", "tpu"], "tpu"),
    "step that does not exist": (["inspect", SAVER, "--step", "7"], "7"),
    "output in a missing folder": ([*MATCH, "-o", "no/such/map.json"], "no/such/map.json"),
    "output that is a folder": ([*MATCH, "-o", "folder.json"], "folder.json"),
    "output that cannot be written": ([*MATCH, "-o", "/proc/map.json"], "/proc/map.json"),
    "picture in a missing folder": (["render", SAVER, "-o", "no/x.svg"], "no/x.svg"),
    "output of an unknown suffix": ([*MATCH, "-o", "map.xlsx"], "map.xlsx"),
    "picture of an unknown suffix": (["render", SAVER, "-o", "x.gif"], "x.gif"),
    "pin of an unknown name": ([*MATCH, "--pin", "W=my_model/WW"], "my_model/W"),
    "pin that is no pair": ([*MATCH, "--pin", "W"], "--pin"),
    "pattern that is none": ([*MATCH, "--only", "("], "only"),
    "inspect pattern that is none": (["inspect", SAVER, "--only", "("], "--only"),
    "probability over 1": ([*MATCH, "--min-confidence", "2"], "--min-confidence"),
    "no expected names": (["match", SAVER], "--expected"),
    "unknown command": (["inspct", SAVER], "graphmap inspect"),
    "unknown option": (["inspect", SAVER, "--jsn"], "--json"),
    "no command": ([], "inspect"),
    "unknown scope": (["render", SAVER, "--scope", "my_modl", "-o", "x.svg"], "my_modl"),
    "unknown engine": (["render", SAVER, "--engine", "crayon", "-o", "x.svg"], "crayon"),
    "formats that contradict": (["inspect", SAVER, "--json", "--format", "table"], "--json"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "named"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_error_with_a_remedy(command, tmp_path, words, named):
    lay_out(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = command(*words)
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("graphmap: error: ")]
    assert result.returncode == 2, result.stderr
    assert len(errors) == 1 and len(lines) <= 3, result.stderr
    assert lines[-1].startswith("  "), f"no remedy: {result.stderr}"
    assert named in result.stderr
    assert "Traceback" not in result.stderr and result.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before, "a file was left behind"


def test_unwritable_output_is_refused_before_work(command, tmp_path):
    """The output comes first: the artifact, which is missing too, has not been looked for."""
    result = command("match", "nowhere", "--expected", NAMES, "-o", "no/map.json")
    assert result.returncode == 2 and "no/map.json" in result.stderr


@pytest.mark.parametrize("command_name", ["inspect", "train-op", "render"])
def test_missing_data_file_is_a_warning_where_names_are_enough(command, tmp_path, command_name):
    shutil.copytree(tmp_path / SAVER, tmp_path / "short")
    (tmp_path / "short/model.ckpt-5.data-00000-of-00001").unlink()
    result = command(command_name, "short")
    assert result.returncode == 0, result.stderr
    assert "graphmap: warning: " in result.stderr and "data-00000-of-00001" in result.stderr


def test_warnings_stay_under_quiet_and_stand_in_json(command):
    result = command("inspect", "fixtures/cnn_training", "--json", "-q")
    assert "graphmap: warning: " in result.stderr
    assert '"warnings": [\n' in result.stdout


def test_an_error_after_many_warnings_takes_three_lines(command, tmp_path):
    (tmp_path / "g.pbtxt").write_text(
        "".join(f'node {{ name: "n{i}" op: "No{i}" input: "x{i}" }}\n' for i in range(9))
    )
    few = command("inspect", "g.pbtxt")
    assert few.returncode == 0 and few.stderr.count("graphmap: warning: ") > 3
    lines = command("train-op", "g.pbtxt", "-o", "resume.py").stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("graphmap: warning: ") and lines[0].endswith("more warnings)")
    assert lines[1].startswith("graphmap: error: ")


def test_debug_shows_the_traceback(command):
    result = command("inspect", "nowhere", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr and "graphmap: error: nowhere" in result.stderr


def test_an_option_before_the_command_is_told_its_place(command):
    result = command("-q", "inspect", "fixtures/cnn_training")
    assert result.returncode == 2
    assert "Put it behind the command: graphmap inspect -q" in result.stderr

"""What each command promises beside its output: exit codes, files, flags."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from graphmap.cli.parser import COMMANDS

MATCH = ["match", "fixtures/adam_saver", "--expected", "fixtures/names.txt"]


def test_version(command):
    from graphmap.version import VERSION

    assert command("--version").stdout == f"graphmap {VERSION}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(command, name):
    result = command(name, "--help")
    assert result.returncode == 0
    assert "example" in result.stdout and f"graphmap {name}" in result.stdout


def test_match_help_says_where_names_come_from(command):
    assert "gmtf.write_listing" in command("match", "--help").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command_and_runs_nothing(command, shell):
    script = command("completion", shell).stdout
    assert all(name in script for name in COMMANDS) and "min-confidence" in script
    assert "$(graphmap" not in script and "(graphmap " not in script


def test_completion_is_valid_bash(command):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    script = command("completion", "bash").stdout
    assert subprocess.run([bash, "-n"], input=script, text=True, check=False).returncode == 0


def test_open_names_give_exit_code_1_unless_allowed(command):
    names = "W [4,6] float32\nnothing_like_it [9,9,9] float32\n"
    words = ["match", "fixtures/adam_saver", "--expected", "-"]
    assert command(*words, stdin=names).returncode == 1
    assert command(*words, "--allow-unresolved", stdin=names).returncode == 0


def test_pins_and_earlier_maps_are_taken_as_given(command, tmp_path):
    pins = ["--pin", "W=my_model/W", "--pin", "b=my_model/b", "--pin", "V=my_model/V"]
    first = command(*MATCH, *pins, "-o", "map.json", "--json")
    assert {e["actual"] for e in json.loads(first.stdout)["entries"]} == {
        "my_model/W",
        "my_model/b",
        "my_model/V",
    }
    again = command(*MATCH, "--map", "map.json", "--json")
    assert json.loads(again.stdout)["settings"]["pins"]["W"] == "my_model/W"


def test_explain_tells_evidence(command, tmp_path):
    command(*MATCH, "-o", "map.json")
    text = command("explain", "map.json", "W").stdout
    assert text.startswith("W -> my_model/W") and "margin" in text
    entry = json.loads(command("explain", "map.json", "W", "--json").stdout)
    assert entry["expected"] == "W" and entry["evidence"]


def test_train_op_without_a_graph_exits_with_1(command):
    result = command("train-op", "fixtures/weights_only")
    assert result.returncode == 1 and "no graph is stored" in result.stderr
    assert json.loads(command("train-op", "fixtures/weights_only", "--json").stdout) == {
        "schema": "graphmap.train-op/1",
        "train_ops": [],
        "optimizers": [],
        "warnings": [],
    }


def test_render_writes_a_small_picture(command, tmp_path):
    result = command("render", "fixtures/cnn_training", "-o", "x.svg", "--json")
    assert result.returncode == 0, result.stderr
    data = (tmp_path / "x.svg").read_bytes()
    assert json.loads(result.stdout)["bytes"] == len(data) < 200_000
    assert ElementTree.fromstring(data).tag == "{http://www.w3.org/2000/svg}svg"


def test_render_prints_dot(command):
    result = command("render", "fixtures/adam_saver", "--format", "dot")
    assert result.returncode == 0 and result.stdout.startswith("digraph")


def test_names_cannot_steer_the_terminal(command, tmp_path):
    names = [{"name": "a\u001b[2Jb", "shape": [2]}, {"name": "c\u202ed", "shape": [2]}]
    (tmp_path / "names.json").write_text(json.dumps(names))
    for flag in ("--format=table", "--json"):
        output = command("inspect", "names.json", flag).stdout
        assert "\x1b" not in output and "\u202e" not in output and "a\\" in output


def test_a_closed_pipe_is_no_error(command, tmp_path):
    (tmp_path / "many.txt").write_text("".join(f"w{i} [3]\n" for i in range(20000)))
    script = f"{sys.executable} -m graphmap inspect many.txt | head -1"
    result = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stdout.startswith("many.txt: listing") and result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_error(tmp_path):
    (tmp_path / "many.txt").write_text("".join(f"w{i} [3]\n" for i in range(20000)))
    script = f"{sys.executable} -m graphmap inspect many.txt > /dev/full"
    result = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("graphmap: error: standard output: cannot be written (No space")


def test_verbose_says_what_is_done_and_only_on_stderr(command):
    plain, told = (
        command("inspect", "fixtures/names.txt"),
        command("inspect", "fixtures/names.txt", "-v"),
    )
    assert plain.stderr == "" and told.stderr == "graphmap: reading fixtures/names.txt\n"
    assert told.stdout == plain.stdout


def test_verify_data_warns_of_a_damaged_value_and_lists_it(command, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "fixtures/adam_saver", copy)
    (file,) = copy.glob("*.data-*")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert "checksum" not in command("inspect", "copy").stderr
    result = command("inspect", "copy", "--verify-data", "--json")
    assert result.returncode == 0
    assert result.stderr.startswith("graphmap: warning: ")
    assert "do not have the stored checksum" in result.stderr
    assert "do not have the stored checksum" in " ".join(json.loads(result.stdout)["warnings"])


def test_inspect_stats_reads_what_is_asked_for(command):
    result = command("inspect", "fixtures/adam_saver", "--stats", "W$", "--json")
    rows = {v["name"]: v.get("stats") for v in json.loads(result.stdout)["variables"]}
    told = {name for name, stats in rows.items() if stats is not None}
    assert told and all(name.endswith("W") for name in told)
    assert rows[min(told)].keys() == {"min", "max", "mean", "nan", "inf"}
    text = command("inspect", "fixtures/adam_saver", "--stats", "W$").stdout
    assert "values of" in text and "NaN" in text

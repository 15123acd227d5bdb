"""check, --map, pins, map.py and explain, by the real command."""

from __future__ import annotations

import json
import runpy

import pytest

MATCH = ["match", "fixtures/adam_saver", "--expected", "fixtures/names.txt", "-q"]
LAYERS = "".join(f"{name}/{i}/w [4,4]\n" for i in range(6) for name in ("red", "tan"))
CODE = "".join(f"{name}/{i}/w [4,4]\n" for i in range(6) for name in ("p", "q"))


@pytest.fixture
def saved(command):
    assert command(*MATCH, "-o", "map.json").returncode == 0
    return "map.json"


def test_a_map_fits_what_it_was_made_for(command, saved):
    result = command("check", saved, "fixtures/adam_saver", "--json")
    found = json.loads(result.stdout)
    assert result.returncode == 0 and found["fits"] and found["same_fingerprint"]
    assert command("check", saved, "fixtures/adam_saver").stdout.startswith("map.json fits")


@pytest.mark.parametrize(
    ("listing", "key", "word"),
    [
        ("my_model/W [4,6]\nmy_model/b [6]\n", "missing", "not stored: V -> my_model/V"),
        ("my_model/W [4,7]\nmy_model/b [6]\nmy_model/V [6,1]\n", "changed", "found [4, 7]"),
    ],
)
def test_a_stale_map_says_what_changed(command, saved, tmp_path, listing, key, word):
    (tmp_path / "new.txt").write_text(listing)
    result = command("check", saved, "new.txt")
    assert result.returncode == 1 and word in result.stdout
    found = json.loads(command("check", saved, "new.txt", "--json").stdout)
    assert len(found[key]) == 1 and not found["fits"]


def test_new_names_do_not_make_a_map_stale(command, saved, tmp_path):
    lines = "my_model/W [4,6]\nmy_model/b [6]\nmy_model/V [6,1]\nother/x [3]\n"
    (tmp_path / "new.txt").write_text(lines)
    result = command("check", saved, "new.txt")
    assert result.returncode == 0 and "new in the artifact: other/x" in result.stdout


def test_check_refuses_what_is_no_map(command):
    result = command("check", "fixtures/names.txt", "fixtures/adam_saver")
    assert result.returncode == 2 and result.stderr.startswith("graphmap: error:")


def test_old_rows_become_pins_and_lost_ones_are_matched_anew(command, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps({"V": "my_model/V", "W": "gone/W"}))
    result = command(*MATCH[:-1], "--map", "old.json", "--json")
    entries = {e["expected"]: e for e in json.loads(result.stdout)["entries"]}
    assert entries["V"]["evidence"][0]["kind"] == "pin"
    assert entries["W"]["actual"] == "my_model/W"
    assert "1 rows of old.json fit nothing here any more" in result.stderr


def test_one_pin_settles_all_layers(command, tmp_path):
    (tmp_path / "files.txt").write_text(LAYERS)
    (tmp_path / "code.txt").write_text(CODE)
    words = ["match", "files.txt", "--expected", "code.txt", "--json"]
    result = command(*words, "--pin", "p/0/w=tan/0/w", "--pin", "q/3/w=red/3/w")
    found = {e["expected"]: e["actual"] for e in json.loads(result.stdout)["entries"]}
    assert found == {
        f"{name}/{i}/w": f"{other}/{i}/w" for i in range(6) for name, other in
        (("p", "tan"), ("q", "red"))
    }  # fmt: skip


@pytest.mark.parametrize(
    "pins",
    [
        ["W=my_model/W", "W=my_model/V"],
        ["W=nowhere"],
        ["nothing=my_model/W"],
    ],
    ids=["contradictory", "absent actual", "absent expected"],
)
def test_pins_that_cannot_be_meant(command, pins):
    result = command(*MATCH, *(word for pin in pins for word in ("--pin", pin)))
    assert result.returncode == 2 and len(result.stderr.splitlines()) <= 3
    assert result.stdout == ""


def test_map_py_runs_as_it_is(command, tmp_path):
    assert command(*MATCH, "-o", "map.py").returncode == 0
    module = runpy.run_path(str(tmp_path / "map.py"))
    assert module["NAME_MAP"] == {"W": "my_model/W", "b": "my_model/b", "V": "my_model/V"}
    assert module["T5X_ASSIGNMENT_MAP"] == [("^(.+)$", r"my_model/\1")]
    assert module["HF_KEY_MAPPING"] == {r"^my_model/(.+)$": r"\1"}
    assert module["WILDCARDS"] == {"**": "my_model/**"}


def test_rules_stand_in_the_map(command, saved, tmp_path):
    content = json.loads((tmp_path / saved).read_text())
    assert content["rules"] == [{"pattern": "^(.+)$", "replacement": r"my_model/\1", "covers": 3}]


def test_explain_says_what_would_change_it(command, saved):
    text = command("explain", saved, "W").stdout
    assert "in all, log2 odds" in text and "what would change it:" in text and "--pin W=" in text


def test_a_pin_of_another_size_is_an_error_and_a_stale_row_is_dropped(command, tmp_path):
    wrong = command(*MATCH, "--pin", "W=my_model/b")
    assert (
        wrong.returncode == 2 and "no layout turns the stored shape [6] into [4, 6]" in wrong.stderr
    )
    assert command(*MATCH, "-o", "map.json").returncode == 0
    content = json.loads((tmp_path / "map.json").read_text())
    content["entries"][0] |= {"actual": "my_model/b"}
    (tmp_path / "map.json").write_text(json.dumps(content))
    again = command(*MATCH, "--map", "map.json")
    assert again.returncode == 0 and "3 of 3" in again.stdout


def test_an_older_split_stays_one(command, tmp_path):
    (tmp_path / "q.txt").write_text("att/q [4,2] float32\natt/k [4,2] float32\n")
    (tmp_path / "fused.txt").write_text("att/qkv [4,6] float32\n")
    entry = {"expected": "att/q", "status": "matched", "actual": "att/qkv", "confidence": 1.0}
    entries = [entry | {"shape": [4, 2], "layout": "split:1:3:0", "candidates": [], "evidence": []}]
    content = {"schema": "graphmap.name-map/1", "entries": entries}
    (tmp_path / "map.json").write_text(json.dumps(content))
    words = ["match", "fused.txt", "--expected", "q.txt", "--map", "map.json", "--json"]
    found = json.loads(command(*words).stdout)["entries"][0]
    assert (found["status"], found["layout"]) == ("matched", "split:1:3:0")

"""Outputs on the fixtures, byte for byte.

To accept a change: GRAPHMAP_UPDATE=1 scripts/test tests/cli/test_cli_golden.py, then read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
MATCH = ["match", "fixtures/adam_saver", "--expected", "fixtures/names.txt"]
CASES = {
    "inspect_saver.txt": ["inspect", "fixtures/adam_saver"],
    "inspect_saver.json": ["inspect", "fixtures/adam_saver", "--json"],
    "inspect_saved_model.txt": ["inspect", "fixtures/adam_saved_model"],
    "inspect_cnn_weights.txt": ["inspect", "fixtures/cnn_training", "--role", "weight",
                                "--sort", "bytes"],
    "inspect_weights_only.txt": ["inspect", "fixtures/weights_only"],
    "inspect_partitioned.txt": ["inspect", "fixtures/partitioned"],
    "inspect_object.txt": ["inspect", "fixtures/object_checkpoint"],
    "inspect_listing.txt": ["inspect", "fixtures/names.txt"],
    "train_op_saver.txt": ["train-op", "fixtures/adam_saver"],
    "train_op_saver.json": ["train-op", "fixtures/adam_saver", "--json"],
    "train_op_cnn.txt": ["train-op", "fixtures/cnn_training"],
    "match_saver.txt": MATCH,
    "match_saver.csv": [*MATCH, "--format", "csv"],
    "match_saver.py.txt": [*MATCH, "--format", "python"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "words"), CASES.items(), ids=CASES.keys())
def test_output_is_as_recorded(command, name, words):
    result = command(*words)
    assert result.returncode == 0, result.stderr
    if os.environ.get("GRAPHMAP_UPDATE"):
        (GOLDEN / name).write_text(result.stdout)
    assert result.stdout == (GOLDEN / name).read_text()


@pytest.mark.parametrize(
    "words",
    [[*MATCH, "--json"], ["inspect", "fixtures/cnn_training", "--json"],
     ["render", "fixtures/cnn_training"]],
)  # fmt: skip
def test_same_bytes_whatever_the_hash_seed(command, words):
    outputs = {command(*words, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")}
    assert len(outputs) == 1 and outputs != {""}


def test_map_file_and_json_output_are_the_same(command, tmp_path):
    result = command(*MATCH, "--json", "-o", "map.json")
    assert result.stdout and (tmp_path / "map.json").read_text() == result.stdout
    content = json.loads(result.stdout)
    assert content["schema"] == "graphmap.name-map/1"
    assert [entry["actual"] for entry in content["entries"]] == [
        "my_model/W",
        "my_model/b",
        "my_model/V",
    ]

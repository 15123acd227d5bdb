"""`graphmap.match` and the NameMap it gives."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

import graphmap

FIXTURES = Path(__file__).parents[2] / "fixtures"
SAVER = FIXTURES / "adam_saver"
WANTED = {"W": "my_model/W", "b": "my_model/b", "V": "my_model/V"}
SHAPES = {"W": (4, 6), "b": (6,), "V": (6, 1)}


@pytest.mark.parametrize(
    "expected",
    [
        FIXTURES / "names.txt",
        str(FIXTURES / "names.txt"),
        SHAPES,
        {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()},
        [SimpleNamespace(name=f"{name}:0", shape=shape) for name, shape in SHAPES.items()],
        graphmap.load(FIXTURES / "names.txt"),
    ],
    ids=["path", "text", "shapes", "arrays", "objects", "artifact"],
)
def test_expected_is_taken_in_every_form(expected):
    assert dict(graphmap.match(expected, SAVER)) == WANTED


def test_expected_order_is_kept():
    found = graphmap.match({"b": (6,), "W": (4, 6), "V": (6, 1)}, SAVER)
    assert [decision.expected for decision in found.decisions] == ["b", "W", "V"]


def test_an_artifact_matches_itself():
    found = graphmap.match(SAVER, SAVER)
    assert found.verdict == "same" and len(found) == 3
    assert all(expected == actual for expected, actual in found.items())


@pytest.mark.parametrize("expected", [[], {}, 7, [7], {"W": "wide"}])
def test_what_names_no_variable_is_refused(expected):
    with pytest.raises(graphmap.UsageError):
        graphmap.match(expected, SAVER)


def test_a_name_without_a_counterpart_is_left_open():
    found = graphmap.match({**SHAPES, "zzz/qqq": (11, 13, 17)}, SAVER)
    assert [decision.expected for decision in found.unmatched] == ["zzz/qqq"]
    with pytest.raises(graphmap.UnresolvedNameError):
        found["zzz/qqq"]
    assert "zzz/qqq" not in found and found.tensor_name("W") == "my_model/W:0"


def test_map_file_round_trip_is_exact(tmp_path):
    found = graphmap.match(FIXTURES / "names.txt", SAVER)
    found.save(tmp_path / "map.json")
    again = graphmap.NameMap.load(tmp_path / "map.json")
    again.save(tmp_path / "again.json")
    assert (tmp_path / "map.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    content = json.loads((tmp_path / "map.json").read_text())
    assert content["artifact"]["fingerprint"] == graphmap.load(SAVER).fingerprint
    assert list(content)[:3] == ["schema", "graphmap_version", "artifact"]


def test_a_map_made_by_hand():
    by_hand = graphmap.NameMap.from_dict({"W:0": "my_model/W"})
    assert dict(by_hand) == {"W": "my_model/W"}
    assert dict(by_hand.inverse()) == {"my_model/W": "W"}


def test_two_expected_of_one_actual_have_no_inverse():
    shared = graphmap.NameMap.from_dict({"a": "x", "b": "x"})
    with pytest.raises(graphmap.NameMapError, match="expected several times"):
        shared.inverse()


def test_view_shows_values_under_the_expected_names():
    view = graphmap.match(FIXTURES / "names.txt", SAVER).view(SAVER)
    assert list(view) == ["W", "b", "V"] and view["V"].shape == (6, 1)
    assert np.array_equal(view["W"], graphmap.load(SAVER).read("my_model/W"))


def test_apply_reads_only_what_is_asked_for():
    class Counting(dict):
        asked: ClassVar[list[str]] = []

        def __getitem__(self, name):
            self.asked.append(name)
            return super().__getitem__(name)

    tensors = Counting({"my_model/W": np.zeros((4, 6))})
    applied = graphmap.NameMap.from_dict({"W": "my_model/W"}).apply(tensors)
    assert tensors.asked == [] and applied["W"].shape == (4, 6)
    assert tensors.asked == ["my_model/W"]


def test_values_of_a_renamed_checkpoint_are_found_though_no_name_is(tmp_path):
    """One that was renamed holds the same bytes: a listing of nonsense names could not tell."""
    source = graphmap.load(FIXTURES / "adam_saver")
    weights = [v for v in source.variables if v.role == "weight" and v.shape]
    renamed = {f"n{at}": v.name for at, v in enumerate(weights)}
    graphmap.rename(FIXTURES / "adam_saver", graphmap.NameMap.from_dict(renamed), tmp_path / "new")
    new = graphmap.load(tmp_path / "new")
    found = graphmap.match(new, source, values=True)
    told = {d.expected: d.actual for d in found.matched if d.evidence[-1].kind == "values"}
    varied = {n: a for n, a in renamed.items() if np.ptp(source.read(a)) > 0}
    assert told == varied
    assert told

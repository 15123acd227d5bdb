"""Name maps: the bytes of the contract, and every malformed one refused."""

import hashlib
import json

import pytest

from graphmap.errors import NameMapError
from graphmap.formats.fingerprint import fingerprint
from graphmap.formats.namemap_json import dump_name_map, load_name_map
from graphmap.model.namemap import Candidate, Decision, Evidence, NameMap, Rule

MAP = NameMap(
    decisions=(
        Decision(
            "W", "matched", (3, None), "my_model/W", "my_model/W:0", "my_model/W",
            0.99812345678, 8.12345, "same", (),
            (Evidence("lexical", 6.21987, "same last word"),), (Candidate("my_model/W", 0.998),),
        ),
        Decision("qkv", "matched", None, None, confidence=0.99, layout="join:1", parts=("q", "k")),
        Decision("b", "ambiguous", candidates=(Candidate("x", 0.5), Candidate("y", 0.5))),
        Decision("ü", "unmatched"),
    ),
    verdict="partial",
    unused=("global_step",),
    rules=(Rule("^(.*)$", "my_model/\\1", 1),),
    expected_wrong=0.3,
    artifact={"path": "m", "kind": "checkpoint", "fingerprint": "00"},
    expected_source={"path": "names.txt"},
    settings={"min_confidence": 0.95},
)  # fmt: skip

ENTRY_KEYS = [
    "expected", "shape", "status", "actual", "tensor", "checkpoint_key", "confidence", "margin",
    "layout", "evidence", "candidates",
]  # fmt: skip


def test_the_keys_are_those_of_the_contract():
    content = json.loads(dump_name_map(MAP, "0.1.0"))
    assert list(content) == [
        "schema", "graphmap_version", "artifact", "expected_source", "settings", "verdict",
        "expected_wrong", "entries", "rules", "unused",
    ]  # fmt: skip
    assert content["schema"] == "graphmap.name-map/1"
    assert list(content["entries"][0]) == ENTRY_KEYS
    assert list(content["entries"][1]) == [*ENTRY_KEYS[:9], "parts", *ENTRY_KEYS[9:]]
    assert content["entries"][0]["confidence"] == 0.998123
    assert content["rules"] == [{"pattern": "^(.*)$", "replacement": "my_model/\\1", "covers": 1}]


def test_a_written_map_is_read_back_and_written_the_same(tmp_path):
    data = dump_name_map(MAP, "0.1.0")
    (tmp_path / "map.json").write_bytes(data)
    read = load_name_map(str(tmp_path / "map.json"))
    assert dump_name_map(read, "0.1.0") == data
    assert read["W"] == "my_model/W"
    assert [decision.status for decision in read.decisions] == [
        "matched", "matched", "ambiguous", "unmatched",
    ]  # fmt: skip
    assert dump_name_map(load_name_map(json.loads(data)), "0.1.0") == data


def test_a_plain_object_is_a_map():
    read = load_name_map({"W:0": "my_model/W:0"})
    assert dict(read) == {"W": "my_model/W"}
    assert read.decisions[0].confidence == 1.0


def entry(**changes):
    base = {"expected": "W", "status": "matched", "actual": "x"}
    return {"schema": "graphmap.name-map/1", "entries": [{**base, **changes}]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "no entry"),
        ({"W": 3}, "no name"),
        ({"W": ""}, "no name"),
        ({"schema": "graphmap.name-map/2", "entries": []}, "schema"),
        ({"entries": []}, "schema"),
        ({"schema": "graphmap.name-map/1", "entries": {}}, "no list"),
        ({"schema": "graphmap.name-map/1", "entries": [3]}, "no object"),
        ({**entry(), "verdict": "maybe"}, "verdict"),
        ({**entry(), "artifact": []}, "no object"),
        ({**entry(), "rules": [{}]}, "rule"),
        ({**entry(), "unused": [1]}, "no text"),
        (entry(expected=None), "no text"),
        (entry(status="sure"), "status"),
        (entry(actual=None), "names no actual"),
        (entry(actual=3), "no text"),
        (entry(shape=[-1]), "shape"),
        (entry(shape="3"), "shape"),
        (entry(confidence="high"), "no number"),
        (entry(evidence=[1]), "evidence"),
        (entry(candidates=[1]), "candidate"),
    ],
)
def test_a_malformed_map_is_refused(content, words):
    with pytest.raises(NameMapError, match=words):
        load_name_map(content)


def test_a_name_twice_is_refused():
    content = entry()
    content["entries"] *= 2
    with pytest.raises(NameMapError, match="twice"):
        load_name_map(content)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 99_999])
def test_a_file_that_is_no_map_is_refused(tmp_path, data):
    (tmp_path / "map.json").write_bytes(data)
    with pytest.raises(NameMapError):
        load_name_map(str(tmp_path / "map.json"))


def test_the_fingerprint_is_of_names_shapes_and_types_only():
    w, b = ("w", (3, 4), "float32"), ("b", (), "int64")
    assert fingerprint([w, b]) == fingerprint([b, w])
    assert fingerprint([w, b]) != fingerprint([w, ("b", (), "int32")])
    assert fingerprint([w, b]) != fingerprint([w, ("b", (1,), "int64")])
    assert fingerprint([w, b]) != fingerprint([w, ("c", (), "int64")])


def test_the_fingerprint_of_known_variables_stays():
    """Maps are kept for years: this is SHA-256 of `["w",[3,null],"float32"]`."""
    expected = hashlib.sha256(b'["w",[3,null],"float32"]').hexdigest()
    assert fingerprint([("w", (3, None), "float32")]) == expected

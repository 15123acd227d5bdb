"""Rule lists for other loaders do what the map does."""

from __future__ import annotations

import re
import runpy

import pytest

import graphmap
from graphmap.api.exports import huggingface_mapping, python_code, t5x_assignment_map, wildcards

SHIFTED = {f"net/l{i}/{leaf}": f"m/b{i + 1}/{leaf}" for i in range(6) for leaf in ("w", "b")}
COPIED = {f"net/l{i}/{leaf}": f"m/b{i}/x/{leaf}" for i in range(6) for leaf in ("w", "b")}


def made(pairs):
    listing = [f"m/other/{i}" for i in range(3)] + list(pairs.values())
    return graphmap.match(list(pairs), listing, pins=pairs)


@pytest.mark.parametrize("pairs", [SHIFTED, COPIED], ids=["shifted", "copied"])
def test_t5x_rules_reproduce_the_map(pairs):
    rules = t5x_assignment_map(made(pairs))
    for expected, actual in pairs.items():
        fitting = [re.sub(p, r, expected) for p, r in rules if re.fullmatch(p, expected)]
        assert fitting == [actual]


@pytest.mark.parametrize("pairs", [SHIFTED, COPIED], ids=["shifted", "copied"])
def test_key_mapping_turns_back(pairs):
    rules = huggingface_mapping(made(pairs))
    for expected, actual in pairs.items():
        assert {re.sub(p, r, actual) for p, r in rules.items() if re.search(p, actual)} == {
            expected
        }


def test_wildcards_stand_for_numbers_copied_in_order():
    assert wildcards(made(COPIED)) == {"net/l*/**": "m/b*/x/**"}
    assert wildcards(made(SHIFTED)) == SHIFTED


@pytest.mark.tf
def test_assignment_maps_restore_the_variables(tmp_path):
    import tensorflow as tf

    tf1 = tf.compat.v1
    name_map = made({"a/w": "m/a/w", "a/b": "m/a/b"})
    (tmp_path / "map.py").write_text(python_code(name_map))
    module = runpy.run_path(str(tmp_path / "map.py"))
    with tf.Graph().as_default() as graph:
        for name in ("a/w", "a/b", "head/w"):
            tf1.get_variable(name, (2,))
        maps = module["assignment_maps"](graph)
        assert [{k: v.op.name for k, v in one.items()} for one in maps] == [
            {"m/a/w": "a/w", "m/a/b": "a/b"}
        ]

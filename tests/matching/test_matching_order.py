"""What changes nothing: the order of the actual side, file names, hash seeds. And fixed stress."""

from __future__ import annotations

import json
import os
import random
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphmap

ROOT = Path(__file__).parents[2]
STRESS = runpy.run_path(str(ROOT / "scripts" / "stress.py"))["stress"]
# Where layers are inserted into a stack of like ones nothing tells which: see scripts/bench.
VERBS = ("synonyms", "nonsense", "dropped", "shifted", "foreign", "merged")
LEAVES = {"kernel": (8, 8), "bias": (8,), "gamma": (8,), "beta": (8,)}
PARTS = ("attention/query", "attention/key", "attention/value", "attention/output", "ffn/in")


def transformer(scope, number, depth=6):
    """Return {name: shape} of a small transformer, in order of creation."""
    rows = {f"{scope}/embeddings/word_embeddings": (50, 8)}
    for i in range(depth):
        for part in PARTS:
            for leaf in ("kernel", "bias"):
                rows[f"{scope}/encoder/{number(i)}/{part}/{leaf}"] = LEAVES[leaf]
        for leaf in ("gamma", "beta"):
            rows[f"{scope}/encoder/{number(i)}/norm/{leaf}"] = LEAVES[leaf]
    rows[f"{scope}/pooler/kernel"] = (8, 8)
    return rows


EXPECTED = transformer("model", lambda i: f"layer_{i}")
ACTUAL = transformer("bert", lambda i: f"block_{i + 1}")
TRUTH = dict(zip(EXPECTED, ACTUAL, strict=True))
CASE = {
    "id": "transformer",
    "actual": [{"name": n, "shape": list(s)} for n, s in ACTUAL.items()],
    "expected": [{"name": n, "shape": list(s)} for n, s in EXPECTED.items()],
    "truth": TRUTH,
}


def parts(found):
    content = json.loads(found.dump())
    return {key: content[key] for key in ("entries", "rules", "unused", "verdict")}


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_actual_side_has_no_meaning(shuffler, with_slots):
    rows = {**ACTUAL, "other/x": (3,)}
    if with_slots:
        rows |= {f"{n}/Adam{k}": s for n, s in ACTUAL.items() for k in ("", "_1")}
    names = list(rows)
    shuffler.shuffle(names)
    turned = graphmap.match(EXPECTED, {name: rows[name] for name in names})
    assert parts(turned) == parts(graphmap.match(EXPECTED, rows))
    assert all(TRUTH[e] == a for e, a in turned.items()) and len(turned) > len(TRUTH) - 5


def test_file_names_and_hash_seeds_change_nothing(tmp_path):
    outputs = set()
    for seed, name in (("0", "a"), ("1", "zz"), ("7", "a b")):
        folder = tmp_path / name
        folder.mkdir()
        rows = list(ACTUAL.items())
        random.Random(seed).shuffle(rows)
        for file, side in ((f"{name}1.txt", EXPECTED.items()), (f"{name}2.txt", rows)):
            lines = [f"{n} {str(list(s)).replace(' ', '')}\n" for n, s in side]
            (folder / file).write_text("".join(lines))
        words = [
            "match",
            f"{name}2.txt",
            "--expected",
            f"{name}1.txt",
            "--json",
            "-q",
            "--allow-unresolved",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "graphmap", *words],
            cwd=folder, capture_output=True, text=True, timeout=60, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        content = json.loads(done.stdout)
        outputs.add(json.dumps([content[key] for key in ("entries", "rules", "unused")]))
    assert len(outputs) == 1


@pytest.mark.parametrize("seed", range(6))
def test_stress_leaves_nothing_wrong(seed):
    bad = STRESS(CASE, seed, VERBS)
    sides = [
        {row["name"]: tuple(row["shape"]) for row in bad[side]} for side in ("expected", "actual")
    ]
    found = graphmap.match(*sides)
    wrong = {e: a for e, a in found.items() if bad["truth"][e] != a}
    assert wrong == {}


def test_many_equal_shapes_and_long_names_get_a_clear_answer():
    long = {f"{'x' * 10_000}/{i}": (2, 2) for i in range(3)}
    assert len(graphmap.match(long, long).decisions) == 3
    many = {f"a{i}q/w": (2, 2) for i in range(300)}
    other = {f"{hex(i * 7919)}": (2, 2) for i in range(300)}
    found = graphmap.match(many, other)
    assert len(found.decisions) == 300 and len(found) < 10


def test_names_that_differ_only_in_the_output_number_are_one():
    with pytest.raises(graphmap.GraphmapError):
        graphmap.match(["a", "a:0"], ["a"])

"""Whole processes: what changes nothing, and bad input in bounded time and memory."""

import json
import os
import random
import resource
import subprocess
import sys

import pytest

GIB = 1 << 30
LEAVES = [("q/kernel", "[8,8]"), ("q/bias", "[8]"), ("wide/kernel", "[8,32]"), ("ln/gamma", "[8]")]


def match(actual, expected, *flags, hash_seed="0", memory=GIB):
    """Run `graphmap match` with so many bytes of address space; returns the finished process."""
    argv = [sys.executable, "-m", "graphmap", "match", str(actual), "--expected", str(expected)]
    return subprocess.run(
        [*argv, "-q", *flags],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """An encoder under two namings; beside it a head that only one has, and two equal towers."""
    box = tmp_path_factory.mktemp("sides")
    actual = [f"bert/layer_{at}/{leaf} {dims}" for at in range(6) for leaf, dims in LEAVES]
    actual += ["bert/pooler/kernel [8,8]", "left/w [5,5]", "right/w [5,5]", "global_step []"]
    expected = [
        f"enc.{at + 1}.{leaf.replace('/', '.')} {dims}" for at in range(6) for leaf, dims in LEAVES
    ]
    expected += ["head.kernel [8,3]", "one.w [5,5]", "two.w [5,5]"]
    return box, actual, write(box / "expected.txt", expected)


def told(process):
    found = json.loads(process.stdout)
    return {key: found[key] for key in ("entries", "rules", "unused")}


def test_order_file_name_and_hash_seed_change_nothing(sides):
    box, actual, expected = sides
    first = told(match(write(box / "a.txt", sorted(actual)), expected, "--json"))
    assert sum(e["status"] == "matched" for e in first["entries"]) >= 6 * len(LEAVES)
    for seed in ("1", "2026"):
        mixed = random.Random(seed).sample(actual, len(actual))
        other = write(box / f"renamed-{seed}.lst.txt", mixed)
        assert told(match(other, expected, "--json", hash_seed=seed)) == first


@pytest.mark.parametrize(
    ("lines", "flags", "word"),
    [
        pytest.param(["a", "b", "a"], [], "twice", id="a name twice"),
        pytest.param(["a", "a:0"], [], "twice", id="names that differ in :0 only"),
        pytest.param([], [], "empty", id="an empty list"),
        pytest.param(["# nothing"], [], "no variable", id="a list without names"),
        pytest.param(["a"], ["--pin", "a=p", "--pin", "a=q"], "pinned", id="contradictory pins"),
        pytest.param(["a"], ["--pin", "a=nowhere"], "actual", id="a pin to an absent name"),
        pytest.param(["a"], ["--pin", "z=p"], "expected", id="a pin of an absent name"),
    ],
)
def test_what_cannot_be_meant_is_one_error(tmp_path, lines, flags, word):
    actual = write(tmp_path / "actual.txt", ["p [3]", "q [3]"])
    expected = tmp_path / "expected.txt"
    expected.write_text("".join(line + "\n" for line in lines))
    done = match(actual, expected, *flags)
    assert done.returncode == 2
    assert done.stdout == ""
    assert word in done.stderr
    assert len(done.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"{'x' * 9_990}/{at}" for at in range(20)], id="names of 10,000 characters"),
        pytest.param(["/".join("s" * 4_000) + f"/{at}" for at in range(20)], id="4,000 scopes"),
        pytest.param([f"v{at} [4,4]" for at in range(10_000)], id="10,000 equal shapes"),
        pytest.param(["0" * 5_000 + str(at) for at in range(20)], id="numbers of 5,000 digits"),
    ],
)
def test_extreme_names_take_bounded_time_and_memory(tmp_path, names):
    actual = write(tmp_path / "actual.txt", [f"net/{name}" for name in names])
    done = match(actual, write(tmp_path / "expected.txt", names), "-o", str(tmp_path / "m.json"))
    assert done.returncode in (0, 1), done.stderr
    entries = json.loads((tmp_path / "m.json").read_text())["entries"]
    assert [e["expected"] for e in entries] == [name.split(" [")[0] for name in names]
    wrong = [e for e in entries if e["actual"] and e["actual"] != f"net/{e['expected']}"]
    assert wrong == []

"""CPU seconds and peak memory of whole `graphmap match` processes over made listings.

Templated: layers of a transformer under two libraries' names. Untemplated: three random words a
name, on the other side below a scope, all of one shape. Inserted: a stack of 1,000 layers of 20
leaves under other words, into which the stored side has layers put at random places. What is right
can be known: the layers' widths differ, as in networks that were scaled or pruned, and no layer of
the code has the width of an inserted one. Where all layers are alike nothing tells which is new,
and the right answer is none. The host's speed swings, so the sizes are run in turn and the least
of the rounds counts.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import tempfile
from pathlib import Path

# leaf of either library, shape
LEAVES = [
    ("attention.self.query.weight", "attention/self/query/kernel", "[64,64]"),
    ("attention.self.query.bias", "attention/self/query/bias", "[64]"),
    ("attention.self.key.weight", "attention/self/key/kernel", "[64,64]"),
    ("attention.self.key.bias", "attention/self/key/bias", "[64]"),
    ("attention.self.value.weight", "attention/self/value/kernel", "[64,64]"),
    ("attention.self.value.bias", "attention/self/value/bias", "[64]"),
    ("attention.output.LayerNorm.weight", "attention/output/LayerNorm/gamma", "[64]"),
    ("attention.output.LayerNorm.bias", "attention/output/LayerNorm/beta", "[64]"),
    ("intermediate.dense.bias", "intermediate/dense/bias", "[256]"),
    ("output.dense.bias", "output/dense/bias", "[64]"),
]
# module of the code, of the files, whether it is a norm
MODULES = [
    ("attention.self.query", "attn/q", False),
    ("attention.self.key", "attn/k", False),
    ("attention.self.value", "attn/v", False),
    ("attention.output.dense", "attn/output/fc", False),
    ("attention.output.LayerNorm", "attn/output/ln", True),
    ("cross.self.query", "crossattention/q", False),
    ("cross.self.key", "crossattention/k", False),
    ("cross.self.value", "crossattention/v", False),
    ("intermediate.dense", "intermediate/fc", False),
    ("output.dense", "output/fc", False),
]
STACK = 1_000  # layers
INSERTED = (5, 40)
WIDTHS, NEW_WIDTHS = range(48, 144, 16), range(40, 120, 16)
SIZES = (5_000, 10_000, 20_000, 40_000, 80_000, 100_000)
UNTEMPLATED = (2_500, 5_000)
ROUNDS = 2
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def templated(count: int) -> tuple[list[str], list[str]]:
    """Return the lines of both listings."""
    layers = range(count // len(LEAVES))
    expected = [f"encoder.layer.{at}.{one} {shape}" for at in layers for one, _, shape in LEAVES]
    actual = [f"bert/encoder/layer_{at}/{two} {shape}" for at in layers for _, two, shape in LEAVES]
    return expected, sorted(actual)


def untemplated(count: int, seed: int = 1) -> tuple[list[str], list[str]]:
    """Return the lines of both listings: nothing repeats but the shape."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(LETTERS, k=chance.randint(4, 8))) for _ in range(count)]
    names = dict.fromkeys("/".join(chance.choices(words, k=3)) for _ in range(count))
    return [f"{n} [16,16]" for n in names], sorted(f"net/{n}/w [16,16]" for n in names)


def inserted(
    count: int, seed: int = 1, layers: int = STACK
) -> tuple[tuple[list[str], list[str]], dict[str, str]]:
    """Return the lines of both listings and the truth; the files have `count` layers more."""
    chance = random.Random(seed)
    widths = [chance.choice(WIDTHS) for _ in range(layers)]
    places = set(chance.sample(range(1, layers), count))
    stored: list[tuple[int | None, int]] = []
    for at, width in enumerate(widths):
        stored += [(None, chance.choice(NEW_WIDTHS))] * (at in places)
        stored.append((at, width))
    expected, actual, truth = [], [], {}
    for new, (old, width) in enumerate(stored):
        for mine, other, is_norm in MODULES:
            leaves = (("weight", "scale" if is_norm else "kernel"), ("bias", "bias"))
            for one, two in leaves:
                matrix = not is_norm and one == "weight"
                shape = f"[{width},{width}]" if matrix else f"[{width}]"
                actual.append(f"net/block_{new}/{other}/{two} {shape}")
                if old is not None:
                    name = f"encoder.layer.{old}.{mine}.{one}"
                    expected.append(f"{name} {shape}")
                    truth[name] = f"net/block_{new}/{other}/{two}"
    return (expected, sorted(actual)), truth


def run(command: list[str], lines: tuple[list[str], list[str]], box: Path) -> tuple[float, float]:
    """Return user + system CPU seconds and peak MiB of one process."""
    paths = [box / f"{side}.txt" for side in ("expected", "actual")]
    for path, side in zip(paths, lines, strict=True):
        path.write_text("\n".join(side) + "\n")
    argv = [*command, "match", str(paths[1]), "--expected", str(paths[0])]
    argv += ["-o", str(box / "map.json"), "-q", "--allow-unresolved"]
    timed = ["/usr/bin/time", "-f", "%M", *argv]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        timed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, int(done.stderr.split()[-1]) / 1024


def score(path: Path, truth: dict[str, str]) -> str:
    """Say what share of the names a map has right, and how many it has wrong."""
    matched = {
        row["expected"]: row["actual"]
        for row in json.loads(path.read_text())["entries"]
        if row["status"] == "matched"
    }
    right = sum(truth[name] == found for name, found in matched.items())
    return f"{right / len(truth):.3f} right, {len(matched) - right} wrong"


def measure(command: list[str]) -> None:
    """Print a table: seconds, memory, and what doubling the size costs."""
    jobs = {("templated", n): templated(n) for n in SIZES}
    jobs |= {("untemplated", n): untemplated(n) for n in UNTEMPLATED}
    truths = {}
    for count in INSERTED:
        jobs["inserted layers", count], truths[count] = inserted(count)
    best: dict[tuple[str, int], tuple[float, float]] = {}
    shares = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for key, lines in jobs.items():
                best[key] = min(best.get(key, (1e9, 0.0)), run(command, lines, Path(folder)))
                if key[0] == "inserted layers":
                    shares[key] = score(Path(folder) / "map.json", truths[key[1]])
    print("| names | on each side | CPU seconds | peak MiB | against half the size; answers |")
    print("|---|---|---|---|---|")
    for (kind, size), (seconds, memory) in best.items():
        half = best.get((kind, size // 2))
        grown = f"{seconds / half[0]:.2f} times" if half else shares.get((kind, size), "")
        print(f"| {kind} | {size:,} | {seconds:.2f} | {memory:.0f} | {grown} |")

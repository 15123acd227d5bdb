"""Corrupts matching cases with a seed: what renaming, cutting and growing a model does to names."""

from __future__ import annotations

import random
import re
from typing import Any

SYNONYMS = {
    "kernel": "weights", "weights": "kernel", "weight": "w", "bias": "b", "gamma": "scale",
    "beta": "offset", "dense": "fc", "conv": "convolution", "attention": "attn",
    "embedding": "emb", "embeddings": "emb", "query": "q", "key": "k", "value": "v",
    "encoder": "enc", "decoder": "dec", "layer": "block", "layers": "blocks", "output": "out",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z]+")
NUMBER = re.compile(r"(?<=[/._])([0-9]+)(?=[/._])")
VERBS = ("synonyms", "nonsense", "dropped", "inserted", "shifted", "foreign", "merged")


def stress(case: dict[str, Any], seed: int, verbs: tuple[str, ...] = VERBS) -> dict[str, Any]:
    """Return a corrupted copy of a case; the truth follows every change."""
    random_ = random.Random(f"{case['id']} {seed}")
    new = {
        **case,
        "id": f"{case['id']}~{seed}",
        "actual": [dict(row) for row in case["actual"]],
        "expected": [dict(row) for row in case["expected"]],
        "truth": dict(case["truth"]),
        "layout": dict(case.get("layout", {})),
    }
    for verb in verbs:
        globals()[f"_{verb}"](new, random_)
    return new


def _rename(case: dict[str, Any], renamed: dict[str, str]) -> None:
    if len(set(renamed.values())) != len(renamed):
        return
    for row in case["actual"]:
        row["name"] = renamed[row["name"]]
    case["truth"] = {e: renamed.get(a, a) for e, a in case["truth"].items()}


def _by_word(case: dict[str, Any], words: dict[str, str]) -> None:
    def change(name: str) -> str:
        return WORD.sub(lambda found: words.get(found[0], found[0]), name)

    _rename(case, {row["name"]: change(row["name"]) for row in case["actual"]})


def _words(case: dict[str, Any]) -> list[str]:
    names = " ".join(row["name"] for row in case["actual"])
    return sorted(word for word in set(WORD.findall(names)) if len(word) > 1)


def _synonyms(case: dict[str, Any], random_: random.Random) -> None:
    _by_word(
        case, {w: SYNONYMS[w] for w in _words(case) if w in SYNONYMS and random_.random() < 0.5}
    )


def _nonsense(case: dict[str, Any], random_: random.Random) -> None:
    kept = {*SYNONYMS, *SYNONYMS.values(), "moving", "mean", "variance", "running", "var"}
    kept |= {"Adam", "ExponentialMovingAverage"}  # TensorFlow gives these, no author
    chosen = {w for w in _words(case) if w not in kept and random_.random() < 0.2}
    letters = "bcdfgklmnprstvz"
    _by_word(case, {w: "".join(random_.choices(letters, k=5)) for w in sorted(chosen)})


def _dropped(case: dict[str, Any], random_: random.Random) -> None:
    """Some modules are not stored: their expected names have no counterpart."""
    modules = sorted({a.rpartition("/")[0] for a in case["truth"].values() if a and "/" in a})
    out = {module for module in modules if random_.random() < 0.05}
    gone = {r["name"] for r in case["actual"] if r["name"].rpartition("/")[0] in out}
    if len(gone) < len(case["actual"]):
        case["actual"] = [row for row in case["actual"] if row["name"] not in gone]
        case["truth"] = {e: None if a in gone else a for e, a in case["truth"].items()}


def _inserted(case: dict[str, Any], random_: random.Random) -> None:
    """A copy of a layer is put into the stack; the layers behind it move up."""
    numbers = [int(n) for row in case["actual"] for n in NUMBER.findall(row["name"])]
    if random_.random() < 0.5 or not numbers or max(numbers) < 3 or max(numbers) > 60:
        return
    cut = random_.randint(1, max(numbers) - 1)

    def moved(found: re.Match[str]) -> str:
        return str(int(found[0]) + (int(found[0]) >= cut))

    before = [dict(row) for row in case["actual"]]
    _rename(case, {row["name"]: NUMBER.sub(moved, row["name"]) for row in before})
    names = {row["name"] for row in case["actual"]}
    fresh = [r for r in before if str(cut) in NUMBER.findall(r["name"]) and r["name"] not in names]
    case["actual"] += fresh


def _shifted(case: dict[str, Any], random_: random.Random) -> None:
    """All indices start at another number."""
    by = random_.choice((0, 1, 1, 2))

    def moved(found: re.Match[str]) -> str:
        return str(int(found[0]) + by)

    _rename(case, {r["name"]: NUMBER.sub(moved, r["name"]) for r in case["actual"]})


def _foreign(case: dict[str, Any], random_: random.Random) -> None:
    """The code has a new head that the files lack, the files have one that the code lacks."""
    width = random_.choice((3, 5, 17))
    for leaf, shape in (("kernel", [31, width]), ("bias", [width])):
        name = f"new_head/{leaf}"
        if name not in case["truth"]:
            case["expected"].append({"name": name, "shape": shape, "dtype": "float32"})
            case["truth"][name] = None
        case["actual"].append(
            {"name": f"old_task/{leaf}", "shape": [13, *shape[1:]], "dtype": "float32"}
        )


def _merged(case: dict[str, Any], random_: random.Random) -> None:
    """Sibling matrices of one shape are stored as one, side by side, in one layer in three."""
    if random_.random() < 0.7:
        return
    shapes = {row["name"]: row.get("shape") for row in case["actual"]}
    for trio in (("query", "key", "value"), ("q", "k", "v")):
        firsts = [n for n in shapes if re.search(rf"(?<![A-Za-z]){trio[0]}(?![A-Za-z])", n)]
        for first in sorted(firsts):
            names = [re.sub(rf"(?<![A-Za-z]){trio[0]}(?![A-Za-z])", word, first) for word in trio]
            shape = shapes.get(first)
            if any(shapes.get(n) != shape for n in names) or not shape or len(set(names)) < 3:
                continue
            whole = re.sub(rf"(?<![A-Za-z]){trio[0]}(?![A-Za-z])", "".join(trio), first)
            case["actual"] = [row for row in case["actual"] if row["name"] not in names]
            wide = [*shape[:-1], 3 * shape[-1]]
            case["actual"].append({"name": whole, "shape": wide, "dtype": "float32"})
            for expected, actual in case["truth"].items():
                if actual in names:
                    case["truth"][expected] = whole
                    case["layout"][expected] = "split"

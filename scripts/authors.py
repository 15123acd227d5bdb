"""Random models, each named twice as two authors would: cases of matching whose truth is known.

A model (author_convnets.py, author_transformers.py) is drawn, then two authors that name it. An
author has a framework with its leaves and counters, a word for each thing, and habits: where a norm
is called after its kernel, how blocks are counted, whether the shortcut comes first.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from author_convnets import ResNet, UNet
from author_transformers import Towers, Transformer

NETS = (ResNet, ResNet, Transformer, Transformer, UNet, Towers)  # as often as this
FRAMEWORKS = ("tf1", "tf1", "keras", "keras", "torch", "torch", "flax", "haiku")
COUNTS = {"tf1": 0.2, "keras": 0.25, "torch": 0.0, "flax": 0.35, "haiku": 0.2}  # share of authors
# who give no names, so that the framework counts layers; `slim` is the contrib library of TF 1
COUNTED = {
    "tf1": {"conv": "conv2d", "depthwise": "depthwise_conv2d", "dense": "dense",
            "batch norm": "batch_normalization", "layer norm": "LayerNorm"},
    "slim": {"conv": "Conv", "depthwise": "SeparableConv2d", "dense": "fully_connected",
             "batch norm": "BatchNorm", "layer norm": "LayerNorm"},
    "keras": {"conv": "conv2d", "depthwise": "depthwise_conv2d", "dense": "dense",
              "batch norm": "batch_normalization", "layer norm": "layer_normalization"},
    "flax": {"conv": "Conv", "depthwise": "Conv", "dense": "Dense",
             "batch norm": "BatchNorm", "layer norm": "LayerNorm"},
    "haiku": {"conv": "conv2_d", "depthwise": "depthwise_conv2_d", "dense": "linear",
              "batch norm": "batch_norm", "layer norm": "layer_norm"},
}  # fmt: skip
BATCH_NORM = {
    "tf1": ("BatchNorm", "bn", "batch_norm", "batch_normalization"),
    "keras": ("bn", "batch_norm", "batchnorm", "BN"),
    "torch": ("bn", "norm", "batchnorm"),
    "flax": ("BatchNorm", "bn", "norm"),
    "haiku": ("batch_norm", "batchnorm", "bn"),
}
LAYER_NORM = {
    "tf1": ("LayerNorm", "layer_norm", "ln"),
    "keras": ("layer_norm", "ln", "LayerNorm", "norm"),
    "torch": ("norm", "ln", "layer_norm", "layernorm"),
    "flax": ("LayerNorm", "layer_norm", "ln"),
    "haiku": ("layer_norm", "ln"),
}
BIASES = {"kernel": "bias", "weights": "biases", "weight": "bias", "w": "b", "W": "b"}
KERNELS = {
    "tf1": ("kernel", "weights", "weights", "w", "W"),
    "keras": ("kernel",), "torch": ("weight",), "flax": ("kernel",), "haiku": ("w",),
}  # fmt: skip
NORM_LEAVES = {  # scale, offset, mean and variance
    "tf1": ("gamma", "beta", "moving_mean", "moving_variance"),
    "keras": ("gamma", "beta", "moving_mean", "moving_variance"),
    "torch": ("weight", "bias", "running_mean", "running_var"),
    "flax": ("scale", "bias", "mean", "var"),
    "haiku": ("scale", "offset", "mean_ema/average", "var_ema/average"),
}
TABLES = {
    "keras": ("embeddings",), "torch": ("weight",), "flax": ("embedding",), "haiku": ("embeddings",)
}  # fmt: skip
SLOTS = (("Adam", "Adam_1"), ("Momentum",), ("ExponentialMovingAverage",), ("RMSProp", "RMSProp_1"))
SLOTTED, CUT, GROWN = 0.35, 0.2, 0.2  # shares of cases
DROPPED = 0.06  # share of the modules of a case that is cut


class Author:
    """One framework, and choices that hold for a whole model; each is drawn when it is needed."""

    def __init__(self, seed: float) -> None:
        self.random = random.Random(seed)
        choice = self.random.choice
        self.framework = choice(FRAMEWORKS)
        self.is_torch = self.framework == "torch"
        self.separator = "." if self.is_torch else "/"
        self.words: dict[str, Any] = {}
        self.counters: Counter[tuple[str, ...]] = Counter()
        self.base = 0 if self.framework == "flax" else choice((0, 1))
        self.inner_base = choice((1, 1, self.base))  # of what a block counts
        self.counts = self.random.random() < COUNTS[self.framework]
        self.norm_style = choice(
            ("below", "below", "suffix", "number")
            if self.framework == "tf1"
            else ("number", "below", "suffix", "word")
        )
        last = "sequence" if self.is_torch else "number"
        self.conv_style = choice(("number", "number", "word", "letter", last))
        self.stage_style = choice(("nested", "nested", "one word", "flat", "letters"))
        self.number_separator = choice((".", ".", "", "") if self.is_torch else ("", "_"))
        self.batch_norm = choice(BATCH_NORM[self.framework])
        self.layer_norm = choice(LAYER_NORM[self.framework])
        self.kernel = choice(KERNELS[self.framework])
        self.is_slim = self.framework == "tf1" and self.kernel == "weights"
        self.norm_leaves = NORM_LEAVES[self.framework]
        self.depthwise = self.kernel
        if self.framework == "keras":
            self.depthwise = choice(("depthwise_kernel", "depthwise_kernel", "kernel"))
        elif self.is_slim:
            self.depthwise = "depthwise_weights"
        self.table = choice(
            TABLES.get(self.framework, ("embeddings", "embedding_table", self.kernel))
        )
        self.shortcut_first = self.random.random() < 0.5
        self.heads_first = self.random.random() < 0.1
        self.root = choice(
            ("", "net/~", "model/~", "")
            if self.framework == "haiku"
            else ("", "", "", "", "model", "net", "backbone", "my_model")
        )

    def word(self, role: str, *pool: Any) -> Any:
        """Return the one of the pool that this author chose for a role when first asked."""
        if role not in self.words:
            self.words[role] = self.random.choice(pool)
        return self.words[role]

    def flip(self, role: str, share: float = 0.5) -> bool:
        """Whether this author has a habit that the share of authors given has."""
        if role not in self.words:
            self.words[role] = self.random.random() < share
        return self.words[role]

    def number(self, word: str, at: int, base: int | None = None) -> list[str]:
        """Return the pieces of a path for the member of a row at a place that counts from 0."""
        number = at + (self.base if base is None else base)
        if self.number_separator == ".":
            return [word, str(number)]
        if self.framework in ("tf1", "haiku"):
            bare = self.base == 0 and self.number_separator == "_"
            if self.flip(f"no zero behind {word}", 0.5 * bare) and number == 0:
                return [word]
        return [f"{word}{self.number_separator}{number}"]

    def counted(self, kind: str, scope: list[str]) -> list[str]:
        """Return the path of a layer without a name, as the framework counts it in its scope."""
        word = COUNTED["slim" if self.is_slim else self.framework][kind]
        key = (*scope, "", word)
        self.counters[key] += 1
        at = self.counters[key] - 1
        return [*scope, f"{word}_{at}" if at or self.framework == "flax" else word]

    def shape(self, kind: str, dims: tuple[int, ...]) -> list[int]:
        """Return sizes as the framework keeps them.

        dims: size of the window, inputs, outputs of a `conv`; the window and channels of a
        `depthwise`; inputs, outputs of a `dense`; the shape itself of all else.
        """
        if kind == "conv":
            size, one, other = dims
            return [other, one, size, size] if self.is_torch else [size, size, one, other]
        if kind == "depthwise":
            size, channels = dims
            if self.is_torch:
                return [channels, 1, size, size]
            last = [1, channels] if self.framework == "flax" else [channels, 1]
            return [size, size, *last]
        return list(reversed(dims) if kind == "dense" and self.is_torch else dims)


class Side:
    """The tensors of a model as one author names them: rows of key, name and shape.

    A key says which tensor of the model it is, whoever names it.
    """

    def __init__(self, author: Author) -> None:
        self.author = author
        self.rows: list[tuple[str, str, list[int]]] = []

    def tensor(self, path: list[str], key: str, shape: list[int]) -> None:
        """Add one tensor; empty pieces of its path are left out."""
        name = self.author.separator.join(piece for piece in (self.author.root, *path) if piece)
        self.rows.append((key, name, shape))

    def module(
        self, path: list[str], kind: str, key: str, dims: tuple[int, ...], bias: bool = True
    ) -> None:
        """Add the tensors of a layer; see Author.shape for dims."""
        author = self.author
        if kind in ("conv", "depthwise", "dense"):
            leaf = author.depthwise if kind == "depthwise" else author.kernel
            self.tensor([*path, leaf], f"{key}:kernel", author.shape(kind, dims))
            if bias:
                self.tensor([*path, BIASES[author.kernel]], f"{key}:bias", [dims[-1]])
        elif kind == "table":
            self.tensor([*path, author.table], f"{key}:table", list(dims))
        elif kind == "rms norm":
            leaf = "scale" if author.framework == "tf1" else author.norm_leaves[0]
            self.tensor([*path, leaf], f"{key}:0", list(dims))
        else:
            for at, leaf in enumerate(author.norm_leaves[: 4 if kind == "batch norm" else 2]):
                self.tensor([*path, leaf], f"{key}:{at}", list(dims))

    @property
    def is_distinct(self) -> bool:
        """Whether no two tensors got one name."""
        return len({name for _, name, _ in self.rows}) == len(self.rows)


def make(seed: int) -> dict[str, Any]:
    """Return a case: id, actual, expected, truth, and the frameworks of both authors.

    The expected side is in the order of the code. Some cases have slots, some are cut (expected
    modules are not stored), some are grown (the code has a new head).
    """
    random_ = random.Random(seed)
    kind = random_.choice(NETS)
    net = kind(random_)
    sides: list[Side] = []
    while not sides or not all(side.is_distinct for side in sides):  # names of authors may collide
        sides = [Side(Author(random_.random())) for _ in range(2)]
        for side in sides:
            net.draw(side)
    expected, actual = sides
    names = {key: name for key, name, _ in actual.rows}
    case = {
        "id": f"{kind.__name__.lower()}{seed}",
        "family": kind.__name__.lower(),
        "actual": [_row(name, shape) for _, name, shape in actual.rows],
        "expected": [_row(name, shape) for _, name, shape in expected.rows],
        "truth": {name: names[key] for key, name, _ in expected.rows},
        "frameworks": [side.author.framework for side in sides],
    }
    if random_.random() < SLOTTED and actual.author.framework in ("tf1", "keras"):
        _add_slots(case, random_)
    if random_.random() < CUT:
        _cut(case, actual.author.separator, random_)
    if random_.random() < GROWN:
        author = expected.author
        name = author.separator.join(("new_head", author.kernel))
        case["expected"].append(_row(name, [31, 17]))
        case["truth"][name] = None
    case["actual"].sort(key=lambda row: row["name"])
    return case


def _row(name: str, shape: list[int], dtype: str = "float32") -> dict[str, Any]:
    return {"name": name, "shape": shape, "dtype": dtype}


def _add_slots(case: dict[str, Any], random_: random.Random) -> None:
    """Store what an optimizer keeps beside each trained tensor."""
    slots = random_.choice(SLOTS)
    trained = [row for row in case["actual"] if "moving" not in row["name"]]
    case["actual"] += [
        _row(f"{row['name']}/{slot}", row["shape"]) for row in trained for slot in slots
    ]
    case["actual"].append(_row("global_step", [], "int64"))


def _cut(case: dict[str, Any], separator: str, random_: random.Random) -> None:
    """Store some modules not: their expected names have no counterpart."""

    def module(name: str) -> str:
        return name.replace("_ema/average", "_ema").rpartition(separator)[0]

    truth = case["truth"]
    out = {m for m in sorted(set(map(module, truth.values()))) if random_.random() < DROPPED}
    gone = {name for name in truth.values() if module(name) in out}
    below = tuple(f"{name}/" for name in gone)
    case["actual"] = [
        row
        for row in case["actual"]
        if row["name"] not in gone and not row["name"].startswith(below)
    ]
    case["truth"] = {e: None if a in gone else a for e, a in truth.items()}

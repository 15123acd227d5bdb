"""What kind of tensor a name speaks of, from its last words, its rank and its siblings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from graphmap.matching.tokens import MARK, PIECES
from graphmap.matching.vocabulary import KIND_WORDS

__all__ = ["UNKNOWN", "Kind", "fits_rank", "kind_agreement", "kind_of", "lettered_leaves", "settle"]

SUFFIXED = re.compile("[wb](?:[qkvohx]|[fx]c|zr|ih|hh)")  # Wq, bo, Wzr: the letter, then which one
STATISTIC = frozenset(["moving", "running", "pop", "population", "batch"])
LONE_LETTER = re.compile(r"(?:(?<=[_-])|^)[wWbB](?=[_#-]|$)")
FEWEST_PAIRS = 3  # leaves of both letters in one scope
BY_LETTERS = {"".join(sorted(word)): kind for word, kind in reversed(KIND_WORDS.items())}
WHOLE_ONLY = frozenset(
    ["w", "b", "g", "mean", "mu", "avg", "sigma", "scale", "offset", "shift", "var", "table"]
)


class Kind(NamedTuple):
    """letter: M, B, G, E, U, V as in KIND_WORDS, or ?. sub: which word of it; "" where open."""

    letter: str
    sub: str


UNKNOWN = Kind("?", "")


@lru_cache(maxsize=16384)
def kind_of(leaf: str, rank: int | None) -> tuple[Kind, str]:
    """Return the kind that the last segment names, and the rest of that segment.

    >>> kind_of("depthwise_kernel", 4)
    (Kind(letter='M', sub='kernel'), 'depthwise')
    >>> kind_of("moving_mean", 1), kind_of("weight", 1)[0], kind_of("r_w_bias", 2)[0].letter
    ((Kind(letter='U', sub='mean'), ''), Kind(letter='G', sub='weight'), '?')
    """
    pieces = [piece for piece in PIECES.findall(leaf) if piece != MARK]
    word = pieces[-1].lower() if pieces else ""
    letter, sub = _lookup(word)
    rest = pieces[:-1]
    if letter == "?" and SUFFIXED.fullmatch(word) and not (rank is not None and rank < 1):
        letter, sub = ("M", "kernel") if word[0] == "w" else ("B", "bias")
        if letter == "B" or rank is None or rank > 1:
            return Kind(letter, sub), "_".join([*rest, word[1:]])
        return UNKNOWN, leaf
    statistic = bool(rest) and rest[-1].lower() in STATISTIC
    if letter == "?" or (rest and word in WHOLE_ONLY and not (statistic and letter in "UV")):
        return UNKNOWN, leaf
    if letter == "M" and rank is not None and rank < 2:
        if sub != "weight":
            return UNKNOWN, leaf
        letter = "G"
    if letter in "BGEUV" and rank is not None and rank > 1 and (rest or word != "bias"):
        return UNKNOWN, leaf
    if sub == "embedding" and rest:
        return Kind(letter, sub), leaf
    if statistic:
        rest = rest[:-1]
    marks = "#" if MARK in leaf else ""
    return Kind(letter, sub), "_".join(rest) + marks


def _lookup(word: str) -> tuple[str, str]:
    found = KIND_WORDS.get(word)
    if found is None and len(word) >= 5:
        found = BY_LETTERS.get("".join(sorted(word)))
    if found is None:
        return "?", ""
    return (found[0], "weight") if word in ("weight", "weights") else found


def lettered_leaves(templates: Collection[str]) -> dict[str, tuple[Kind, str]]:
    """Return {template: its kind, the rest of its leaf} where a lone w and b tell one another.

    `ffn_W1` alone could be anything; beside `ffn_b1` it is the kernel of a part `ffn_1`.

    >>> lettered_leaves(["mlp/up_W#", "mlp/up_b#", "mlp/W_x"])["mlp/up_W#"]
    (Kind(letter='M', sub='kernel'), 'up_#')
    >>> lettered_leaves(["cell/W_H", "other/b_H"])
    {}

    So does the first letter where all leaves of a scope come in pairs: `wc1` and `bc1`.
    """
    pairs: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for text in templates:
        path, leaf = _cut(text)
        for found in LONE_LETTER.finditer(leaf):
            rest = leaf[: found.start()] + leaf[found.end() :]
            if rest.strip("_-#"):
                pairs[path, rest].setdefault(found[0].lower(), text)
    for path, leaves in _glued(templates):
        for leaf in leaves:
            pairs[path, leaf[1:]][leaf[0]] = path + leaf
    both = {"w": Kind("M", "kernel"), "b": Kind("B", "bias")}
    return {
        text: (both[letter], rest.strip("_-"))
        for (_, rest), texts in pairs.items()
        if len(texts) == len(both)
        for letter, text in texts.items()
    }


def _glued(templates: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield the scopes of which every leaf begins with `w` or `b`, and goes on as another does."""
    scopes: dict[str, set[str]] = defaultdict(set)
    for text in templates:
        path, leaf = _cut(text)
        scopes[path].add(leaf)
    for path, leaves in scopes.items():
        rests = [{leaf[1:] for leaf in leaves if leaf[:1] == letter} for letter in "wb"]
        paired = rests[0] == rests[1] and len(leaves) == 2 * len(rests[0])
        if paired and len(rests[0]) >= FEWEST_PAIRS and all(r[:1].isalpha() for r in rests[0]):
            yield path, leaves


def _cut(text: str) -> tuple[str, str]:
    at = max(text.rfind("/"), text.rfind(".")) + 1
    return text[:at], text[at:]


def fits_rank(kind: Kind, rank: int | None) -> bool:
    """Whether a tensor of a rank can be of a kind that a lone letter tells."""
    return rank is None or (rank > 1) == (kind.letter == "M")


def settle(kind: Kind, siblings: frozenset[str], in_norm: bool) -> Kind:
    """Read `weight` and `bias` of a norm as its scale and offset."""
    norm = in_norm or "G" in siblings or "V" in siblings
    if kind.letter == "B" and norm and "M" not in siblings:
        return Kind("E", "bias")
    if kind.sub == "weight" and kind.letter == "M" and (in_norm or "V" in siblings):
        return Kind("G", "weight")
    return kind


def kind_agreement(expected: Kind, actual: Kind) -> float | None:
    """Return how well two kinds agree in [0, 1]; None where they exclude each other."""
    if expected.letter == actual.letter:
        open_word = "weight" in (expected.sub, actual.sub)
        return 1.0 if expected.sub == actual.sub or open_word or expected.letter != "M" else 0.93
    if "?" in (expected.letter, actual.letter):
        return 0.85
    pair = {expected.letter, actual.letter}
    if pair == {"B", "E"}:
        return 0.93
    if pair == {"G", "M"} and "weight" in (expected.sub, actual.sub):
        return 0.8
    return None

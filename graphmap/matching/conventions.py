"""Names that frameworks give without a word for what is stored: they get the word that layers use.

Only what a framework does for all models is known here; nothing knows a model.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from graphmap.model.skeletons import DIGIT
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["plain_names"]

# Patterns are compiled when they are needed, which they are in few matches.
# tf.nn.moments gives a mean and a variance; their moving averages bear the names of these ops, in
# the scope where they are made.
MOMENTS = r"(.+)/moments(?:_[0-9]+)?/(Squeeze|Squeeze_1|mean|variance)/ExponentialMovingAverage"
MOVING = {"Squeeze": "mean", "Squeeze_1": "variance"}
FOLDED = r"((?:.*[./])?)(weight|bias)_(ih|hh|hr)(?:_l([0-9]+))?(_reverse)?"
PART = "/part_0"  # of a partitioned variable
COUNT = r"_[0-9]{1,4}(?=/|$)"  # that tells layers of one name apart
NUMBERED = r"(.*/)vars/([0-9]{1,4})"  # of Keras 3, which saves a layer's variables so
# Haiku and Sonnet keep what they average in modules of their own.
AVERAGE = r"(.+?)(?:/~)?/(?:(mean|var)_ema|moving_(mean|variance))/average"
# Tensorpack keeps the moving averages of a norm under the names of what they average.
AVERAGED = r"(.+)/(mean|variance)/EMA"
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
VECTORS = {2: NORM[:2], 4: NORM}  # what a layer of so many equal vectors holds


def plain_names(
    variables: Sequence[Variable], found: Collection[str] | None = None
) -> Sequence[str]:
    """Return the names that layers give.

    Of moving moments of bare ops, of averages kept in modules of their own, of the only part of a
    partitioned variable, of variables that Keras 3 numbers, and of the weights of all layers and
    directions that torch keeps in one module. found: the skeletons of all names, where known.

    >>> def plain(*names): return plain_names([Variable(name) for name in names])
    >>> plain("fc/bn/fc/bn/moments/Squeeze_1/ExponentialMovingAverage", "fc/w/part_0")
    ['fc/bn/moving_variance', 'fc/w']
    >>> plain("w/part_0", "w/part_1"), plain("net/~/bn/~/mean_ema/average")
    (['w/part_0', 'w/part_1'], ['net/~/bn/moving_mean'])
    >>> plain("conv0/bn/variance/EMA"), plain("z/mean", "z/mean/EMA")
    (['conv0/bn/moving_variance'], ['z/mean', 'z/mean/EMA'])
    >>> plain("lstm.weight_hh_l1", "lstm.weight_ih_l0_reverse")
    ['lstm.1.forward.recurrent.weight', 'lstm.0.backward.weight']
    >>> plain_names([Variable("conv/vars/0", (3, 3, 4, 8)), Variable("conv/vars/1", (8,))])
    ['conv/kernel', 'conv/bias']
    >>> plain("a/block/dense/vars/0", "a/block_1/dense/vars/0")
    ['a/block_0/dense/kernel', 'a/block_1/dense/kernel']
    """
    names = [v.name for v in variables]
    # most have none of these, and few texts are soon searched
    text = "\n".join(names if found is None else found)
    if "weight_ih" in text:
        both = any(name.endswith("_reverse") for name in names)
        names = [_unfolded(name, both) for name in names]
    if "/moments" in text:
        names = [_moved(name) if "/moments" in name else name for name in names]
    if "/average" in text:
        names = [_averaged(name) if name.endswith("/average") else name for name in names]
    if "/EMA" in text:
        known = set(names)
        names = [_unmarked(name, known) if name.endswith("/EMA") else name for name in names]
    if "/vars/" in text:
        words = _words_of_numbers(variables)
        counted = _counted_blocks(name for name in names if "/vars/" in name)
        names = [words.get(name, name) for name in names]
        names = [_from_nought(name, counted) for name in names] if counted else names
    if PART in text or PART.replace("0", DIGIT) in text:
        known = set(names)
        names = [
            whole
            if (whole := name.removesuffix(PART)) not in known and f"{whole}/part_1" not in known
            else name
            for name in names
        ]
    return names


def _unfolded(name: str, both: bool) -> str:
    """Return a name of torch's recurrent modules with scopes. both: they run both ways."""
    found = re.fullmatch(FOLDED, name)
    if found is None:
        return name
    head, leaf, part, layer, turned = found.groups()
    path = [layer] if layer else []
    path += ["backward" if turned else "forward"] if both else []
    if leaf == "bias":  # a sum of two; which of them another library keeps, nobody knows
        return head + ".".join([*path, f"bias_{part}"])
    path += {"ih": [], "hh": ["recurrent"], "hr": ["projection"]}[part]
    return head + ".".join([*path, "weight"])


def _moved(name: str) -> str:
    found = re.fullmatch(MOMENTS, name)
    if found is None:
        return name
    parts = found[1].split("/")
    half = len(parts) // 2
    if parts[:half] == parts[half:]:
        parts = parts[:half]
    return "/".join([*parts, f"moving_{MOVING.get(found[2], found[2])}"])


def _averaged(name: str) -> str:
    found = re.fullmatch(AVERAGE, name)
    if found is None:
        return name
    mean = "mean" in (found[2], found[3])
    return f"{found[1]}/moving_{'mean' if mean else 'variance'}"


def _unmarked(name: str, known: Collection[str]) -> str:
    found = re.fullmatch(AVERAGED, name)
    if found is None or name.removesuffix("/EMA") in known:
        return name
    return f"{found[1]}/moving_{found[2]}"


def _words_of_numbers(variables: Sequence[Variable]) -> Mapping[str, str]:
    """Return {numbered name: the same with a word}, of layers whose shapes leave no doubt."""
    layers: dict[str, dict[int, Dims]] = defaultdict(dict)
    for v in variables:
        found = re.fullmatch(NUMBERED, v.name)
        if found is not None:
            layers[found[1]][int(found[2])] = v.shape
    words: dict[str, str] = {}
    for head, shapes in layers.items():
        own = [shapes[number] for number in sorted(shapes)]
        if sorted(shapes) != list(range(len(own))):
            continue
        for number, word in enumerate(_roles(head, own)):
            words[f"{head}vars/{number}"] = head + word
    return words


def _counted_blocks(names: Iterable[str]) -> set[str]:
    """Return the rows that Keras 3 counts, by their first scope: `block` beside `block_1`.

    Without the numbers of the scopes around: what is a row in one of them is one in all. Keras 3
    counts what a list or a model holds, in its order; so that is no counter of a session. Of layers
    without layers of their own it says so only where they are listed.
    """
    scopes = {
        name[:at]
        for name in names
        for at, letter in enumerate(name.partition("/vars/")[0])
        if letter == "/"
    }
    return {_uncounted(scope) for scope in scopes if f"{scope}_1" in scopes}


def _uncounted(scope: str) -> str:
    return re.sub(COUNT, "", scope)


def _from_nought(name: str, counted: Collection[str]) -> str:
    """Return a name in which the first of every row has its number too."""
    parts = name.split("/")
    made = list(parts)
    for at, part in enumerate(parts):
        scope = "/".join(parts[: at + 1])
        if not re.search(COUNT, part) and _uncounted(scope) in counted:
            made[at] = f"{part}_0"
    return "/".join(made)


def _roles(head: str, shapes: Sequence[Dims]) -> Sequence[str]:
    """Return what a layer of these shapes holds, in the order in which Keras makes it."""
    if not any(shapes):
        return _roles_by_class(head, len(shapes))
    if not shapes or any(not shape or None in shape for shape in shapes):
        return ()
    sizes = [tuple(n for n in shape or () if n is not None) for shape in shapes]
    ranks = [len(shape) for shape in sizes]
    if ranks[0] == 1:
        return VECTORS.get(len(sizes), ()) if len(set(sizes)) == 1 else ()
    bias = ("bias",) if len(ranks) > 1 and ranks[-1] < ranks[0] else ()
    matrices = sizes[: len(sizes) - len(bias)]
    if len(matrices) == 1:
        return ("embeddings" if not bias and "embedding" in head else "kernel", *bias)
    if len(matrices) == 2 and ranks[0] == ranks[1] == 2 and sizes[0][1] == sizes[1][1]:
        return ("kernel", "recurrent_kernel", *bias)
    if len(matrices) == 2 and ranks[0] == ranks[1] > 2 and set(sizes[1][:-2]) == {1}:
        return ("depthwise_kernel", "pointwise_kernel", *bias)
    return ()


def _roles_by_class(head: str, count: int) -> Sequence[str]:
    """The same by the class of the layer, which is what Keras calls it, where no shape is known."""
    if "norm" in head:
        return VECTORS.get(count, ())
    if "dense" in head or "conv" in head:
        return ("kernel", "bias")[:count] if count <= 2 else ()
    return ("embeddings",) if "embedding" in head and count == 1 else ()

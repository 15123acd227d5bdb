"""Slots of HDF5 files with `optimizer_weights`: paired by the names that Keras wrote.

Names by version (keras/src/legacy/saving/legacy_h5_format.py, tf_keras hdf5_format.py):
    Keras 3          adam/net_kernel_momentum   of net/kernel, every slash an underscore
    Keras 2.11 on    Adam/m/net/kernel:0, within a wrapper m/net/kernel:0
    optimizer_v2     Adam/net/kernel/m:0, training/Adam/net/kernel/m:0
Before TensorFlow 1.14 slots are numbered (training/Adam/Variable_3:0): order alone tells them.
A name that several weights would fit is told by order: among equal names, slots and weights are
in one order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graphmap.model.graph import Dims
from graphmap.model.stored import StoredTensor

__all__ = ["Named", "is_iterations", "is_rate", "name_of", "pair_named"]

_ITERATIONS = frozenset({"iteration", "iterations", "iter"})
_RATES = frozenset({"learning_rate", "lr", "current_learning_rate"})
_LONGEST = 64  # parts of a name that are tried


class Named(NamedTuple):
    """What a named variable of an optimizer is. primary: key of its weight."""

    key: str
    word: str
    primary: str | None


def name_of(key: str, group: str) -> str:
    """Return the name that `weight_names` gives to a dataset of a group.

    >>> name_of("optimizer_weights/Adam/m/w:0", "optimizer_weights")
    'Adam/m/w'
    """
    return key.removeprefix(f"{group}/").removesuffix(":0")


def pair_named(
    variables: Sequence[tuple[str, StoredTensor]], weights: Sequence[tuple[str, StoredTensor]]
) -> list[Named]:
    """Say of each (name, variable) of an optimizer which weight it is of, and under which word.

    weights: (name, weight) in the model's order. Scalars of no weight have no primary.
    """
    by_name: dict[str, list[StoredTensor]] = defaultdict(list)
    by_flat: dict[str, list[StoredTensor]] = defaultdict(list)
    for name, weight in weights:
        by_name[name].append(weight)
        by_flat[name.replace("/", "_")].append(weight)
    uses: dict[tuple[str, str], int] = defaultdict(int)
    asked: dict[tuple[str, str], int] = defaultdict(int)
    readings = [_reading(name, tensor.shape, by_name, by_flat) for name, tensor in variables]
    for reading in readings:
        if reading is not None:
            asked[reading.name, reading.word] += 1
    found = []
    for (name, tensor), reading in zip(variables, readings, strict=True):
        if reading is None:
            leaf = name.rpartition("/")[2]
            found.append(Named(tensor.key, leaf, None))
            continue
        use = (reading.name, reading.word)
        number = uses[use]
        uses[use] += 1
        primary = None
        if asked[use] == len(reading.weights):
            primary = reading.weights[number]
        elif len(reading.weights) == 1:
            primary = None  # two slots claim one weight
        is_it = primary is not None and _fits(primary, tensor.shape, reading.word)
        found.append(Named(tensor.key, reading.word, primary.key if is_it and primary else None))
    return found


class _Reading(NamedTuple):
    """A name that contains a weight's. weights: all that are called so, in the model's order."""

    name: str
    word: str
    weights: Sequence[StoredTensor]


def _reading(
    name: str,
    shape: Dims,
    by_name: Mapping[str, Sequence[StoredTensor]],
    by_flat: Mapping[str, Sequence[StoredTensor]],
) -> _Reading | None:
    """Return the reading with the longest weight's name."""
    parts = name.split("/")[:_LONGEST]
    for start in range(1, len(parts) - 1):  # optimizer_v2: the word stands last
        inner = "/".join(parts[start:-1])
        if inner in by_name and _has(by_name[inner], shape, parts[-1]):
            return _Reading(inner, parts[-1], by_name[inner])
    for start in range(1, len(parts)):  # Keras 2.11 on: the word stands before
        inner = "/".join(parts[start:])
        if inner in by_name and _has(by_name[inner], shape, parts[start - 1]):
            return _Reading(inner, parts[start - 1], by_name[inner])
    leaf = parts[-1]
    for end in range(len(leaf) - 1, 0, -1):  # Keras 3: one leaf
        flat, word = leaf[:end], leaf[end + 1 :]
        if leaf[end] == "_" and flat in by_flat and _has(by_flat[flat], shape, word):
            return _Reading(flat, word, by_flat[flat])
    return None


def _has(weights: Sequence[StoredTensor], shape: Dims, word: str) -> bool:
    return any(_fits(weight, shape, word) for weight in weights)


def _fits(weight: StoredTensor, shape: Dims, word: str) -> bool:
    """Tell whether a slot has the shape of its weight; Adafactor keeps rows and columns."""
    whole = weight.shape
    if whole is not None and len(whole) > 1 and word in ("r", "c"):
        return shape == (whole[:-1] if word == "r" else (*whole[:-2], whole[-1]))
    return shape == whole


def is_iterations(word: str) -> bool:
    """Tell whether a scalar of this word counts the steps."""
    return word in _ITERATIONS


def is_rate(word: str) -> bool:
    """Tell whether a scalar of this word is the learning rate."""
    return word in _RATES

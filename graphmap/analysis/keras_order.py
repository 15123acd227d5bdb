"""The trained weights of a Keras archive in the order of `model.trainable_variables`.

A group of the file is a layer. Keras walks the layers of a Functional or Sequential model as its
config lists them, and a layer's own variables with the trained ones in front; inside a layer of
several parts it walks attributes by name, where the order that counts is that of creation. Parts
whose order is not known share a block, and within one only shapes can tell them apart.

Sources: keras/src/saving/saving_lib.py (_walk_saveable, _save_container_state),
keras/src/layers/layer.py (save_own_variables, trainable_variables).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphmap.analysis.saved_order import saved_order
from graphmap.model.meta import KerasFile
from graphmap.model.stored import StoredTensor

__all__ = ["TrainedWeight", "is_of_optimizer", "trained_weights"]

_DEPTH_LIMIT = 32  # models within models
_VARIABLE = re.compile(r"(.*?)/?vars/(\d+)")
# parts of built-in layers in the order of their creation; a single part needs no entry
_PARTS = {
    "Bidirectional": ("forward_layer", "backward_layer"),
    "MultiHeadAttention": ("query_dense", "key_dense", "gate_dense", "value_dense", "output_dense"),
    "GroupQueryAttention": (
        "query_dense", "key_dense", "gate_dense", "value_dense", "output_dense"
    ),
}  # fmt: skip
# variables at a layer's end that are never trained
_UNTRAINED = {"BatchNormalization": 2, "SyncBatchNormalization": 2, "Normalization": 3}


class TrainedWeight(NamedTuple):
    """A weight that may be trained. block: weights of one block are in no known order.

    block 0 and below: in order by themselves.
    """

    tensor: StoredTensor
    block: int = 0


class _Groups:
    """The groups of a file: own variables by number, and the groups right below."""

    def __init__(self, tensors: Sequence[StoredTensor], facts: KerasFile) -> None:
        self.own: dict[str, list[StoredTensor]] = {}
        self.below: dict[str, list[str]] = {}
        self.facts = facts
        self.frozen_too = False
        numbered = sorted(
            (match[1], int(match[2]), tensor)
            for tensor in tensors
            if (match := _VARIABLE.fullmatch(tensor.key)) and not is_of_optimizer(tensor.key)
        )
        for group, _, tensor in numbered:
            self.own.setdefault(group, []).append(tensor)
        paths = {group for group in self.own if group}
        for path in sorted(paths):
            while path:
                parent = path.rpartition("/")[0]
                siblings = self.below.setdefault(parent, [])
                if path in siblings:
                    break
                siblings.append(path)
                path = parent
        for siblings in self.below.values():
            siblings.sort()


def is_of_optimizer(key: str) -> bool:
    """Tell whether a dataset belongs to an optimizer or a metric and not to a layer."""
    head = key.partition("/")[0]
    return head in ("metrics", "_metrics", "compile_metrics", "_compile_metrics") or (
        head.endswith("optimizer")
    )


def trained_weights(
    tensors: Sequence[StoredTensor], facts: KerasFile, frozen_too: bool = False
) -> list[TrainedWeight]:
    """Return what may be trained, in order; weights without a known order share a block.

    frozen_too: also layers that the config calls not trainable; they may have been, before.
    """
    groups = _Groups(tensors, facts)
    groups.frozen_too = frozen_too
    found: list[TrainedWeight] = []
    numbers = iter(range(1, 1 << 30))
    for tensor, block in _model(facts.config or {}, "", groups, numbers, 0):
        if (tensor.dtype or "").startswith(("float", "bfloat")):
            found.append(TrainedWeight(tensor, block))
    return found


def _model(
    config: Mapping[str, Any], path: str, groups: _Groups, numbers: Iterator[int], depth: int
) -> Iterator[tuple[StoredTensor, int]]:
    """Yield the variables of a model or layer that may be trained, with their block."""
    inner = config.get("config")
    inner = inner if isinstance(inner, dict) else {}
    if depth > _DEPTH_LIMIT or (inner.get("trainable") is False and not groups.frozen_too):
        return
    layers = inner.get("layers")
    container = f"{path}/layers" if path else "layers"
    if isinstance(layers, list) and container in groups.below:
        yield from ((tensor, 0) for tensor in groups.own.get(path, ()))
        for layer, group in _layers(layers, container, groups):
            yield from _model(layer, group, groups, numbers, depth + 1)
    elif not config and path == "" and set(groups.below.get("", ())) == {container}:
        yield from _as_written(container, groups, numbers)
    else:
        yield from _layer(config, inner, path, groups, numbers, depth)


def _layer(
    config: Mapping[str, Any],
    inner: Mapping[str, Any],
    path: str,
    groups: _Groups,
    numbers: Iterator[int],
    depth: int,
) -> Iterator[tuple[StoredTensor, int]]:
    kind = _class_name(config)
    own = groups.own.get(path, [])
    yield from ((tensor, 0) for tensor in own[: len(own) - _UNTRAINED.get(kind, 0)])
    parts = groups.below.get(path, [])
    wrapped = inner.get("layer")
    wrapped = wrapped if isinstance(wrapped, dict) else {}
    order = _PARTS.get(kind)
    names = [part.rpartition("/")[2].removeprefix("_") for part in parts]
    if order is not None and set(names) <= set(order):
        parts = [part for _, part in sorted(zip(map(order.index, names), parts, strict=True))]
    elif len(parts) > 1:
        block = next(numbers)
        for tensor in _all_below(path, groups):
            yield tensor, block
        return
    for part in parts:
        yield from _model(wrapped, part, groups, numbers, depth + 1)


def _all_below(path: str, groups: _Groups) -> Iterator[StoredTensor]:
    stack = list(groups.below.get(path, ()))
    while stack:
        group = stack.pop()
        yield from groups.own.get(group, ())
        stack += groups.below.get(group, ())


def _layers(
    layers: Sequence[Any], container: str, groups: _Groups
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield (config, group) of each layer that has variables, in the order of the config.

    By the name that the group carries, else by class and count, as Keras makes the group's name.
    """
    present = set(groups.below.get(container, ()))
    named = {groups.facts.layer_names.get(group): group for group in present}
    uses: Counter[str] = Counter()
    for layer in layers:
        if not isinstance(layer, dict):
            continue
        inner = layer.get("config")
        name = layer.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        word = _snake_case(_class_name(layer))
        count = uses[word]
        uses[word] += 1
        group = named.get(name) if isinstance(name, str) else None
        if group is None and not groups.facts.layer_names:
            group = f"{container}/{word}_{count}" if count else f"{container}/{word}"
        if group in present:
            yield layer, group


def _as_written(
    container: str, groups: _Groups, numbers: Iterator[int]
) -> Iterator[tuple[StoredTensor, int]]:
    """Yield the variables of a model without a config in the order in which they were saved."""
    layers = groups.below.get(container, [])
    keys = {layer: [one.key for one in _with_below(layer, groups)] for layer in layers}
    order = saved_order(keys, groups.facts.written)
    block = 0 if order is not None else next(numbers)
    for path in order if order is not None else layers:
        nested = f"{path}/layers"
        if order is None:
            yield from ((tensor, block) for tensor in _with_below(path, groups))
        elif nested in groups.below:
            yield from _as_written(nested, groups, numbers)
        else:
            yield from _layer({"class_name": _class_of_group(path)}, {}, path, groups, numbers, 0)


def _with_below(path: str, groups: _Groups) -> list[StoredTensor]:
    return [*groups.own.get(path, ()), *_all_below(path, groups)]


def _class_of_group(path: str) -> str:
    """Return the built-in class whose group name this is, as far as it matters here."""
    word = re.sub(r"_\d+$", "", path.rpartition("/")[2])
    known = {_snake_case(name): name for name in (*_PARTS, *_UNTRAINED)}
    return known.get(word, "")


def _class_name(config: Mapping[str, Any]) -> str:
    name = config.get("class_name")
    return name.rpartition(">")[2] if isinstance(name, str) else ""


def _snake_case(name: str) -> str:
    """Return a class name as Keras writes a group's (keras/src/utils/naming.py).

    >>> _snake_case("BatchNormalization"), _snake_case("Conv2DTranspose"), _snake_case("LSTM")
    ('batch_normalization', 'conv2d_transpose', 'lstm')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()

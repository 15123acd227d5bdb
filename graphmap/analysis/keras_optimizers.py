"""Optimizers in files of Keras: `.keras`, `.weights.h5`, and `.h5` with `optimizer_weights`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphmap.analysis.keras_layouts import KIND_OF_NAME, KINDS
from graphmap.analysis.keras_names import is_iterations, is_rate, name_of, pair_named
from graphmap.analysis.keras_order import TrainedWeight, is_of_optimizer, trained_weights
from graphmap.analysis.keras_positions import pair_numbered
from graphmap.model.meta import KerasFile
from graphmap.model.optimizer_state import StoredOptimizer, StoredSlot
from graphmap.model.stored import StoredModel, StoredTensor
from graphmap.model.variable import Basis

__all__ = ["file_optimizers", "library_of", "told_class"]

_NAMED = "optimizer_weights"
_NUMBERED = re.compile(r"((?:.*/)?[^/]*optimizer)/vars/(\d+)")
_WRAPPERS = frozenset({"LossScaleOptimizer", "LossScaleOptimizerV3"})
_INNER = ("inner_optimizer", "optimizer")


def file_optimizers(stored: StoredModel) -> tuple[StoredOptimizer, ...]:
    """Return every optimizer of a Keras file."""
    facts = stored.keras or KerasFile()
    named = [tensor for tensor in stored.tensors if tensor.key.startswith(f"{_NAMED}/")]
    if named:
        return (_named(named, stored, facts),)
    groups: dict[str, list[tuple[int, StoredTensor]]] = {}
    for tensor in stored.tensors:
        match = _NUMBERED.fullmatch(tensor.key)
        if match is not None and is_of_optimizer(tensor.key):
            groups.setdefault(match[1], []).append((int(match[2]), tensor))
    return tuple(
        _numbered(path, [tensor for _, tensor in sorted(found)], groups, stored, facts)
        for path, found in sorted(groups.items())
        if not _is_wrapper(path, groups)
    )


def library_of(facts: KerasFile) -> str | None:
    """Return which Keras wrote a file: "keras 3", "keras 2", "keras 2 legacy", or None."""
    if facts.version is not None:
        return _by_version(facts)
    if facts.layer_names:
        return "keras 3"  # which alone names the groups
    return None


def _by_version(facts: KerasFile) -> str | None:
    version = facts.version or ""
    major, _, rest = version.partition(".")
    if major == "3":
        return "keras 3"
    if major not in ("1", "2"):
        return None
    minor = re.match(r"\d+", rest)
    config = told_class(facts)[1] or {}
    told = config.get("is_legacy_optimizer")  # what Keras 2.11 and later always say of new ones
    is_old = major == "1" or (minor is not None and int(minor[0]) < 11)
    is_legacy = told is True or (told is None and (is_old or bool(config)))
    return "keras 2 legacy" if is_legacy else "keras 2"


def told_class(facts: KerasFile) -> tuple[str | None, Mapping[str, Any] | None, str | None]:
    """Return (class, options, wrapper's class) as the file's config tells them."""
    described: Mapping[str, Any] | None = facts.optimizer
    wrapper = None
    while described is not None:
        name = str(described.get("class_name")).rpartition(">")[2]
        options = described.get("config")
        inner = (
            next((options[k] for k in _INNER if isinstance(options.get(k), dict)), None)
            if (isinstance(options, dict))
            else None
        )
        if name not in _WRAPPERS or inner is None or wrapper is not None:
            return name, options if isinstance(options, dict) else None, wrapper
        wrapper, described = name, inner
    return None, None, None


def _is_wrapper(path: str, groups: Mapping[str, Any]) -> bool:
    return any(f"{path}/{inner}" in groups for inner in ("inner_optimizer", "_optimizer"))


def _numbered(
    path: str,
    variables: Sequence[StoredTensor],
    groups: Mapping[str, Sequence[tuple[int, StoredTensor]]],
    stored: StoredModel,
    facts: KerasFile,
) -> StoredOptimizer:
    library = library_of(facts)
    kind, options, wrapper = told_class(facts)
    basis: Basis = "confirmed"
    if kind is None:
        named = facts.layer_names.get(path, "")
        kind, basis = KIND_OF_NAME.get(re.sub(r"_\d+$", "", named)), "inferred"
    weights = trained_weights(stored.tensors, facts)
    found = pair_numbered(variables, weights, library, kind, options)
    if found.unpaired:
        weights = trained_weights(stored.tensors, facts, frozen_too=True)
        other = pair_numbered(variables, weights, library, kind, options)
        if not other.unpaired:
            note = "the optimizer keeps slots of layers that the config calls not trainable"
            found = other._replace(notes=(*other.notes, note))
    if kind is None and len(found.kinds) == 1:
        (kind,) = found.kinds
    scalars = dict(found.scalars)
    outer = [tensor for _, tensor in sorted(groups.get(path.rpartition("/")[0], ()))]
    own = len(outer) - len(variables)  # of the wrapper; then come those of the inner one again
    if wrapper is None and own == len(_SCALE_WORDS) and path.endswith("/inner_optimizer"):
        # `compile` under mixed_float16 wraps by itself, and the config has what it was given
        wrapper = "LossScaleOptimizer"
    copies = {}
    for number, tensor in enumerate(outer):
        if number >= own >= 0 and tensor.shape == variables[number - own].shape:
            copies[tensor.key] = variables[number - own].key
        else:
            scalars[_wrapper_word(number)] = tensor.key
    return StoredOptimizer(
        name=path,
        library=library,
        kind=kind,
        kind_basis=basis if kind is not None else "unknown",
        options=options,
        iterations=found.iterations,
        learning_rate=found.learning_rate,
        scalars=scalars,
        slots=found.slots,
        weights=tuple(key or "" for key in found.weights),
        unpaired=found.unpaired,
        notes=found.notes,
        wrapper=wrapper,
        copies=copies,
    )


_SCALE_WORDS = ("outer_iteration", "outer_learning_rate", "step_counter", "dynamic_scale")


def _wrapper_word(number: int) -> str:
    """Name the variables of Keras 3's LossScaleOptimizer, by their order of creation."""
    return _SCALE_WORDS[number] if number < len(_SCALE_WORDS) else f"variable_{number}"


def _by_order(
    variables: Sequence[StoredTensor],
    weights: Sequence[TrainedWeight],
    kind: str | None,
    options: Mapping[str, Any] | None,
) -> tuple[list[StoredSlot], list[str]]:
    """Pair the numbered slots of Keras up to 2.2: words in blocks; returns the rest too.

    Its SGD has slots in any case. Its Adam ends with a placeholder of shape [1] for each weight
    (keras/optimizers.py of 2.2: `self.weights = [self.iterations] + ms + vs + vhats`).
    """
    if kind is None:
        return [], []
    told = {**(options or {}), **({"momentum": 1.0} if kind == "SGD" else {})}
    slots = [tensor for tensor in variables if tensor.shape != ()]
    holders = len(slots) // 3
    if kind == "Adam" and holders and all(one.shape == (1,) for one in slots[-holders:]):
        placeholders = slots[-holders:]
        found = pair_numbered(slots[:-holders], weights, "keras 2 legacy", kind, told)
        if not found.unpaired and len(found.weights) == holders:
            return list(found.slots), [tensor.key for tensor in placeholders]
    found = pair_numbered(slots, weights, "keras 2 legacy", kind, told)
    return ([], []) if found.unpaired else (list(found.slots), [])


def _named(
    variables: Sequence[StoredTensor], stored: StoredModel, facts: KerasFile
) -> StoredOptimizer:
    by_key = {tensor.key: tensor for tensor in stored.tensors}
    listed = facts.weight_lists.get(_NAMED) or tuple(tensor.key for tensor in variables)
    ordered = [(name_of(key, _NAMED), by_key[key]) for key in listed if key in by_key]
    groups = facts.layers or tuple(sorted(facts.weight_lists))
    weights = [
        (name_of(key, group), by_key[key])
        for group in dict.fromkeys((*groups, "model_weights/top_level_model_weights"))
        if group != _NAMED
        for key in facts.weight_lists.get(group, ())
        if key in by_key
    ]
    kind, options, wrapper = told_class(facts)
    library = library_of(facts)
    slots: list[StoredSlot] = []
    unpaired: list[str] = []
    scalars: dict[str, str] = {}
    iterations = rate = None
    for (_, tensor), row in zip(ordered, pair_named(ordered, weights), strict=True):
        if row.primary is not None:
            slots.append(StoredSlot(row.key, row.primary, row.word, None, "inferred"))
        elif tensor.shape != ():
            unpaired.append(row.key)
        elif is_iterations(row.word):  # of a wrapper first, whose own ones count nothing
            if iterations is not None:
                scalars[f"outer_{row.word}"] = iterations
            iterations = row.key
        elif is_rate(row.word):
            if rate is not None:
                scalars[f"outer_{row.word}"] = rate
            rate = row.key
        else:
            scalars[row.word] = row.key
    if unpaired and not slots:  # before TensorFlow 1.14: training/Adam/Variable_3
        trained = [TrainedWeight(tensor) for _, tensor in weights]
        slots, rest = _by_order([tensor for _, tensor in ordered], trained, kind, options)
        unpaired = rest if slots else unpaired
    order = dict.fromkeys(slot.primary or "" for slot in slots)
    places = {key: at for at, key in enumerate(order)}
    slots = [slot._replace(position=places[slot.primary or ""]) for slot in slots]
    heads = {name.partition("/")[0] for name, _ in ordered if "/" in name}
    guessed = heads.pop() if len(heads) == 1 else ""
    notes = [f"{len(unpaired)} variables name no weight of the file"] if unpaired else []
    told = guessed if guessed in KINDS else KIND_OF_NAME.get(guessed)
    return StoredOptimizer(
        name=_NAMED,
        library=library,
        kind=kind or told,
        kind_basis="confirmed" if kind else "inferred" if told else "unknown",
        options=options,
        iterations=iterations,
        learning_rate=rate,
        scalars=scalars,
        slots=tuple(slots),
        weights=tuple(order),
        unpaired=tuple(unpaired),
        notes=tuple(notes),
        wrapper=wrapper,
    )

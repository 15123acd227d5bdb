"""Roles of variables as an object graph tells them, or the layout of a Keras file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphmap.analysis.object_optimizers import object_paths
from graphmap.analysis.optimizer_states import find_optimizers
from graphmap.analysis.slot_names import RoleTriple, role
from graphmap.model.meta import KerasFile
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Basis

__all__ = ["StateRoles", "state_roles"]

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_METRICS = frozenset({"metrics", "_metrics", "_compile_metrics", "compiled_metrics"})
_SEEDS = "seed_generator"  # what Keras 3 calls the state of random layers
_COUNTER = "save_counter"  # of tf.train.Checkpoint

Told = dict[str, tuple[RoleTriple, Basis]]


class StateRoles(NamedTuple):
    """told: the role of variables by name, and how it is known.

    weights: how it is known that a variable is one of the model's, for those that no name tells
    to be anything else.
    """

    told: Told
    weights: dict[str, Basis]


def state_roles(stored: StoredModel) -> StateRoles:
    """Return what is told about the variables of an object checkpoint or a Keras file."""
    names = {tensor.key: tensor.name for tensor in stored.tensors}
    told: Told = {}
    weights: dict[str, Basis] = {}
    if stored.objects:
        _of_objects(stored, names, told, weights)
    elif stored.keras is not None:
        _of_file(stored, stored.keras, told, weights)
    structural: Basis = "confirmed" if stored.objects else "inferred"
    for optimizer in find_optimizers(stored):
        for key, known in _of_optimizer(optimizer, names, structural):
            if key in names:
                told[names[key]] = known
        for copy, key in optimizer.copies.items():
            if copy in names and names.get(key) in told:
                told[names[copy]] = told[names[key]]
    return StateRoles(told, weights)


def _of_optimizer(
    optimizer: StoredOptimizer, names: dict[str, str], structural: Basis
) -> Iterator[tuple[str, tuple[RoleTriple, Basis]]]:
    """Yield (key, role) of each variable of an optimizer."""
    for key in optimizer.scalars.values():
        yield key, (role("optimizer"), structural)
    if optimizer.learning_rate is not None:
        yield optimizer.learning_rate, (role("optimizer"), structural)
    if optimizer.iterations is not None:
        yield optimizer.iterations, (role("step"), structural)
    for key in optimizer.unpaired:
        yield key, (role("slot"), "unknown")
    for slot in optimizer.slots:
        primary = names.get(slot.primary) if slot.primary is not None else None
        basis: Basis = slot.basis if primary is not None else "unknown"
        if slot.is_shadow:
            yield slot.key, (role("shadow", primary), basis)
        else:
            yield slot.key, (role("slot", primary, slot.word), basis)


def _of_objects(
    stored: StoredModel, names: dict[str, str], told: Told, weights: dict[str, Basis]
) -> None:
    told[_OBJECT_GRAPH] = role("other"), "confirmed"
    for node, path in zip(stored.objects, object_paths(stored.objects), strict=True):
        name = names.get(node.key) if node.key is not None else None
        if name is None:
            continue
        if path == _COUNTER:
            told[name] = role("step"), "confirmed"
        elif path is not None and not _METRICS.isdisjoint(path.split("/")):
            told[name] = role("other"), "confirmed"
        else:
            weights[name] = "confirmed"


def _of_file(stored: StoredModel, facts: KerasFile, told: Told, weights: dict[str, Basis]) -> None:
    listed = {key for keys in facts.weight_lists.values() for key in keys}
    for tensor in stored.tensors:
        parts = tensor.key.split("/")
        if parts[0] in _METRICS or (len(parts) > 2 and parts[-3].startswith(_SEEDS)):
            told[tensor.name] = role("other"), "inferred"
        else:
            weights[tensor.name] = "confirmed" if tensor.key in listed else "inferred"

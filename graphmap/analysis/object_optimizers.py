"""Optimizers in the object graph of tf.train.Checkpoint and TF2 SavedModels.

Layouts: of Keras 3 and of Keras 2 from 2.11, `_variables` beside one list for each kind of slot
(`_momentums`, `_velocities` ...), in which the i-th is of the i-th trained weight. Keras 3 names
the weights too, `_trainable_variables`; Keras 2 does not, and only full names tell them.
optimizer_v2 (legacy): SlotVariableReference, which names both ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graphmap.analysis.keras_layouts import KIND_OF_NAME, KINDS
from graphmap.analysis.keras_order import TrainedWeight
from graphmap.analysis.keras_positions import pair_numbered
from graphmap.model.meta import ObjectNode
from graphmap.model.optimizer_state import StoredOptimizer, StoredSlot
from graphmap.model.stored import StoredModel, StoredTensor
from graphmap.model.variable import Basis

__all__ = ["object_optimizers", "object_paths"]

_LISTS_OF_ALL = frozenset({"_variables", "_trainable_variables"})
_ITERATIONS = ("_iterations", "iter")
_RATES = ("_learning_rate", "learning_rate")
_INNER = ("inner_optimizer", "_optimizer", "base_optimizer")  # what a wrapper calls the real one
_OUTER_HEADS = frozenset({"iterations", "learning_rate"})
# what Keras calls the members of a list, where no full name tells
_WORDS = {
    "_momentums": "momentum", "momentums": "momentum", "_velocities": "velocity",
    "adam_velocities": "velocity", "_velocity_hats": "velocity_hat",
    "_average_gradients": "average_gradient", "_accumulators": "accumulator",
    "_accumulated_grads": "accumulated_grad", "_accumulated_delta_vars": "accumulated_delta_var",
    "_linears": "linear", "_accumulated_gradients": "gradient_accumulator",
    "_model_variables_moving_average": "average",
}  # fmt: skip


class _Owner(NamedTuple):
    """A node that is an optimizer, with its children by name."""

    number: int
    path: str
    children: Mapping[str, int]


def object_paths(nodes: Sequence[ObjectNode]) -> list[str | None]:
    """Return the shortest path of attribute names to each node; "" for the root, None for none."""
    paths: list[str | None] = [None] * len(nodes)
    if nodes:
        paths[0] = ""
    queue = [0] if nodes else []
    for number in queue:  # grows while it is walked
        for name, child in nodes[number].children:
            if 0 <= child < len(nodes) and paths[child] is None:
                paths[child] = f"{paths[number]}/{name}" if paths[number] else name
                queue.append(child)
    return paths


def object_optimizers(stored: StoredModel) -> tuple[StoredOptimizer, ...]:
    """Return every optimizer of the object graph, in the order of its nodes."""
    nodes = stored.objects
    tensors = {tensor.key: tensor for tensor in stored.tensors}
    owners = {pair.owner for pair in stored.slot_variables}
    paths = object_paths(nodes)
    found: dict[int, StoredOptimizer] = {}
    inner: dict[int, int] = {}
    for number, node in enumerate(nodes):
        children = {name: child for name, child in node.children if 0 <= child < len(nodes)}
        owner = _Owner(number, paths[number] or "", children)
        if "_variables" in children and "_iterations" in children:
            found[number] = _modern(owner, nodes, tensors)
        elif number in owners or ("iter" in children and nodes[children["iter"]].key):
            found[number] = _legacy(owner, nodes, stored)
        inner.update((number, children[name]) for name in _INNER if name in children)
    for outer, wrapped in inner.items():
        if wrapped in found and wrapped != outer:
            found[wrapped] = _merged(found.pop(outer, None), outer, found[wrapped], nodes)
    return tuple(found.values())


def _merged(
    outer: StoredOptimizer | None,
    number: int,
    inner: StoredOptimizer,
    nodes: Sequence[ObjectNode],
) -> StoredOptimizer:
    """Return a wrapped optimizer with the scalars of its wrapper."""
    scalars = {
        name.lstrip("_"): key
        for name, child in nodes[number].children
        if 0 <= child < len(nodes) and (key := nodes[child].key)
    }
    if outer is not None:
        scalars |= outer.scalars
        scalars = {word: key for word, key in scalars.items() if word not in _OUTER_HEADS}
        heads = {"outer_iteration": outer.iterations, "outer_learning_rate": outer.learning_rate}
        scalars |= {word: key for word, key in heads.items() if key is not None}
    own = {inner.iterations, inner.learning_rate, *inner.scalars.values()}
    scalars = {word: key for word, key in scalars.items() if key not in own}
    is_scaled = any("scale" in word for word in scalars)
    return inner._replace(
        scalars={**inner.scalars, **scalars}, wrapper="LossScaleOptimizer" if is_scaled else None
    )


def _members(nodes: Sequence[ObjectNode], number: int) -> list[int]:
    """Return the nodes of a list, by their number; [] where a node is no list."""
    numbered = [(int(name), child) for name, child in nodes[number].children if name.isdecimal()]
    if len(numbered) != len(nodes[number].children):
        return []
    return [child for _, child in sorted(numbered) if 0 <= child < len(nodes)]


def _modern(
    owner: _Owner, nodes: Sequence[ObjectNode], tensors: Mapping[str, StoredTensor]
) -> StoredOptimizer:
    children = owner.children
    own = _members(nodes, children["_variables"])
    weights = _members(nodes, children.get("_trainable_variables", owner.number))
    is_keras_3 = "_trainable_variables" in children
    by_full_name = _unique_full_names(nodes, set(own))
    slots: list[StoredSlot] = []
    taken: set[int] = set()
    first_names: list[str] = []
    for attribute, number in sorted(children.items()):
        if attribute in _LISTS_OF_ALL:
            continue
        for at, child in enumerate(_members(nodes, number)):
            slot = nodes[child]
            if child not in own or slot.key is None or child in taken:
                continue
            primary, basis = _primary(at, slot, nodes, weights, by_full_name)
            word = _word(attribute, slot, nodes[primary] if primary is not None else None)
            taken.add(child)
            first_names.append(_class_word(slot.full_name, is_keras_3))
            key = nodes[primary].key if primary is not None else None
            slots.append(StoredSlot(slot.key, key, word, at, basis, attribute))
    order = {slot.position: slot.primary for slot in slots if slot.primary}
    slots = [_at_its_position(slot, order) for slot in slots]
    scalars = {
        name.lstrip("_"): key
        for name, number in sorted(children.items())
        if name not in (*_ITERATIONS, *_RATES) and (key := nodes[number].key)
    }
    iterations, rate = nodes[children["_iterations"]].key, _rate(children, nodes)
    known = {iterations, rate, *scalars.values(), *(slot.key for slot in slots)}
    unpaired = tuple(key for child in own if (key := nodes[child].key) and key not in known)
    kind = _kind(
        first_names or [_class_word(nodes[n].full_name, is_keras_3) for n in own], ObjectNode()
    )
    if unpaired and not slots:  # lists that Keras filled too late to be tracked
        return _by_order(owner, nodes, own, weights, kind, tensors)
    count = 1 + max((slot.position or 0 for slot in slots), default=-1)
    return StoredOptimizer(
        name=owner.path,
        library="keras 3" if is_keras_3 else "keras 2",
        kind=kind,
        kind_basis="inferred" if kind else "unknown",
        options=None,
        iterations=iterations,
        learning_rate=rate,
        scalars=scalars,
        slots=tuple(slots),
        weights=tuple(order.get(at) or "" for at in range(count)),
        unpaired=unpaired,
    )


def _by_order(
    owner: _Owner,
    nodes: Sequence[ObjectNode],
    own: Sequence[int],
    weights: Sequence[int],
    kind: str | None,
    tensors: Mapping[str, StoredTensor],
) -> StoredOptimizer:
    """Pair the variables of Keras 3 by their order alone."""
    keys = [key for number in own if (key := nodes[number].key) and key in tensors]
    trained = [key for number in weights if (key := nodes[number].key) and key in tensors]
    found = pair_numbered(
        [tensors[key] for key in keys],
        [TrainedWeight(tensors[key]) for key in trained],
        "keras 3",
        kind,
        None,
    )
    return StoredOptimizer(
        name=owner.path,
        library="keras 3",
        kind=kind,
        kind_basis="inferred" if kind else "unknown",
        options=None,
        iterations=found.iterations,
        learning_rate=found.learning_rate,
        scalars=found.scalars,
        slots=found.slots,
        weights=tuple(key or "" for key in found.weights),
        unpaired=found.unpaired,
        notes=found.notes,
    )


def _at_its_position(slot: StoredSlot, order: Mapping[int | None, str | None]) -> StoredSlot:
    """Give a slot without a weight that of the other lists at its position."""
    if slot.primary is not None or slot.position not in order:
        return slot
    return slot._replace(primary=order[slot.position], basis="inferred")


def _primary(
    at: int,
    slot: ObjectNode,
    nodes: Sequence[ObjectNode],
    weights: Sequence[int],
    by_full_name: Mapping[str, int],
) -> tuple[int | None, Basis]:
    """Return the node of the weight at a position, and how it is known."""
    if at < len(weights) and nodes[weights[at]].key:
        return weights[at], "confirmed"
    name = slot.full_name
    while "/" in name:  # Adam/m/net/kernel: without the class, without the word
        name = name.partition("/")[2]
        if name in by_full_name:
            return by_full_name[name], "inferred"
    return None, "unknown"


def _unique_full_names(nodes: Sequence[ObjectNode], own: set[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    twice: set[str] = set()
    keys: dict[str, str | None] = {}
    for number, node in enumerate(nodes):
        if node.full_name and node.key and number not in own:
            if keys.get(node.full_name, node.key) != node.key:
                twice.add(node.full_name)
            keys[node.full_name] = node.key
            found.setdefault(node.full_name, number)
    return {name: number for name, number in found.items() if name not in twice}


def _word(attribute: str, slot: ObjectNode, primary: ObjectNode | None) -> str:
    """Return the file's own word, from the full name; else what Keras calls the list's members."""
    if primary is not None and primary.full_name:
        if slot.full_name.endswith(f"/{primary.full_name}"):
            return slot.full_name.removesuffix(f"/{primary.full_name}").rpartition("/")[2]
        flat = primary.full_name.replace("/", "_") + "_"
        leaf = slot.full_name.rpartition("/")[2]
        if leaf.startswith(flat):
            return leaf.removeprefix(flat)
    return _WORDS.get(attribute, attribute.strip("_"))


def _legacy(owner: _Owner, nodes: Sequence[ObjectNode], stored: StoredModel) -> StoredOptimizer:
    full_names = {node.key: node.full_name for node in nodes if node.key}
    slots = tuple(
        StoredSlot(pair.slot_key, pair.primary_key, pair.slot, None, "confirmed")
        for pair in stored.slot_variables
        if pair.owner == owner.number
    )
    scalars = {
        name: key
        for name, number in sorted(owner.children.items())
        if name not in (*_ITERATIONS, *_RATES) and (key := nodes[number].key)
    }
    names = [full_names.get(slot.key, "").partition("/")[0] for slot in slots]
    iteration = nodes[owner.children["iter"]] if "iter" in owner.children else ObjectNode()
    kind = _kind(names, iteration)
    return StoredOptimizer(
        name=owner.path,
        library="keras 2 legacy",
        kind=kind,
        kind_basis="inferred" if kind else "unknown",
        options=None,
        iterations=iteration.key,
        learning_rate=_rate(owner.children, nodes),
        scalars=scalars,
        slots=slots,
        weights=tuple(dict.fromkeys(slot.primary for slot in slots if slot.primary)),
    )


def _rate(children: Mapping[str, int], nodes: Sequence[ObjectNode]) -> str | None:
    return next((nodes[children[name]].key for name in _RATES if name in children), None)


def _class_word(full_name: str, is_keras_3: bool) -> str:
    """Return where a slot's name has the optimizer's: before the leaf in Keras 3, else in front."""
    if is_keras_3:  # within a wrapper every variable gets a scope of its own: adam, adam_1 ...
        return re.sub(r"_\d+$", "", full_name.rpartition("/")[0].rpartition("/")[2])
    return full_name.partition("/")[0]


def _kind(names: Sequence[str], iterations: ObjectNode) -> str | None:
    """Return the class that an optimizer's default name means, where all its variables say so."""
    heads = {name for name in names if name} or {iterations.full_name.partition("/")[0]}
    if len(heads) != 1:
        return None
    head = heads.pop()
    return head if head in KINDS else KIND_OF_NAME.get(head.lower())

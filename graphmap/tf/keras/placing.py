"""Which stored value each variable of a Keras optimizer gets, by what the container tells.

Numbered and listed variables (`.keras`, `.weights.h5`, h5): a scratch optimizer over dummies in the
order of training says what the i-th variable is. Object graphs: edges have the attributes' names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphmap.errors import ReconstructionError
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.building import build_scratch
from graphmap.tf.keras.live import LiveModel, LiveWeight
from graphmap.tf.keras.slots import SLOTS, Address, inner_optimizers, variables_of
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.runtime import tensorflow

__all__ = ["place_by_edges", "place_by_numbers"]

_NUMBERED = re.compile(r"((?:.*/)?[^/]*optimizer)/vars/(\d+)")
_LISTED = "optimizer_weights"
_REPEATING = frozenset({"_variables", "_trainable_variables", "_index_dict"})
_DELEGATING = ("_optimizer", "base_optimizer")  # tf_keras' wrapper saves the inner one's edges


def place_by_numbers(
    optimizer: Any, live: LiveModel, stored: StoredFile, order: Sequence[LiveWeight]
) -> dict[Address, str]:
    """Return {address in the model's order: key} for variables that a file only counts.

    optimizer: what the state is for; `order`: its weights in the order of training.
    Raises ReconstructionError where the file has another number of them than the class keeps.
    """
    return _numbered(optimizer, live, stored, order, _groups(stored), variables_of)


def _numbered(
    optimizer: Any,
    live: LiveModel,
    stored: StoredFile,
    order: Sequence[LiveWeight],
    groups: Mapping[tuple[str, ...], Sequence[str]],
    listed: Callable[[Any], Sequence[Any]],
) -> dict[Address, str]:
    """Lay the variables of a scratch optimizer beside the stored ones, group by group.

    groups: {attributes below the outermost optimizer: keys in order}. listed: what a group counts.
    """
    scratch, held, _ = build_scratch(optimizer, order, live.flavour)
    names = {id(variable): address for address, variable in held.items()}
    places = {weight: at for at, weight in enumerate(live.trainable)}
    found: dict[Address, str] = {}
    for path, keys in sorted(groups.items(), reverse=True):
        owner = _follow(scratch, path)
        if owner is None:
            continue
        variables = listed(owner)
        if len(variables) != len(keys):
            raise _another_count(optimizer, stored, len(variables), len(keys))
        for variable, key in zip(variables, keys, strict=True):
            _check_shape(variable, key, stored, optimizer)
            address = names.get(id(variable))
            if address is None:
                raise _unknown_variable(optimizer, variable, stored)
            at = None if address.at is None else places[order[address.at]]
            found[address._replace(at=at)] = key
    return found


def _groups(stored: StoredFile) -> dict[tuple[str, ...], list[str]]:
    """Return {attributes below the outermost optimizer: keys in order}."""
    facts = stored.opened.stored.keras
    present = {tensor.key for tensor in stored.opened.stored.tensors}
    if facts is not None and _LISTED in facts.weight_lists:
        return {(): [key for key in facts.weight_lists[_LISTED] if key in present]}
    groups: dict[str, list[tuple[int, str]]] = {}
    for key in present:
        match = _NUMBERED.fullmatch(key)
        if match is not None:
            groups.setdefault(match[1], []).append((int(match[2]), key))
    root = min(groups, key=len, default="")
    return {
        tuple(path.removeprefix(root).strip("/").split("/")) if path != root else (): [
            key for _, key in sorted(numbered)
        ]
        for path, numbered in groups.items()
    }


def _follow(optimizer: Any, path: tuple[str, ...]) -> Any:
    for attribute in path:
        optimizer = getattr(optimizer, attribute, None)
    return optimizer


def _another_count(
    optimizer: Any, stored: StoredFile, wanted: int, found: int
) -> ReconstructionError:
    if found <= 2 < wanted:
        return ReconstructionError(
            "was saved before a training step: it holds iterations and rate, but no slots",
            where=stored.path,
            remedy="There is nothing to put back; train with a fresh optimizer.",
        )
    return ReconstructionError(
        f"holds {found} optimizer variables, and {type(optimizer).__name__} with these options "
        f"keeps {wanted} for the trained weights of this model",
        where=stored.path,
        remedy="Nothing has been assigned. Check class, options (amsgrad, momentum, centered, a "
        "schedule), and whether layers were frozen or unfrozen in between; pass optimizer= with "
        "what trained the model.",
    )


def _check_shape(variable: Any, key: str, stored: StoredFile, optimizer: Any) -> None:
    shape = stored.shapes.get(key)
    wanted = tuple(int(size) for size in variable.shape)
    if shape is not None and shape != wanted:
        raise ReconstructionError(
            f"holds {key} with shape {list(shape)}, where {type(optimizer).__name__} over this "
            f"model keeps one of shape {list(wanted)}",
            where=stored.path,
            remedy="Nothing has been assigned. Class, options or the set of trained weights differ "
            "from those of the saved run; pass optimizer= with what trained the model.",
        )


def _unknown_variable(optimizer: Any, variable: Any, stored: StoredFile) -> ReconstructionError:
    return ReconstructionError(
        f"has a variable {variable.name!r} in no list that goes along with the weights, so it "
        "cannot be told whose it is",
        where=f"{type(optimizer).__name__} for {stored.path}",
        remedy="Keep slots in lists parallel to the variables given to build, as Keras does.",
    )


def place_by_edges(
    optimizer: Any,
    live: LiveModel,
    stored: StoredFile,
    state: StoredOptimizer,
    order: Sequence[LiveWeight],
    targets: Mapping[Address, Any],
) -> dict[Address, str]:
    """Return {address: key} by the object graph, whose edges carry the attributes' names."""
    names = {id(variable): address for address, variable in targets.items()}
    positions = {weight: at for at, weight in enumerate(order)}
    by_place = [str(positions[weight]) for weight in live.trainable]
    found: dict[Address, str] = {}
    root = stored.node_at(_outermost(state))
    queue = [(optimizer, root)] if root is not None else []
    seen: set[int] = set()
    while queue:
        item, at = queue.pop()
        address = names.get(id(item))
        key = stored.nodes[at].key
        if address is not None and key is not None:
            found[address] = key
        if id(item) in seen or address is not None:
            continue
        seen.add(id(item))
        below = dict(stored.nodes[at].children)
        for name, child in _edges(item, names):
            is_slot = names.get(id(child), Address((), "")).at is not None
            step = by_place[int(name)] if is_slot and name.isdecimal() else name
            if step in below:
                queue.append((child, below[step]))
            elif name in _DELEGATING:
                queue.append((child, at))
    if root is not None and state.library != "keras 2 legacy":
        groups = _node_groups(stored, root, optimizer)
        found.update(_numbered(optimizer, live, stored, order, groups, _own_list))
    places = {actual: at for at, actual in enumerate(live.trainable)}
    found.update(_legacy_slots(state, order, places, targets))
    return found


def _outermost(state: StoredOptimizer) -> str:
    """Return the path of the wrapper, where the optimizer is wrapped by one of Keras 3."""
    name = state.name
    return name.removesuffix("inner_optimizer").rstrip("/") if state.wrapper else name


def _own_list(optimizer: Any) -> Sequence[Any]:
    found: Sequence[Any] = optimizer._variables
    return found


def _node_groups(stored: StoredFile, root: int, optimizer: Any) -> dict[tuple[str, ...], list[str]]:
    """Return the keys of the list `_variables` of an optimizer and of the one that it wraps."""
    found: dict[tuple[str, ...], list[str]] = {}
    below = dict(stored.nodes[root].children)
    inner = [attribute for attribute, _ in inner_optimizers(optimizer) if attribute in below]
    wrapped = [attribute for attribute, _ in inner_optimizers(optimizer)]
    for attribute in ("", *inner):
        at = below[attribute] if attribute else root
        listed = dict(stored.nodes[at].children).get("_variables")
        if listed is None:
            continue
        path = (attribute,) if attribute else ()
        if not attribute and wrapped and not inner:
            path = (wrapped[0],)  # tf_keras saves the wrapped one in the wrapper's place
        members = sorted((int(n), to) for n, to in stored.nodes[listed].children if n.isdecimal())
        found[path] = [key for _, to in members if (key := stored.nodes[to].key) is not None]
    return found


def _edges(item: Any, names: Mapping[int, Address]) -> Iterator[tuple[str, Any]]:
    """Yield (name, object) below a live object, without the lists that repeat what others hold."""
    for name, child in tensorflow().train.TrackableView.children(item).items():
        if name not in _REPEATING:
            yield name, child
    yield from inner_optimizers(item) if hasattr(item, "apply_gradients") else ()


def _legacy_slots(
    state: StoredOptimizer,
    order: Sequence[LiveWeight],
    places: Mapping[LiveWeight, int],
    targets: Mapping[Address, Any],
) -> Iterator[tuple[Address, str]]:
    """Yield the slots of optimizer_v2, which the object graph pairs with their weights by word."""
    if state.library != "keras 2 legacy":
        return
    positions = {key: at for at, key in enumerate(state.weights)}
    by_word = {(a.attribute, a.at): a for a in targets if a.owner[-1:] == (SLOTS,)}
    for slot in state.slots:
        if slot.primary is not None:
            at = places[order[positions[slot.primary]]]
            address = by_word.get((str(slot.word), at))
            if address is not None:
                yield address, slot.key

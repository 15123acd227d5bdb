"""Which weight of the live model each position of a stored optimizer is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphmap.errors import ReconstructionError
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.live import LiveModel, LiveWeight, is_ordered, snake_case
from graphmap.tf.keras.pairing import Pairing, structure
from graphmap.tf.keras.stored import StoredFile

__all__ = ["order_doubts", "trained_order"]


def trained_order(
    live: LiveModel, stored: StoredFile, state: StoredOptimizer, pairing: Pairing
) -> tuple[LiveWeight, ...]:
    """Return the live weights in the order in which the stored optimizer keeps their slots.

    What the file tells comes first; else the order follows from the structure, where it does.
    Raises ReconstructionError where the trained weights are others, or the order is not certain.
    """
    by_key = {actual.key: weight for weight, actual in pairing.pairs.items()}
    if state.weights and all(state.weights):
        order = tuple(by_key.get(key) for key in state.weights)
    else:
        order = _by_structure(live, stored, by_key)
    told = [weight for weight in order if weight is not None]
    if len(told) != len(order) or set(told) != set(live.trainable):
        raise _other_weights(live, state, told, len(order), stored)
    return tuple(told)


def order_doubts(live: LiveModel, state: StoredOptimizer) -> list[str]:
    """Return a sentence where the file does not tell which layers were frozen, and it matters.

    Layers frozen in place of others of the same shapes leave as many slots, of the same shapes.
    """
    if state.weights and all(state.weights):
        return []
    shapes = {weight.shape for weight in live.trainable}
    by_id = {id(weight.variable): weight for weight in live.weights}
    frozen = [
        weight
        for layer in live.model._flatten_layers()
        for variable in _own_trained(layer)
        if (weight := by_id.get(id(variable))) is not None
        and not weight.trainable
        and weight.shape in shapes
    ]
    if not frozen:
        return []
    return [
        f"the saved run had the same layers frozen as this model ({frozen[0].name}), which this "
        "file does not tell"
    ]


def _own_trained(layer: Any) -> Iterator[Any]:
    """Yield the variables that a layer trains by itself unless it is frozen."""
    own = getattr(layer, "_trainable_variables", None)
    yield from getattr(layer, "_trainable_weights", ()) if own is None else own


def _other_weights(
    live: LiveModel, state: StoredOptimizer, told: list[LiveWeight], count: int, stored: StoredFile
) -> ReconstructionError:
    lacking = [weight.name for weight in live.trainable if weight not in told]
    frozen = [weight.name for weight in told if not weight.trainable]
    detail = f"; without slots: {', '.join(lacking[:3])}" if lacking else ""
    detail += f"; frozen here: {', '.join(frozen[:3])}" if frozen else ""
    return ReconstructionError(
        f"holds slots for {count} weights, and the model trains {len(live.trainable)}{detail}",
        where=stored.path,
        remedy="Nothing has been assigned. Freeze and unfreeze the layers as in the saved run, "
        "restore, then change them and compile again.",
    )


def _by_structure(
    live: LiveModel, stored: StoredFile, by_key: dict[str, LiveWeight]
) -> tuple[LiveWeight | None, ...]:
    """Return the order of a model of the same structure: that of its own trained weights."""
    found = structure(live, stored)
    if found is None or not all(weight in found for weight in live.trainable):
        raise ReconstructionError(
            "does not tell in which order the weights were trained, and the model is built "
            "otherwise than the saved one",
            where=stored.path,
            remedy="Nothing has been assigned. Save an .h5 or a tf.train.Checkpoint, which name "
            "the slots, or give the model the structure of the saved one.",
        )
    doubt = next(_doubts(live.model, "", live, stored), None)
    if doubt is not None:
        raise doubt
    return tuple(by_key.get(found[weight].key) for weight in live.trainable)


def _doubts(
    item: Any, path: str, live: LiveModel, stored: StoredFile
) -> Iterator[ReconstructionError]:
    """Yield where the order of weights hangs on that in which code of users makes them.

    Functional and Sequential models order layers by their graph, Keras' own layers always make
    their parts in one order. Only weights of one shape can be taken for each other.
    """
    parts = list(_parts(item))
    if not is_ordered(item, live.flavour):
        shapes: dict[tuple[int, ...], Any] = {}
        for part in parts:
            for shape in {tuple(v.shape) for v in _trained(part)}:
                other = shapes.setdefault(shape, part)
                if other is not part and not _counted(other, part, live, stored):
                    yield _unknown_order(item, shape, stored)
    for part in parts:
        if hasattr(part, "weights"):
            yield from _doubts(part, path, live, stored)


def _parts(item: Any) -> Iterator[Any]:
    """Yield what an object holds: its own variables, and the layers right below it."""
    yield from _own_trained(item)
    below = getattr(item, "_layers", None)
    if below is None:
        below = getattr(item, "_self_tracked_trackables", ())
    for part in getattr(item, "layers", None) or below or ():
        if hasattr(part, "weights"):
            yield part


def _trained(part: Any) -> Iterator[Any]:
    if hasattr(part, "trainable_variables"):
        yield from part.trainable_variables
    else:
        yield part


def _counted(one: Any, other: Any, live: LiveModel, stored: StoredFile) -> bool:
    """Whether automatic names, which count layers as they are made, tell the stored order.

    Keras 3 writes them into the file: dense_3 was made before dense_4. So they decide where the
    two have the same class, and stand in the live model as they are counted in the file.
    """
    names = stored.layer_names
    numbers = []
    for part in (one, other):
        if not hasattr(part, "weights") or type(part) is not type(one):
            return False
        places = {w.place for w in live.weights for v in part.weights if w.variable is v}
        groups = {str(place).rpartition("/vars/")[0] for place in places}
        word = snake_case(type(part).__name__, live.flavour)
        found = [re.fullmatch(rf"{re.escape(word)}(?:_(\d+))?", names.get(g, "")) for g in groups]
        if len(found) != 1 or found[0] is None:
            return False
        numbers.append(int(found[0][1] or 0))
    return numbers[0] < numbers[1]


def _unknown_order(item: Any, shape: tuple[int, ...], stored: StoredFile) -> ReconstructionError:
    return ReconstructionError(
        f"numbers its slots in the order in which {type(item).__name__} made its weights, and "
        f"several of them have the shape {list(shape)}: which slot is whose cannot be known",
        where=stored.path,
        remedy="Nothing has been assigned. Save the run as tf.train.Checkpoint or .h5, which "
        "name the slots.",
    )

"""The variables of a live Keras model, and where each of them lies in the model's structure.

A *place* is the path that Keras itself writes a variable under in `.keras` and `.weights.h5`:
"layers/dense_1/vars/0". It is made of classes and attributes, never of layer names, and in
Functional and Sequential models the number in it follows from the graph alone, not from the order
in which layers were made (map_graph in keras/src/ops/function.py sorts by depth and traversal).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphmap.errors import UsageError
from graphmap.tf.keras.flavour import Flavour, dtype_of, is_variable, name_of, shape_of

__all__ = ["LiveModel", "LiveWeight", "is_ordered", "live_keras_model", "snake_case"]

_DEEPEST = 64
_SEED = "seed_generator_state"  # keras/src/random/seed_generator.py


@dataclass(frozen=True, eq=False)
class LiveWeight:
    """A variable of a live model. name: unique. place: None where the structure tells none."""

    name: str
    variable: Any
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    place: str | None

    @property
    def short(self) -> str:
        """The layer's name and the variable's, without the scopes around: "dense_1/kernel"."""
        return "/".join(self.name.split("/")[-2:])

    @property
    def is_random_state(self) -> bool:
        """Whether it is the state of a random generator, as dropout has one in Keras 3."""
        return self.name.endswith(_SEED)


@dataclass(frozen=True, eq=False)
class LiveModel:
    """A built model. weights: in Keras' order, random states last; trainable: likewise."""

    model: Any
    flavour: Flavour
    weights: tuple[LiveWeight, ...]
    trainable: tuple[LiveWeight, ...]

    def weight(self, variable: Any) -> LiveWeight | None:
        """Return the entry of a variable; None where it is not the model's."""
        return next((w for w in self.weights if w.variable is variable), None)


def live_keras_model(model: Any, flavour: Flavour) -> LiveModel:
    """Read a model's variables; raises UsageError where it has none yet."""
    try:
        listed = list(model.weights)
    except ValueError:  # tf_keras, where a subclass makes its variables in `build`
        listed = []
    taken = {id(variable) for variable in listed}
    known = model.variables if listed else ()
    listed += [v for v in known if id(v) not in taken and name_of(v).endswith(_SEED)]
    if not listed:
        raise UsageError(
            "has no variables yet: it has not been built",
            where=f"model {getattr(model, 'name', '')!r}",
            remedy="Call it once on data, or model.build(input_shape), then try again.",
        )
    places = {id(variable): place for place, variable in walk(model, flavour)}
    trained = {id(variable) for variable in model.trainable_variables}
    counts = Counter(name_of(variable) for variable in listed)
    weights = tuple(
        LiveWeight(
            _unique(name_of(variable), counts, places.get(id(variable))),
            variable,
            shape_of(variable),
            dtype_of(variable),
            id(variable) in trained,
            places.get(id(variable)),
        )
        for variable in listed
    )
    by_id = {id(weight.variable): weight for weight in weights}
    trainable = tuple(by_id[id(v)] for v in model.trainable_variables if id(v) in by_id)
    return LiveModel(model, flavour, weights, trainable)


def _unique(name: str, counts: Counter[str], place: str | None) -> str:
    return name if counts[name] == 1 or place is None else place


def walk(model: Any, flavour: Flavour) -> Iterator[tuple[str, Any]]:
    """Yield (place, variable) as `save_weights` of this very Keras would write them."""
    yield from _walk_one(model, "", flavour, set(), 0)


def _walk_one(
    item: Any, path: str, flavour: Flavour, seen: set[int], depth: int
) -> Iterator[tuple[str, Any]]:
    if id(item) in seen or depth > _DEEPEST:
        return
    for index, variable in own_variables(item, flavour):
        yield f"{path}vars/{index}", variable
    seen.add(id(item))
    for attribute, child in _children(item, flavour):
        if attribute == "optimizer" and not path:
            continue
        if _is_saveable(child, flavour):
            yield from _walk_one(child, f"{path}{attribute}/", flavour, seen, depth + 1)
        elif isinstance(child, list | dict | tuple | set):
            yield from _walk_list(child, f"{path}{attribute}/", flavour, seen, set(), depth + 1)


def _walk_list(
    items: Any, path: str, flavour: Flavour, seen: set[int], lists: set[int], depth: int
) -> Iterator[tuple[str, Any]]:
    """Walk a container: its members are told apart by their class and a count."""
    if id(items) in lists or depth > _DEEPEST:
        return
    lists.add(id(items))
    used: dict[str, int] = {}
    for item in items.values() if isinstance(items, dict) else items:
        if _is_saveable(item, flavour):
            if not flavour.is_three and id(item) in seen:
                continue  # tf_keras counts only what it has not written yet
            name = _counted(snake_case(type(item).__name__, flavour), used)
            yield from _walk_one(item, f"{path}{name}/", flavour, seen, depth + 1)
        elif flavour.is_three and isinstance(item, list | dict | tuple):
            name = _counted("container", used)
            yield from _walk_list(item, f"{path}{name}/", flavour, seen, lists, depth + 1)


def _counted(name: str, used: dict[str, int]) -> str:
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def snake_case(name: str, flavour: Flavour) -> str:
    """Return a class name as this Keras writes it into paths and automatic names."""
    if flavour.is_three:
        from keras.src.utils.naming import to_snake_case as convert
    else:
        from tf_keras.src.utils.generic_utils import to_snake_case as convert
    return str(convert(name))


def is_ordered(item: Any, flavour: Flavour) -> bool:
    """Whether the order of what an object holds follows from its class or its graph."""
    root = type(item).__module__.partition(".")[0]
    if root == flavour.module.__name__:
        return type(item).__name__ != "Model"
    if isinstance(item, flavour.module.Sequential):
        return True
    return bool(getattr(item, "_is_graph_network", False)) or any(
        cls.__name__ == "Functional" for cls in type(item).__mro__
    )


def own_variables(item: Any, flavour: Flavour) -> list[tuple[str, Any]]:
    """Return (index, variable) of a layer's own variables, as it saves them.

    Empty where a layer saves something else than its variables, such as a vocabulary.
    """
    if not flavour.is_three:
        base = flavour.module.layers.Layer.save_own_variables
        if getattr(type(item), "save_own_variables", None) is not base:
            return []
        own = [*item._trainable_weights, *item._non_trainable_weights]
        return [(str(number), variable) for number, variable in enumerate(own)]
    store: dict[str, Any] = {}
    if hasattr(item, "save_own_variables"):
        item.save_own_variables(store)
    return list(store.items()) if all(map(is_variable, store.values())) else []


def _children(item: Any, flavour: Flavour) -> Iterator[tuple[str, Any]]:
    """Yield what Keras visits when it saves; its own walk, so that places are those it writes."""
    if flavour.is_three:
        from keras.src.saving.saving_lib import _walk_saveable as step
    else:
        from tf_keras.src.saving.saving_lib import _walk_trackable as step
    yield from step(item)


def _is_saveable(item: Any, flavour: Flavour) -> bool:
    if flavour.is_three:
        from keras.src.saving.keras_saveable import KerasSaveable

        return isinstance(item, KerasSaveable)
    from tf_keras.src.saving.saving_lib import _is_keras_trackable

    return bool(_is_keras_trackable(item))

"""Where an optimizer of Keras keeps its variables, as attributes and positions.

Every class of both Kerases keeps one list for each kind of slot, parallel to the variables that it
was built on (`_momentums[i]` is of the i-th); what is kept once is an attribute by itself. The
legacy classes (optimizer_v2) have slots by weight and word, and options as variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from graphmap.tf.keras.flavour import is_variable

__all__ = ["LOSS_SCALE", "Address", "addresses", "inner_optimizers", "is_legacy", "variables_of"]

SLOTS = "slots"  # owner of the slots of legacy optimizers
LOSS_SCALE = "loss_scale"  # owner of tf_keras' dynamic loss scale
_NO_SLOTS = frozenset({"_variables", "_trainable_variables", "_weights"})
_DEEPEST = 4  # wrappers within wrappers


class Address(NamedTuple):
    """Where an optimizer keeps a variable.

    owner: attributes that lead to the object that has it, () for the outermost optimizer.
    at: index of its weight; None for what is kept once.
    """

    owner: tuple[str, ...]
    attribute: str
    at: int | None = None


def is_legacy(optimizer: Any) -> bool:
    """Whether it is an optimizer_v2, which keeps slots in a dict by weight."""
    return hasattr(optimizer, "_create_all_weights")


def variables_of(optimizer: Any) -> list[Any]:
    """Return the variables in the order in which they are written; legacy has a method there."""
    found = optimizer.variables
    return list(found() if callable(found) else found)


def addresses(optimizer: Any, trained: Sequence[Any]) -> dict[Address, Any]:
    """Return every variable of a built optimizer and of those that it wraps, each once.

    trained: the variables that it was built on.
    """
    found: dict[Address, Any] = {}
    _collect(optimizer, (), trained, found, set())
    return found


def _collect(
    optimizer: Any,
    owner: tuple[str, ...],
    trained: Sequence[Any],
    found: dict[Address, Any],
    seen: set[int],
) -> None:
    inner = list(inner_optimizers(optimizer))
    for address, item in _own(optimizer, owner, trained, is_wrapper=bool(inner)):
        if id(item) not in seen:
            seen.add(id(item))
            found[address] = item
    for attribute, one in inner:
        if len(owner) < _DEEPEST:
            _collect(one, (*owner, attribute), trained, found, seen)


def _own(
    optimizer: Any, owner: tuple[str, ...], trained: Sequence[Any], *, is_wrapper: bool
) -> Iterator[tuple[Address, Any]]:
    for attribute, value in sorted(vars(optimizer).items()):
        if is_variable(value):
            yield Address(owner, attribute), value
        elif isinstance(value, list | tuple) and attribute not in _NO_SLOTS:
            for at, item in enumerate(value):
                if is_variable(item):
                    yield Address(owner, attribute, at), item
    scale = getattr(optimizer, "_loss_scale", None)
    for name, item in sorted(getattr(scale, "_weights", {}).items()):
        yield Address((*owner, LOSS_SCALE), name[0] if isinstance(name, tuple) else name), item
    if is_legacy(optimizer) and not is_wrapper:
        for name, item in sorted(optimizer._hyper.items()):
            if is_variable(item):
                yield Address(owner, name), item
        for word in optimizer.get_slot_names():
            for at, variable in enumerate(trained):
                yield Address((*owner, SLOTS), word, at), optimizer.get_slot(variable, word)


def inner_optimizers(optimizer: Any) -> Iterator[tuple[str, Any]]:
    """Yield (attribute, optimizer) of the optimizers that one wraps."""
    for attribute, value in sorted(vars(optimizer).items()):
        if hasattr(value, "apply_gradients") and hasattr(value, "variables"):
            yield attribute, value

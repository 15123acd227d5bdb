"""Where an optimizer of Keras keeps its variables, as attributes and positions.

Every class of both Kerases keeps one list for each kind of slot, parallel to the variables that it
was built on (`_momentums[i]` is of the i-th); what is kept once is an attribute by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from graphmap.tf.keras.flavour import is_variable

__all__ = ["Address", "addresses", "inner_optimizers"]

_NO_SLOTS = frozenset({"_variables", "_trainable_variables"})
_DEEPEST = 4  # wrappers within wrappers


class Address(NamedTuple):
    """Where an optimizer keeps a variable.

    owner: attributes that lead to the inner optimizer, () for the outermost.
    at: index of its weight; None for what is kept once.
    """

    owner: tuple[str, ...]
    attribute: str
    at: int | None = None


def addresses(optimizer: Any) -> dict[Address, Any]:
    """Return every variable of a built optimizer and of those that it wraps, each once."""
    found: dict[Address, Any] = {}
    _collect(optimizer, (), found, set())
    return found


def _collect(
    optimizer: Any, owner: tuple[str, ...], found: dict[Address, Any], seen: set[int]
) -> None:
    for attribute, value in sorted(vars(optimizer).items()):
        if attribute in _NO_SLOTS:
            continue
        for at, item in _held(value):
            if id(item) not in seen:
                seen.add(id(item))
                found[Address(owner, attribute, at)] = item
    for attribute, inner in inner_optimizers(optimizer):
        if len(owner) < _DEEPEST:
            _collect(inner, (*owner, attribute), found, seen)


def _held(value: Any) -> Iterator[tuple[int | None, Any]]:
    if is_variable(value):
        yield None, value
    elif isinstance(value, list | tuple):
        yield from ((at, item) for at, item in enumerate(value) if is_variable(item))


def inner_optimizers(optimizer: Any) -> Iterator[tuple[str, Any]]:
    """Yield (attribute, optimizer) of the optimizers that one wraps."""
    for attribute, value in sorted(vars(optimizer).items()):
        if hasattr(value, "apply_gradients") and hasattr(value, "variables"):
            yield attribute, value

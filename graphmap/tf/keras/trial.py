"""How far two optimizers part in a few steps, tried on pieces of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphmap.tf.keras.building import build_scratch
from graphmap.tf.keras.flavour import Flavour, value_of
from graphmap.tf.keras.live import LiveModel, LiveWeight
from graphmap.tf.keras.slots import Address

if TYPE_CHECKING:
    import numpy

__all__ = ["trial_difference"]

_STEPS = 5
_PIECE = 256  # elements of each weight
_GRADIENT = 0.1  # standard deviation of the trial gradients

State = tuple[Flavour, Any, Mapping[Address, "numpy.ndarray"]]


def trial_difference(live: LiveModel, one: State, other: State) -> float:
    """Return the largest difference in the weights after five steps on random gradients.

    one, other: (its Keras, an optimizer, its values by address); neither is touched. Their rules
    go element by element, so pieces of the weights do.
    """
    first, second = _run(live, *one), _run(live, *other)
    pairs = zip(first, second, strict=True)
    return max((float(abs(a - b).max()) for a, b in pairs if a.size), default=0.0)


def _run(
    live: LiveModel, flavour: Flavour, optimizer: Any, values: Mapping[Address, numpy.ndarray]
) -> list[numpy.ndarray]:
    import numpy

    random = numpy.random.RandomState(0)
    pieces = [value_of(weight.variable).ravel()[:_PIECE] for weight in live.trainable]
    small = [
        LiveWeight(weight.name, None, piece.shape, weight.dtype, True, None)
        for weight, piece in zip(live.trainable, pieces, strict=True)
    ]
    scratch, held, dummies = build_scratch(optimizer, small, flavour)
    for dummy, piece in zip(dummies, pieces, strict=True):
        dummy.assign(piece)
    for address, value in values.items():
        target = held[address]
        piece = value if address.at is None else value.ravel()[:_PIECE]
        target.assign(piece.astype(value_of(target).dtype))
    for _ in range(_STEPS):
        drawn = [random.standard_normal(piece.shape) * _GRADIENT for piece in pieces]
        pairs = [(_tensor(g, d), d) for g, d in zip(drawn, dummies, strict=True)]
        scratch.apply_gradients(pairs)
    return [value_of(dummy) for dummy in dummies]


def _tensor(gradient: numpy.ndarray, variable: Any) -> Any:
    """Return a gradient as a tensor of the variable's type."""
    from graphmap.tf.runtime import tensorflow

    return tensorflow().constant(gradient, value_of(variable).dtype)

"""The state of a Keras optimizer as a container keeps it: what belongs to which weight."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from graphmap.model.variable import Basis

__all__ = ["StoredOptimizer", "StoredSlot"]


class StoredSlot(NamedTuple):
    """One value that an optimizer keeps for one weight.

    key: of the slot. primary: key of the weight, None where it cannot be known.
    word: what Keras calls it (momentum, velocity, m, average, ...), None where that is unknown.
    position: which of the trained weights, in the optimizer's own order; None where unknown.
    attribute: the optimizer's attribute that lists it, where an object graph tells.
    """

    key: str
    primary: str | None
    word: str | None
    position: int | None
    basis: Basis
    attribute: str | None = None

    @property
    def is_shadow(self) -> bool:
        """Whether it is an average of the weight itself, and no slot."""
        return self.word == "average"


class StoredOptimizer(NamedTuple):
    """One optimizer of a container.

    name: where the state lies: the path of its objects or groups ("optimizer").
    library: "keras 3", "keras 2" (2.11 and later) or "keras 2 legacy"; None where unknown.
    kind, options: the class and its constructor's arguments, as the file tells; None where it
        does not. options_basis is that of both options and kind where they stand in a config.
    iterations, learning_rate: keys; None where not stored (a schedule has no rate).
    scalars: {word: key} of the rest: u_product, beta_1, dynamic_scale ...
    weights: keys of the trained weights in the optimizer's order; () where unknown.
    copies: {key: the key whose value it repeats}; Keras 3's LossScaleOptimizer saves all twice.
    unpaired: keys whose meaning is not known. notes: a sentence for each thing not told.
    """

    name: str
    library: str | None
    kind: str | None
    kind_basis: Basis
    options: Mapping[str, Any] | None
    iterations: str | None
    learning_rate: str | None
    scalars: Mapping[str, str]
    slots: tuple[StoredSlot, ...]
    weights: tuple[str, ...]
    unpaired: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    wrapper: str | None = None
    copies: Mapping[str, str] = MappingProxyType({})

    @property
    def is_numbered(self) -> bool:
        """Whether the file numbers the variables and names none of them."""
        return self.name != "optimizer_weights" and "/.ATTRIBUTES/" not in (self.iterations or "")

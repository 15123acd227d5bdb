"""A variable, as every floor above the readers speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

Role = Literal["weight", "slot", "shadow", "optimizer", "step", "other"]
Basis = Literal["confirmed", "inferred", "unknown"]


class Part(NamedTuple):
    """One piece of a partitioned variable: its graph node and where it lies in the whole."""

    node: str
    offset: tuple[int, ...]
    shape: tuple[int, ...]


class Variable(NamedTuple):
    """A variable of a graph, a stored tensor, or both. Attributes are the keys of the JSON.

    name: op name, never "w:0"; the full name of a partitioned variable.
    shape: sizes, outermost first; None for one unknown size; None for an unknown rank.
    dtype: TensorFlow's word, such as float32; None where a listing does not tell.
    slot_of, slot: the primary and the slot's word (m, v, momentum ...), for slots; shadows
        carry slot_of too.
    checkpoint_key: the key in the container, None where only the graph has the variable.
    bytes: stored size, None where unknown.
    node: the variable's node in the graph, None where there is none.
    parts: the pieces of a partitioned variable in the graph, in order.
    """

    name: str
    shape: Dims = None
    dtype: str | None = None
    role: Role = "weight"
    slot_of: str | None = None
    slot: str | None = None
    checkpoint_key: str | None = None
    bytes: int | None = None
    basis: Basis = "unknown"
    node: str | None = None
    parts: tuple[Part, ...] = ()

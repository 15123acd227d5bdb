"""What MetaGraphs and object graphs tell beside nodes and tensors.

Apart from stored.py, which every listing imports: a class costs 0.3 ms to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from graphmap.model.graph import Dims


class VariableDef(NamedTuple):
    """An entry of the `variables` or `trainable_variables` collections (VariableDef proto)."""

    name: str  # op name
    trainable: bool
    is_resource: bool
    full_name: str | None  # of a partitioned variable, from save_slice_info_def
    offset: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()


class TensorInfo(NamedTuple):
    """One input or output of a signature."""

    tensor: str
    dtype: str
    shape: Dims


class Signature(NamedTuple):
    """A SignatureDef."""

    method: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


class SlotVariable(NamedTuple):
    """An exact slot pairing from an object graph, by checkpoint keys."""

    primary_key: str
    slot: str
    slot_key: str

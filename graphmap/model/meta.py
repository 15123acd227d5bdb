"""What MetaGraphs and object graphs tell beside nodes and tensors.

Apart from stored.py, which every listing imports: a class costs 0.3 ms to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

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
    """An exact slot pairing of an object graph, by checkpoint keys. owner: the optimizer's node."""

    primary_key: str
    slot: str
    slot_key: str
    owner: int = -1


class ObjectNode(NamedTuple):
    """An object of an object graph. key, full_name: of its value; None and "" where it has none.

    children: (attribute name, number of the node) as stored; numbers may lead astray.
    """

    children: tuple[tuple[str, int], ...] = ()
    key: str | None = None
    full_name: str = ""


class KerasFile(NamedTuple):
    """What a Keras file tells beside its tensors, as it is written; nothing is interpreted.

    version: of Keras. config, optimizer: {"class_name", "config"} of model and optimizer.
    layer_names: {group: the `name` attribute of its `vars`}, where Keras 3 wrote one.
    weight_lists: {group: dataset paths} as the `weight_names` attributes order them.
    layers: groups of the `layer_names` attribute, in its order.
    written: every group and dataset in the order in which the file holds them.
    """

    version: str | None = None
    config: Mapping[str, Any] | None = None
    optimizer: Mapping[str, Any] | None = None
    layer_names: Mapping[str, str] = MappingProxyType({})
    weight_lists: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    layers: tuple[str, ...] = ()
    written: tuple[str, ...] = ()

"""What a reader found at a path: a graph, stored tensors, or both; nothing is interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy

    from graphmap.model.graph import Dims, GraphModel
    from graphmap.model.meta import KerasFile, ObjectNode, Signature, SlotVariable, VariableDef


class StoredTensor(NamedTuple):
    """One entry of a container, from its index or header; the value has not been read.

    key: the container's own key. name: what users call it (`full_name` where an object graph
    tells, else the key). nbytes: stored size in bytes.
    """

    key: str
    name: str
    shape: Dims
    dtype: str | None
    nbytes: int | None


class TensorValues(Protocol):
    """Reads values of a container by key."""

    def read(self, key: str) -> numpy.ndarray:
        """Return the value, checksum verified; raises MissingDataError, CorruptArtifactError."""

    def verify(self, key: str) -> None:
        """Raise as `read` does where stored bytes are missing or damaged; makes no array."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class MetaInfo(NamedTuple):
    """What a MetaGraphDef holds beside its graph.

    node_lists: collections of node names, in stored order. counts: entries of every collection.
    variables: {collection: VariableDefs} for collections of VariableDef protos.
    saver: SaverDef (filename_tensor_name, save_tensor_name, restore_op_name), or empty strings.
    assets: (tensor name, file name) pairs as they are written; none of them is ever opened.
    """

    tags: tuple[str, ...] = ()
    tf_version: str = ""
    node_lists: Mapping[str, tuple[str, ...]] = _NOTHING
    counts: Mapping[str, int] = _NOTHING
    variables: Mapping[str, tuple[VariableDef, ...]] = _NOTHING
    signatures: Mapping[str, Signature] = _NOTHING
    saver: tuple[str, str, str] = ("", "", "")
    assets: tuple[tuple[str, str], ...] = ()


class StoredModel(NamedTuple):
    """An artifact as it was read.

    path: as the user typed it. kind: a word of the contract ("checkpoint", "saved-model", ...).
    tensors: every entry of the container, in key order; () where there is no container.
    prefix: the checkpoint prefix TensorFlow would take ("ckpt/model.ckpt-500"), if any.
    meta_path, saved_model_dir: files that hold the graph, if any.
    objects: the nodes of its object graph. keras: what a Keras file tells beside its tensors.
    container: the one file that the user named for the tensors, where it is no V2 checkpoint.
    warnings: one sentence for each defect met on the way.
    """

    path: str
    kind: str
    producer: str | None = None
    graph: GraphModel | None = None
    meta: MetaInfo = MetaInfo()
    tensors: tuple[StoredTensor, ...] = ()
    values: TensorValues | None = None
    slot_variables: tuple[SlotVariable, ...] = ()
    prefix: str | None = None
    meta_path: str | None = None
    saved_model_dir: str | None = None
    container: str | None = None
    all_tags: tuple[tuple[str, ...], ...] = ()
    objects: tuple[ObjectNode, ...] = ()
    keras: KerasFile | None = None
    warnings: tuple[str, ...] = ()

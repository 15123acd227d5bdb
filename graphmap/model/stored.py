"""What a reader found at a path: a graph, stored tensors, or both; nothing is interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from operator import itemgetter, le
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, overload

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


Columns = tuple[
    Sequence[str], Sequence[str], "Sequence[Dims]", Sequence[str | None], Sequence[int | None]
]


class ListedTensors(Sequence[StoredTensor]):
    """Tensors of which only names, shapes and dtypes are known: a tensor is made when asked for.

    Of 100,000 that saves 20 MB, and the time to make them: most steps go by the columns.
    """

    def __init__(
        self, names: Sequence[str], shapes: Sequence[Dims], dtypes: Sequence[str | None]
    ) -> None:
        self.names = names
        self.shapes = shapes
        self.dtypes = dtypes

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> StoredTensor: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[StoredTensor]: ...
    def __getitem__(self, at: int | slice) -> StoredTensor | Sequence[StoredTensor]:
        if isinstance(at, slice):
            return ListedTensors(self.names[at], self.shapes[at], self.dtypes[at])
        name = self.names[at]
        return StoredTensor(name, name, self.shapes[at], self.dtypes[at], None)

    def columns(self) -> Columns:
        """Return the fields of the tensors, each as a column."""
        return self.names, self.names, self.shapes, self.dtypes, (None,) * len(self)

    def by_name(self) -> ListedTensors:
        """Return the same tensors, sorted by name."""
        if all(map(le, self.names, islice(self.names, 1, None))):
            return self
        order = sorted(range(len(self)), key=self.names.__getitem__)
        names, shapes = map(self.names.__getitem__, order), map(self.shapes.__getitem__, order)
        return ListedTensors(list(names), list(shapes), list(map(self.dtypes.__getitem__, order)))


def columns_of(tensors: Sequence[StoredTensor]) -> Columns:
    """Return the fields of tensors, each as a column."""
    if isinstance(tensors, ListedTensors):
        return tensors.columns()
    keys, names, shapes, dtypes, sizes = (list(map(itemgetter(at), tensors)) for at in range(5))
    return keys, names, shapes, dtypes, sizes


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
    tensors: Sequence[StoredTensor] = ()
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

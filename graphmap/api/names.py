"""One side of a match, in any of the forms in which people have names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from graphmap.api.artifact import Artifact, load
from graphmap.errors import UsageError
from graphmap.matching import Side
from graphmap.model.stored import ListedTensors, StoredModel, StoredTensor
from graphmap.names import op_name
from graphmap.opening import OpenedModel

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["as_names", "side_of"]


def as_names(source: Any) -> Artifact:
    """Take an Artifact, a path, names, {name: shape}, or a live object as `live_items` takes it."""
    if isinstance(source, Artifact):
        return source
    if isinstance(source, str | os.PathLike):
        return load(source)
    from graphmap.api.live import live_items  # needless for paths

    items = live_items(source)
    if items is None:
        raise _no_names(source)
    rows = [_tensor(name, value) for name, value in items]
    if not rows:
        raise UsageError("names no variable", where="names", remedy="Give at least one name.")
    return Artifact(OpenedModel(StoredModel("", "listing", tensors=tuple(rows))))


def side_of(artifact: Artifact) -> Side:
    """Return the variables in the order in which they were given, where that order is known."""
    stored = artifact.opened.stored
    variables = artifact.variables
    if stored.kind != "listing":
        return Side(variables, stored.graph)
    names = (
        stored.tensors.names
        if isinstance(stored.tensors, ListedTensors)
        else [tensor.name for tensor in stored.tensors]
    )
    by_name = {v.name: v for v in variables}
    if len(by_name) == len(variables) == len(names):
        return Side(tuple(map(by_name.__getitem__, names)), ordered=True)
    place = {name: at for at, name in enumerate(names)}
    return Side(tuple(sorted(variables, key=lambda v: place[v.name])), ordered=True)


def _tensor(name: Any, value: Any) -> StoredTensor:
    if not isinstance(name, str) or not name:
        raise _no_names(name)
    plain = op_name(name)
    shape = getattr(value, "shape", value)
    dtype = getattr(value, "dtype", None)
    word = getattr(dtype, "name", None) or (None if dtype is None else str(dtype))
    word = word and word.removeprefix("torch.")
    return StoredTensor(plain, plain, _dims(shape, name), word, None)


def _dims(shape: Any, name: str) -> Dims:
    if shape is None or getattr(shape, "rank", 0) is None:
        return None
    try:
        sizes = tuple(getattr(size, "value", size) for size in shape)
        return tuple(None if size is None else int(size) for size in sizes)
    except (TypeError, ValueError) as cause:
        raise UsageError(
            f"{str(shape)[:40]!r} is no shape",
            where=name,
            remedy="Give sizes such as (3, 4), or None where it is not known.",
        ) from cause


def _no_names(item: Any) -> UsageError:
    return UsageError(
        f"a {type(item).__name__} names no variable",
        where="names",
        remedy="Give a path, names, {name: shape}, an Artifact, or objects with name and shape.",
    )

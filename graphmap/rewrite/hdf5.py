"""A Keras HDF5 file under other names: read with pyfive, which bounds it, written with h5py.

Groups keep their names: they are layers, which the model's config names too. A dataset that a
group's `weight_names` lists gets its new name there and in its path; any other is moved to the new
name as its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphmap.errors import MissingDependencyError, UnsupportedArtifactError
from graphmap.formats.hdf5 import open_hdf5
from graphmap.model.stored import StoredModel
from graphmap.rewrite.checkpoint import Keys
from graphmap.rewrite.staging import Staging

__all__ = ["stage_hdf5"]

_LIST = "weight_names"
_SUFFIX = ":0"


def stage_hdf5(staging: Staging, stored: StoredModel, out: str, keys: Keys) -> None:
    """Write `out` with every dataset under its new names; attributes come along.

    Compression does not: values are stored plainly. Raises MissingDependencyError without h5py,
    CorruptArtifactError, UnsupportedArtifactError where something of the file would be lost.
    """
    try:
        import h5py
    except ImportError as cause:
        raise MissingDependencyError(
            "writing HDF5 needs the package h5py", where=out, remedy="pip install 'graphmap[h5]'"
        ) from cause
    source = str(stored.container)
    if stored.warnings:
        raise UnsupportedArtifactError(
            f"is not whole: {stored.warnings[0]}",
            where=source,
            remedy="Use graphmap convert with --only, which takes what can be read.",
        )
    moved = {tensor.key: tuple(keys(tensor.key)) for tensor in stored.tensors}
    with h5py.File(staging.place(out), "w", track_order=True) as target:
        for group, attributes in _groups(open_hdf5(source)):
            listed = _texts(attributes.pop(_LIST, None))
            where = target.require_group(group) if group else target
            for name, value in attributes.items():
                where.attrs[name] = value
            if listed is not None:
                new = [word for old in listed for word in _listed(group, old, moved)]
                where.attrs[_LIST] = [word.encode() for word in new]
        for old, paths in _paths(stored, moved).items():
            value = stored.values.read(old) if stored.values is not None and paths else None
            for path in paths:
                target.create_dataset(path, data=value, dtype=_type(value, h5py))


def _paths(stored: StoredModel, moved: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return {old path: new paths}, sorted by the old one."""
    found: dict[str, list[str]] = {}
    for tensor in sorted(stored.tensors):
        group = _group_of(tensor.key, tensor.name)
        if group is None:
            found[tensor.key] = list(moved[tensor.key])
        else:
            words = _listed(group, tensor.key[len(group) :].lstrip("/"), moved)
            found[tensor.key] = [f"{group}/{word}".lstrip("/") for word in words]
    return found


def _listed(group: str, word: str, moved: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the new entries of a group's `weight_names` for an old one."""
    old = f"{group}/{word}".lstrip("/")
    if old not in moved:
        return [word]
    suffix = _SUFFIX if word.endswith(_SUFFIX) else ""
    return [word if name == old else name.removesuffix(_SUFFIX) + suffix for name in moved[old]]


def _group_of(key: str, name: str) -> str | None:
    """Return the group whose `weight_names` told the name of a dataset, None where none did."""
    if key == name:
        return None
    return key.removesuffix(_SUFFIX).removesuffix(name).rstrip("/")


def _groups(file: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (path, attributes) of every group, outer ones first; the reader bounded the depth."""
    yield path, {name: file.attrs[name] for name in file.attrs}
    for name in file:
        child = file[name]
        if hasattr(child, "keys"):
            yield from _groups(child, f"{path}/{name}".lstrip("/"))


def _texts(words: Any) -> list[str] | None:
    if words is None:
        return None
    return [word.decode("utf-8") if isinstance(word, bytes) else str(word) for word in words]


def _type(value: Any, h5py: Any) -> Any:
    return h5py.string_dtype("utf-8") if value is not None and value.dtype == object else None

"""Which artifacts the files of one folder are: told from their names, and their ends where not.

A checkpoint is one artifact with its .meta and its data files, a SavedModel is one with its
variables; every other file of a model is one by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from graphmap.formats.folder import SAVED_MODEL
from graphmap.formats.safetensors import INDEX_SUFFIX
from graphmap.formats.state_file import STATE

__all__ = ["FileInfo", "Item", "group_files", "is_part_of_saved_model"]

_BESIDE_SAVED_MODEL = ("keras_metadata.pb", "fingerprint.pb")
_PARTS_OF_SAVED_MODEL = ("variables", "assets", "assets.extra")
_MODEL_SUFFIXES = (".pb", ".pbtxt", ".h5", ".hdf5", ".keras", ".safetensors", ".ckpt")
_DATA = re.compile(r"^(.+)\.data-\d{5}-of-\d{5}$", re.DOTALL)
_SHARD = re.compile(r"^(.+)-\d{5}-of-\d{5}(\.safetensors)?$", re.DOTALL)
# Suffixes that no model has: their files are not opened to see what they are.
_OTHER = frozenset(
    f".{word}"
    for line in (
        "txt json py md csv tsv log yaml yml html pdf svg png jpg jpeg gif wav mp3 mp4 pyc sh",
        "cfg ini toml lock npz npy tfrecord tfrecords record gz zip tar xz bz2 parquet tmp partial",
        "ipynb tflite onnx pt pth bin model vocab",
    )
    for word in line.split()
)


class FileInfo(NamedTuple):
    """One file of a folder. size in bytes; stamp: changes when its content does, as far as told."""

    name: str
    size: int
    stamp: str


class Item(NamedTuple):
    """One artifact that was found, not opened yet.

    path: what `graphmap.load` takes. files: their paths. size: of all files, in bytes.
    stamp: changes when a file does. problem: what is wrong with it before it is even opened.
    """

    path: str
    files: tuple[str, ...]
    size: int
    stamp: str
    problem: str = ""


def is_part_of_saved_model(folder: str, beside: Iterable[str]) -> bool:
    """Tell whether a folder belongs to the SavedModel whose file lies beside it."""
    return folder in _PARTS_OF_SAVED_MODEL and any(name in SAVED_MODEL for name in beside)


def group_files(
    folder: str,
    infos: Iterable[FileInfo],
    parts: Iterable[FileInfo],
    looks_like_model: Callable[[str], bool],
) -> Iterator[Item]:
    """Yield the artifacts among the files of a folder, sorted by path.

    parts: files in the folders of its SavedModel, named from here. looks_like_model: tells of a
    file whose name does not.
    """
    files = {info.name: info for info in infos}
    if any(name in files for name in SAVED_MODEL):
        files.update({info.name: info for info in parts})
    groups: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    for name in sorted(files):
        key = _key(name, files)
        if key is None and not _is_other(name) and looks_like_model(name):
            key = name
        if key is not None:
            groups.setdefault(key, []).append(name)
            if (found := _DATA.match(name)) and f"{found[1]}.index" not in files:
                problems[key] = f"{found[1]}.index is missing: the data files alone name nothing"
    for key, names in sorted(groups.items()):
        members = [files[name] for name in names]
        yield Item(
            _join(folder, key),
            tuple(_join(folder, name) for name in names),
            sum(info.size for info in members),
            ";".join(f"{info.name}:{info.size}:{info.stamp}" for info in members),
            problems.get(key, ""),
        )


def _key(name: str, files: Mapping[str, FileInfo]) -> str | None:
    """Return the name of the artifact that a file is a part of, None where its name tells none."""
    saved = next((one for one in SAVED_MODEL if one in files), None)
    if saved and (name == saved or "/" in name or name in _BESIDE_SAVED_MODEL):
        return saved
    if name == STATE:
        return None
    if name.endswith(".index"):
        return name[:-6]
    if name.endswith(".meta"):
        stem = name[:-5]
        is_beside = stem in files or f"{stem}.index" in files or _has_shards(stem, files)
        return stem if is_beside else name
    if found := _DATA.match(name):
        return found[1]
    if found := _SHARD.match(name):
        if not found[2]:
            return found[1]
        index = found[1] + INDEX_SUFFIX
        return index if index in files else name
    if name.endswith((INDEX_SUFFIX, *_MODEL_SUFFIXES)):
        return name
    return name if f"{name}.meta" in files else None


def _has_shards(stem: str, files: Mapping[str, FileInfo]) -> bool:
    return any((found := _SHARD.match(name)) and found[1] == stem for name in files)


def _is_other(name: str) -> bool:
    dot = name.rfind(".")
    is_events = name.startswith("events.out.tfevents")
    return name == STATE or is_events or name.startswith(".") or name[dot:].lower() in _OTHER


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name

"""Which artifact a folder means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from graphmap.errors import ArtifactError, UnknownFormatError
from graphmap.formats.state_file import STATE, local_prefix, read_state

__all__ = ["Choice", "choose_in_folder"]

SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_INDEX = ".safetensors.index.json"
_MODEL_SUFFIXES = (".pb", ".pbtxt", ".h5", ".hdf5", ".keras", ".safetensors", ".ckpt")
_MAX_ENTRIES = 100_000
_STEP = re.compile(r"-(\d+)$")


class Choice(NamedTuple):
    """What to read: a checkpoint prefix, or a file. notes: what was chosen for the user."""

    prefix: str | None = None
    file: str | None = None
    notes: tuple[str, ...] = ()


def choose_in_folder(folder: str, step: int | None) -> Choice:
    """Return the one artifact that `folder` holds.

    Raises UnknownFormatError where there is none, ArtifactError where there are several.
    """
    folder = folder.rstrip("/") or "/"
    names = _file_names(folder)
    saved = [name for name in SAVED_MODEL if name in names]
    prefixes = _prefixes(names)
    if saved and prefixes:
        raise _several(folder, [saved[0], *prefixes])
    if saved:
        return Choice(file=f"{folder}/{saved[0]}")
    if STATE in names or prefixes:
        has_state = os.path.lexists(f"{folder}/{STATE}")
        choice = _checkpoint(folder, prefixes, has_state, step)
        if choice:
            return choice
    others = _without_shards(
        folder, sorted(name for name in names if name.endswith((*_MODEL_SUFFIXES, _INDEX)))
    )
    if len(others) == 1:
        return Choice(file=f"{folder}/{others[0]}")
    if others:
        raise _several(folder, others)
    raise _none(folder, names)


def _without_shards(folder: str, names: list[str]) -> list[str]:
    """Leave out the files that a safetensors index beside them lists: they are one artifact."""
    indexes = [name for name in names if name.endswith(_INDEX)]
    if not indexes:
        return names
    from graphmap.files import read_file
    from graphmap.formats.safetensors import INDEX_LIMIT, weight_map_of

    shards: set[str] = set()
    for path in (f"{folder}/{name}" for name in indexes):
        shards.update(weight_map_of(read_file(path, INDEX_LIMIT), path).values())
    return [name for name in names if name not in shards]


def _file_names(folder: str) -> set[str]:
    return {entry.name for entry in islice(Path(folder).iterdir(), _MAX_ENTRIES) if entry.is_file()}


def _prefixes(names: Iterable[str]) -> list[str]:
    """Return the checkpoint prefixes in a folder, by step; of .meta files where no .index is."""
    indexed = {name[:-6] for name in names if name.endswith(".index")}
    if not indexed:
        indexed = {name[:-5] for name in names if name.endswith(".meta")}
    return sorted(indexed, key=lambda prefix: (_step(prefix), prefix))


def _step(prefix: str) -> int:
    found = _STEP.search(prefix)
    return int(found.group(1)) if found else -1


def _checkpoint(
    folder: str, prefixes: list[str], has_state: bool, step: int | None
) -> Choice | None:
    if step is not None:
        return _of_step(folder, prefixes, step)
    remark = None
    if has_state:
        latest, remark = read_state(f"{folder}/{STATE}")
        if latest is not None:
            prefix, found = local_prefix(folder, latest)
            if prefix is not None:
                return Choice(prefix=prefix, notes=_notes(folder, remark) + _notes(folder, found))
            remark = found
    if not prefixes:
        return None
    if len(prefixes) == 1:
        only = f"{remark}; took the only one there, {prefixes[0]!r}" if remark else None
        return Choice(prefix=f"{folder}/{prefixes[0]}", notes=_notes(folder, only))
    stems = {_STEP.sub("", prefix) for prefix in prefixes}
    if len(stems) > 1 or _step(prefixes[-1]) < 0:
        raise _several(folder, prefixes)
    highest = (
        f"no state file names the latest of {len(prefixes)} checkpoints; took the highest step"
        if remark is None
        else f"{remark}; took the highest step"
    )
    return Choice(
        prefix=f"{folder}/{prefixes[-1]}", notes=_notes(folder, f"{highest}, {prefixes[-1]}")
    )


def _of_step(folder: str, prefixes: list[str], step: int) -> Choice:
    found = [prefix for prefix in prefixes if _step(prefix) == step]
    if len(found) == 1:
        return Choice(prefix=f"{folder}/{found[0]}")
    if found:
        raise _several(folder, found)
    steps = ", ".join(str(_step(prefix)) for prefix in prefixes if _step(prefix) >= 0)
    raise ArtifactError(
        f"has no checkpoint of step {step}",
        where=folder,
        remedy=f"The steps there are: {steps}" if steps else "No checkpoint there has a step.",
    )


def _notes(folder: str, remark: str | None) -> tuple[str, ...]:
    return (f"{folder}: {remark}",) if remark else ()


def _several(folder: str, names: list[str]) -> ArtifactError:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ArtifactError(
        f"holds {len(names)} artifacts: {', '.join(names[:10])}{more}",
        where=folder,
        remedy=f"Name the one you mean, such as {Path(folder) / names[0]}",
    )


def _none(folder: str, names: set[str]) -> UnknownFormatError:
    listed = ", ".join(sorted(names)[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    if STATE in names:
        what = "holds a state file, but no checkpoint that it names"
    elif names:
        what = f"is a folder without a model (files: {listed}{more})"
    else:
        what = "is a folder without files"
    return UnknownFormatError(
        what, where=folder, remedy="Give the folder that holds .index files or saved_model.pb."
    )

"""Walking folders: every artifact under a root, in the order of paths, one folder in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator

from graphmap.errors import ArtifactError, UsageError
from graphmap.files import open_regular
from graphmap.formats.sniff import is_hdf5, look_at
from graphmap.formats.sstable import is_table
from graphmap.scanning.items import FileInfo, Item, group_files, is_part_of_saved_model

__all__ = ["find_items"]

_SMALLEST = 48  # bytes; the footer of a table


def find_items(root: str) -> Iterator[Item]:
    """Yield every artifact at or under `root`: a folder, a file or a checkpoint prefix.

    Links to folders are not followed: they may lead in circles. A folder that cannot be listed is
    an Item with a problem. Raises UsageError where nothing is at `root`.
    """
    if os.path.isdir(root):
        yield from _walk(root.rstrip("/") or "/")
        return
    parent, name = os.path.split(root)
    infos, _ = _list(parent or ".") if os.path.isdir(parent or ".") else ([], [])
    items = group_files(parent, infos, (), lambda other: other == name)
    found = next((item for item in items if root == item.path or root in item.files), None)
    if found is None:
        raise UsageError(
            "no such file, folder or checkpoint",
            where=root,
            remedy="Check the path; it is taken as it was typed.",
        )
    yield found


def _walk(folder: str) -> Iterator[Item]:
    try:
        infos, folders = _list(folder)
    except OSError as cause:
        why = f"cannot be listed ({cause.strerror or cause})"
        yield Item(folder, (), 0, "", why)
        return
    names = [info.name for info in infos]
    inner = [name for name in folders if is_part_of_saved_model(name, names)]
    parts = [part for name in inner for part in _parts(folder, name)]
    yield from group_files(folder, infos, parts, lambda name: _is_model(f"{folder}/{name}"))
    for name in folders:
        if name not in inner:
            yield from _walk(f"{folder.rstrip('/')}/{name}")


def _list(folder: str) -> tuple[list[FileInfo], list[str]]:
    """Return (files, folders), each sorted by name; links to folders are left out."""
    files: list[FileInfo] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
                continue
            try:
                if entry.is_file():
                    stat = entry.stat()
                    files.append(FileInfo(entry.name, stat.st_size, str(stat.st_mtime_ns)))
            except OSError:  # it went away, or is a link to nowhere
                continue
    return sorted(files), sorted(folders)


def _parts(folder: str, name: str) -> list[FileInfo]:
    try:
        infos, _ = _list(f"{folder}/{name}")
    except OSError:  # told when the artifact is opened
        return []
    return [info._replace(name=f"{name}/{info.name}") for info in infos]


def _is_model(path: str) -> bool:
    """Tell of a file without a telling name, from its ends, whether it is a V1 table or HDF5."""
    try:
        handle = open_regular(path)
        try:
            if os.fstat(handle).st_size < _SMALLEST:
                return False
        finally:
            os.close(handle)
        look = look_at(path)
    except ArtifactError:
        return False
    return is_table(look.tail) or is_hdf5(look)

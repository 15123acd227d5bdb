"""Walking folders: every artifact under a root, in the order of paths, one folder in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from graphmap.errors import ArtifactError, UsageError
from graphmap.files import open_regular
from graphmap.formats.footer import is_table
from graphmap.formats.sniff import is_hdf5, look_at
from graphmap.remote import is_remote, list_address, localise, redact
from graphmap.scanning.items import FileInfo, Item, group_files, is_part_of_saved_model

__all__ = ["find_items", "open_file"]

_SMALLEST = 48  # bytes; the footer of a table


class _Place(NamedTuple):
    """Where folders are. entries: (files, folder names) of one, sorted. is_model: from content."""

    entries: Callable[[str], tuple[list[FileInfo], list[str]]]
    is_model: Callable[[str], bool]


def find_items(root: str) -> Iterator[Item]:
    """Yield every artifact at or under `root`: a folder, a file or a checkpoint prefix.

    It may be remote; there a file is not fetched to see what it is. Links to folders are not
    followed: they may lead in circles. A folder that cannot be listed is an Item with a problem.
    Raises UsageError where nothing is at `root`, or it holds credentials.
    """
    root = root.rstrip("/") or "/"
    if is_remote(root):
        if redact(root) != root:
            raise UsageError(
                "holds credentials or a query, which would stand in every row",
                where=redact(root),
                remedy="Give them to its driver, as the driver's documentation says.",
            )
        listing = list_address(root)
        if listing.is_folder:
            yield from _walk(root, _REMOTE)
            return
        infos: Iterable[FileInfo] = (FileInfo(f.name, f.size, f.stamp) for f in listing.files)
    elif os.path.isdir(root):
        yield from _walk(root, _LOCAL)
        return
    else:
        parent = os.path.dirname(root) or "."
        infos = _local_entries(parent)[0] if os.path.isdir(parent) else ()
    yield from _named(root, infos)


def open_file(path: str) -> int:
    """Return a descriptor of a file of an Item, fetched where it is remote; as `open_regular`."""
    return open_regular(localise(path) if is_remote(path) else path)


def _named(root: str, infos: Iterable[FileInfo]) -> Iterator[Item]:
    """Yield the artifact that a file or prefix is or belongs to; infos: of its folder."""
    parent, name = os.path.split(root)
    for item in group_files(parent, infos, (), lambda other: other == name):
        if root == item.path or root in item.files:
            yield item
            return
    raise UsageError(
        "no such file, folder or checkpoint",
        where=root,
        remedy="Check the path; it is taken as it was typed.",
    )


def _walk(folder: str, place: _Place) -> Iterator[Item]:
    try:
        infos, folders = place.entries(folder)
    except (OSError, ArtifactError) as cause:
        why = cause.message if isinstance(cause, ArtifactError) else cause.strerror or str(cause)
        yield Item(folder, (), 0, "", f"cannot be listed ({why})")
        return
    names = [info.name for info in infos]
    inner = [name for name in folders if is_part_of_saved_model(name, names)]
    parts = [part for name in inner for part in _parts(folder, name, place)]
    yield from group_files(folder, infos, parts, lambda name: place.is_model(f"{folder}/{name}"))
    for name in folders:
        if name not in inner:
            yield from _walk(f"{folder.rstrip('/')}/{name}", place)


def _parts(folder: str, name: str, place: _Place) -> list[FileInfo]:
    try:
        infos, _ = place.entries(f"{folder}/{name}")
    except (OSError, ArtifactError):  # told when the artifact is opened
        return []
    return [info._replace(name=f"{name}/{info.name}") for info in infos]


def _local_entries(folder: str) -> tuple[list[FileInfo], list[str]]:
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


def _remote_entries(address: str) -> tuple[list[FileInfo], list[str]]:
    listing = list_address(address)
    return [FileInfo(f.name, f.size, f.stamp) for f in listing.files], listing.folders


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


_LOCAL = _Place(_local_entries, _is_model)
_REMOTE = _Place(_remote_entries, lambda _: False)

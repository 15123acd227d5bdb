"""One member of a zip archive, within bounds; nothing is unpacked to disk."""

from __future__ import annotations

import zipfile

from graphmap.formats.sniff import is_pickle

__all__ = ["BROKEN", "pickled_members", "read_member"]

# what zipfile raises for archives that are damaged, encrypted or packed in another way
BROKEN = (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
_RATIO = 200  # unpacked to packed; beyond it a member is made to blow up


def read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, least: int = 4096
) -> bytes:
    """Return the bytes of a member, its CRC-32 verified; raises one of BROKEN.

    limit: bytes it may have. least: bytes that it may have however small it is packed.
    """
    if info.file_size > min(limit, max(least, _RATIO * info.compress_size)):
        raise zipfile.BadZipFile(
            f"{info.filename} would unpack to too much: {info.file_size:,} bytes, "
            f"packed into {info.compress_size:,}"
        )
    with archive.open(info) as stream:
        data = stream.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} has {len(data):,} of {info.file_size:,} bytes")
    return data


def pickled_members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of members that are Python pickles, by name or first bytes."""
    found = []
    for info in archive.infolist():
        is_found = info.filename.endswith((".pkl", ".pickle"))
        if not is_found and info.file_size > 2:
            with archive.open(info) as stream:
                is_found = is_pickle(stream.read(3))
        if is_found:
            found.append(info.filename)
    return found

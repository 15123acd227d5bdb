"""One member of a zip archive, within bounds; nothing is unpacked to disk."""

from __future__ import annotations

import zipfile

__all__ = ["BROKEN", "read_member"]

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

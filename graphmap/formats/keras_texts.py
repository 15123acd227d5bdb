"""The JSON texts in a Keras file, HDF5 or zip, for those who judge them; no value is read.

HDF5 keeps an attribute in one piece and never compressed (format specification IV.A.2.m), so the
config is found by what JSON looks like, whatever the structure around it says. A zip member is read
by name, within limits, and nothing is unpacked to disk. Source of the members: keras saving_lib.py.
"""

from __future__ import annotations

import json
import mmap
import re
import zipfile
from collections.abc import Iterator

from graphmap.errors import CorruptArtifactError
from graphmap.files import open_regular
from graphmap.formats.sniff import Look, is_hdf5, is_keras_zip
from graphmap.formats.zip_member import BROKEN, read_member

__all__ = ["keras_texts"]

_MEMBERS = ("config.json", "metadata.json")
_MEMBER_LIMIT = 64 << 20  # bytes
_TRIES = 10_000  # places where JSON may begin
_OPENING = re.compile(rb'\{\s*"')
_END = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # JSON holds no such byte


def keras_texts(look: Look) -> Iterator[tuple[str, bytes]]:
    """Yield (where, JSON text) of a file that is_hdf5 or is_keras_zip.

    Raises CorruptArtifactError for a zip that cannot be read or is made to blow up.
    """
    if is_hdf5(look):
        handle = open_regular(look.path)
        with (
            open(handle, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for number, text in enumerate(_json_in(data), 1):
                yield f"attribute {number}", text
    elif is_keras_zip(look):
        yield from _members(look.path)


def _json_in(data: mmap.mmap) -> Iterator[bytes]:
    """Yield every JSON object with a class_name that stands in the bytes as one piece."""
    position = tries = 0
    decoder = json.JSONDecoder()
    while tries < _TRIES:
        found = _OPENING.search(data, position)
        if found is None:
            return
        tries += 1
        position = found.end()
        stop = _END.search(data, found.start())
        end = min(stop.start() if stop else len(data), found.start() + _MEMBER_LIMIT)
        piece = data[found.start() : end]
        if b'"class_name"' not in piece:
            position = max(position, found.start() + len(piece))
            continue
        text = piece.decode("utf-8", "replace")
        try:
            _, length = decoder.raw_decode(text)
        except RecursionError:
            yield piece
            return
        except ValueError:
            continue
        read = text[:length].encode()
        yield read
        position = found.start() + len(read)


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    with open(open_regular(path), "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                names = [info.filename for info in archive.infolist()]
                for info in archive.infolist():
                    if info.filename not in _MEMBERS:
                        continue
                    if names.count(info.filename) > 1:
                        raise zipfile.BadZipFile(f"{info.filename} stands twice")
                    yield info.filename, read_member(archive, info, _MEMBER_LIMIT)
        except BROKEN as cause:
            raise CorruptArtifactError(
                f"is no sound Keras file: {cause}", where=path, remedy="Copy the file again."
            ) from cause

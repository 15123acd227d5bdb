"""The JSON texts in a Keras file, HDF5 or zip, for those who judge them; no value is read.

The configs of an HDF5 file are read by name, and all of its bytes are looked through as well: HDF5
keeps an attribute in one piece and never compressed (format specification IV.A.2.m), so a config is
found by what JSON looks like, whatever the structure around it says. A zip member is read by name,
within limits, and nothing is unpacked to disk. Source of the members: keras saving_lib.py.
"""

from __future__ import annotations

import json
import mmap
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from graphmap.errors import CorruptArtifactError
from graphmap.files import open_regular
from graphmap.formats.hdf5 import stored_texts
from graphmap.formats.sniff import Look, is_hdf5, is_keras_zip
from graphmap.formats.zip_member import BROKEN, pickled_members, read_member

__all__ = ["keras_texts", "pickles_in"]

_MEMBERS = ("config.json", "metadata.json")
_MEMBER_LIMIT = 64 << 20  # bytes
_CONFIGS = ("model_config", "training_config")  # attributes of the root: keras hdf5_format.py
_TRIES = 64  # places where JSON may begin in one piece of text
_OPENING = re.compile(r'\{\s*"')
_END = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # JSON holds no such byte
_WORDS = (b"class_name", b"\\u00")  # a config holds the word, or hides its letters behind escapes


def keras_texts(look: Look) -> Iterator[tuple[str, bytes]]:
    """Yield (where, JSON text) of a file that is_hdf5 or is_keras_zip.

    Raises CorruptArtifactError for a zip that cannot be read or is made to blow up.
    """
    if is_hdf5(look):
        seen = set()
        for name, text in stored_texts(look.path, _CONFIGS):
            seen.add(text)
            yield name, text
        handle = open_regular(look.path)
        with (
            open(handle, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for number, text in enumerate(_json_in(data), 1):
                if text not in seen:
                    yield f"text {number}", text
    elif is_keras_zip(look):
        yield from _members(look.path)


def _json_in(data: mmap.mmap) -> Iterator[bytes]:
    """Yield every JSON object that may be a config and stands in the bytes as one piece.

    Linear in the size of the file: pieces between bytes that no JSON holds do not overlap.
    """
    position = 0
    places = [data.find(word) for word in _WORDS]
    while (at := min((place for place in places if place >= 0), default=-1)) >= 0:
        start = _last_end(data, position, at)
        stop = _END.search(data, at)
        position = stop.start() if stop else len(data)
        yield from _objects(data[start : min(position, start + _MEMBER_LIMIT)])
        places = [
            place if place < 0 or place >= position else data.find(word, position)
            for place, word in zip(places, _WORDS, strict=True)
        ]


def _last_end(data: mmap.mmap, position: int, at: int) -> int:
    """Return where the piece of text begins that holds byte `at`, not before `position`."""
    width = 1 << 10
    while True:
        start = max(position, at - width)
        found = _END.search(data[start:at][::-1])
        if found:
            return at - found.start()
        if start == position or width > _MEMBER_LIMIT:
            return start
        width *= 4


def _objects(piece: bytes) -> Iterator[bytes]:
    """Yield the JSON objects in a piece of text; the whole piece where that takes too long."""
    text = piece.decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    position = failed = 0
    while found := _OPENING.search(text, position):
        try:
            _, end = decoder.raw_decode(text, found.start())
        except RecursionError:
            failed = _TRIES
        except ValueError:
            failed += 1
            position = found.end()
        else:
            yield text[found.start() : end].encode()
            position = end
        if failed >= _TRIES:
            yield piece
            return


def pickles_in(look: Look) -> list[str]:
    """Return what members of a Keras archive are pickles; raises CorruptArtifactError."""
    if not is_keras_zip(look):
        return []
    with _archive(look.path) as archive:
        return pickled_members(archive)


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    with _archive(path) as archive:
        names = [info.filename for info in archive.infolist()]
        for info in archive.infolist():
            if info.filename not in _MEMBERS:
                continue
            if names.count(info.filename) > 1:
                raise zipfile.BadZipFile(f"{info.filename} stands twice")
            yield info.filename, read_member(archive, info, _MEMBER_LIMIT)


@contextmanager
def _archive(path: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive; what is wrong with it raises CorruptArtifactError."""
    with open(open_regular(path), "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                yield archive
        except BROKEN as cause:
            raise CorruptArtifactError(
                f"is no sound Keras file: {cause}", where=path, remedy="Copy the file again."
            ) from cause

"""What a file is, told from its first and last bytes."""

from __future__ import annotations

import os
from typing import NamedTuple

from graphmap.errors import ArtifactError, UnknownFormatError
from graphmap.files import fetch, open_regular
from graphmap.formats.footer import FOOTER_SIZE

__all__ = [
    "Look",
    "damage_hint",
    "is_hdf5",
    "is_keras_zip",
    "is_pickle",
    "look_at",
    "refuse_foreign",
]

_HEAD = 1 << 14  # bytes; enough for the first node of any graph seen
_REPLACEMENT = b"\xef\xbf\xbd"  # U+FFFD, what a text-mode copy puts for every byte it cannot read


class Look(NamedTuple):
    """What can be seen of a file without reading it."""

    path: str
    size: int
    head: bytes
    tail: bytes
    text: str | None  # the head as text, None where it is binary


def look_at(path: str) -> Look:
    """Read the ends of a regular file; raises ArtifactError where there is none."""
    handle = open_regular(path, whole=False)
    with os.fdopen(handle, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        fetch(path, 0, _HEAD)
        fetch(path, max(0, size - FOOTER_SIZE), size)
        head = stream.read(_HEAD)
        stream.seek(max(0, size - FOOTER_SIZE))
        tail = stream.read(FOOTER_SIZE)
    if not head:
        raise ArtifactError(
            "is empty", where=path, remedy="Copy the file again; a download may have failed."
        )
    return Look(path, size, head, tail, _as_text(head, size))


def is_hdf5(look: Look) -> bool:
    """Tell whether a file is HDF5."""
    return look.head.startswith(b"\x89HDF\r\n\x1a\n")


def is_keras_zip(look: Look) -> bool:
    """Tell whether a file is a zip as Keras 3 saves it."""
    return look.head.startswith(b"PK\3\4") and any(
        name in look.head for name in (b"config.json", b"metadata.json", b"model.weights.h5")
    )


def is_pickle(head: bytes) -> bool:
    """Tell whether bytes begin as a Python pickle of protocol 2 or later."""
    return head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5" and len(head) > 2


def damage_hint(data: bytes) -> str:
    """Say what a text-mode copy did to binary data, or return ""."""
    if data.count(_REPLACEMENT) > 2:
        return "it looks like it went through a text-mode copy: bytes were replaced by U+FFFD"
    feeds = data.count(b"\n")
    if feeds > 2 and feeds == data.count(b"\r\n"):
        return "it looks like it went through a text-mode copy: every line feed got a CR"
    return ""


def refuse_foreign(look: Look) -> None:
    """Raise UnknownFormatError, naming what the file is, where it is known to be no model."""
    foreign = _foreign(look)
    if foreign:
        what, remedy = foreign
        raise UnknownFormatError(f"is {what}", where=look.path, remedy=remedy)


def _foreign(look: Look) -> tuple[str, str] | None:
    head = look.head
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself", "Run: git lfs pull"
    start = head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<!--")):
        return "an HTML page, not a model", "Download the raw file; a link to a page was saved."
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive", "Unpack it first: gunzip FILE, or tar xzf FILE"
    if head.startswith((b"PK\3\4", b"PK\5\6")) and not is_keras_zip(look):
        return "a zip archive", "Unpack it first: unzip FILE"
    if head[257:262] == b"ustar":
        return "a tar archive", "Unpack it first: tar xf FILE"
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model", "Give the model it was converted from."
    if is_pickle(head):
        return "a Python pickle, perhaps a PyTorch file", "Give a TensorFlow file."
    if head.startswith(b"\x93NUMPY"):
        return "a NumPy array", "Give a TensorFlow file."
    return None


def _as_text(head: bytes, size: int) -> str | None:
    """Return the head as text, or None; a character cut by the end of the head does not count."""
    if b"\0" in head:
        return None
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as cause:
        if not (size > len(head) and cause.start >= len(head) - 4):
            return None
        text = head[: cause.start].decode("utf-8")
    controls = sum(1 for letter in text if letter < " " and letter not in "\t\n\r\f")
    return None if controls else text

"""Opening what a stranger gave, and writing what the user asked for, safely.

Reading: only regular files, never a FIFO or device, never more than a stated number of bytes.
Writing: to a temporary file beside the target, then one atomic rename.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol

from graphmap.errors import ArtifactError, GraphmapError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAP_FROM = 1 << 22  # bytes; a smaller file is read at once
PROTO_LIMIT = 2**31 - 1  # bytes; protobuf's own limit for one message


class Mirror(Protocol):
    """A local folder that stands for a remote one; its files have their size, bytes come later."""

    folder: str
    typed: str

    def fetch(self, path: str, start: int, stop: int | None) -> None:
        """Make the bytes of one local file real; raises ArtifactError."""


_mirrors: list[Mirror] = []  # of this process; empty unless the user typed a remote path


def add_mirror(mirror: Mirror) -> None:
    """Let files under a folder be fetched when they are read; it replaces one of that folder."""
    _mirrors[:] = [other for other in _mirrors if other.folder != mirror.folder] + [mirror]


def fetch(path: str | os.PathLike[str], start: int = 0, stop: int | None = None) -> None:
    """Make bytes of a file real where it stands for a remote one; nothing to do for all others.

    Whoever reads part of a file that was opened with `whole=False` says so first.
    """
    for mirror in _mirrors:
        name = os.fspath(path)
        if name.startswith(mirror.folder):
            mirror.fetch(name, start, stop)


def as_typed(text: str) -> str:
    """Return a text in which the remote path that a user typed replaces the folder it came to."""
    for mirror in _mirrors:
        text = text.replace(mirror.folder.rstrip(os.sep), mirror.typed.rstrip("/"))
    return text


def open_regular(path: str | os.PathLike[str], *, whole: bool = True) -> int:
    """Return a read-only file descriptor of a regular file; the caller closes it.

    whole: all of it may be read; without, `fetch` is called for each part that is.
    Raises ArtifactError for a missing path, a folder, FIFO, socket or device, or no permission.
    """
    name = os.fspath(path)
    if whole and _mirrors:
        fetch(name)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(name, flags)
    except FileNotFoundError as cause:
        raise ArtifactError(
            "no such file", where=name, remedy="Check the path; it is taken as it was typed."
        ) from cause
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise ArtifactError(
            f"cannot be opened ({reason})",
            where=repr(name) if "\0" in name else name,
            remedy="Check the permissions and the path.",
        ) from cause
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ArtifactError(f"is {what}", where=name, remedy="Give the path of a file.")
    return handle


def stays_inside(path: str, beside: str) -> bool:
    """Tell whether `path`, links followed, lies in the folder of `beside`, the file a user named.

    Where that file is a link itself, the folder it leads to counts too: caches of downloads keep
    each file as a link into one folder. Anything else a stranger's archive could aim anywhere.
    """
    real = os.path.realpath(path)
    folders = (
        os.path.realpath(os.path.dirname(beside) or "."),
        os.path.dirname(os.path.realpath(beside)),
    )
    return any(real.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def read_file(path: str | os.PathLike[str], limit: int = PROTO_LIMIT) -> bytes:
    """Return all bytes of a regular file of at most `limit` bytes; larger raises ArtifactError."""
    handle = open_regular(path)
    with os.fdopen(handle, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise _too_large(path, size, limit)
        return stream.read(size)  # not `limit`: that much room would be asked for at once


def view_file(path: str | os.PathLike[str], limit: int = PROTO_LIMIT) -> bytes | memoryview:
    """As `read_file`, but a large file is mapped: only what is looked at is read."""
    view = map_file(path)
    if len(view) > limit:
        raise _too_large(path, len(view), limit)
    return view if len(view) >= MAP_FROM else bytes(view)


def _too_large(path: str | os.PathLike[str], size: int, limit: int) -> ArtifactError:
    return ArtifactError(
        f"has {size:,} bytes, over the limit of {limit:,} for this kind of file",
        where=path,
        remedy="Check that this is the file you mean.",
    )


def map_file(path: str | os.PathLike[str], *, whole: bool = True) -> memoryview:
    """Return the bytes of a regular file as a read-only view; only what is looked at is read.

    whole: as for `open_regular`.
    """
    import mmap  # a listing need not pay for it

    handle = open_regular(path, whole=whole)
    try:
        size = os.fstat(handle).st_size
        return memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ) if size else b"")
    finally:
        os.close(handle)


def let_go(data: bytes | memoryview) -> None:
    """Give back the memory of a mapped file whose bytes were looked at; they can be read again."""
    if isinstance(data, memoryview):
        import mmap

        advice = getattr(mmap, "MADV_DONTNEED", None)  # not on every system
        if advice is not None and isinstance(data.obj, mmap.mmap):
            data.obj.madvise(advice)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise UsageError unless a file can be written at `path`; leaves nothing behind."""
    target = os.fspath(path).rstrip(os.sep) or os.sep
    folder = os.path.dirname(target) or "."
    if not os.path.isdir(folder):
        raise UsageError(
            "cannot be written: its folder does not exist",
            where=target,
            remedy=f"Make the folder first: mkdir -p {folder}",
        )
    if os.path.isdir(target):
        raise UsageError(
            "cannot be written: it is a folder", where=target, remedy="Give a file name to -o."
        )
    if not os.access(folder, os.W_OK) or (
        os.path.exists(target) and not os.access(target, os.W_OK)
    ):
        raise UsageError(
            "cannot be written: no permission",
            where=target,
            remedy="Choose another path for -o, or change the permissions.",
        )


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a whole file or nothing; raises GraphmapError where the system refuses."""
    with replacing(path) as stream:
        stream.write(data)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a stream whose bytes become the file at `path` when the block ends without an error.

    They go to a temporary name in its folder, then one rename; no temporary file is left behind.
    Raises GraphmapError where the system refuses.
    """
    check_writable(path)
    target = os.fspath(path).rstrip(os.sep)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except OSError as cause:
        raise GraphmapError(
            f"cannot be written ({cause.strerror or cause})",
            where=target,
            remedy="Free some space or choose another path for -o.",
        ) from cause
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)

"""Writing several files so that a reader sees the old ones or the new ones.

Every file is written under a temporary name beside its target and fsynced; only when all are
there are they renamed, in order: what names the others (the index) comes last. Without `sync` the
same order holds for a process that is killed, but not for a power cut.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, NamedTuple

from graphmap.errors import GraphmapError, MissingDataError, UsageError
from graphmap.files import as_typed, fetch, open_regular
from graphmap.rewrite.targets import make_folder, remove_folders

__all__ = ["Range", "Staging", "sync"]

_CHUNK = 1 << 26  # bytes moved by one call
_RESERVED = (
    1 << 24
)  # bytes from which blocks are set aside first; below, it costs more than it wins
_CLONE = 0x40049409  # FICLONE of <linux/fs.h>
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_HERE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


_State = tuple[int, int, int]  # inode, size in bytes, time of the last change in nanoseconds


class Range(NamedTuple):
    """Bytes of a source file."""

    path: str
    start: int
    size: int


class Staging:
    """Files that are being written; a context that leaves nothing behind unless `commit` ran.

    sync: wait until the disk has every file, and every name.
    """

    def __init__(self, *, sync: bool = True) -> None:
        self._sync = sync
        self._pending: list[tuple[str, str]] = []  # (temporary, target) in the order of renaming
        self._placed: list[str] = []  # temporary paths that others wrote, not fsynced yet
        self._sources: dict[str, _State | None] = {}
        self._made: list[str] = []  # folders

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for temporary, _ in self._pending:
            try:
                os.unlink(temporary)
            except FileNotFoundError:
                continue
        remove_folders(self._made)
        if isinstance(error, OSError):
            raise _refused(error) from error

    def make_folder(self, target: str) -> None:
        """Make the folder of a target, which goes again where nothing is committed."""
        self._made += make_folder(target)

    def watch(self, source: str) -> None:
        """Note what a source is like now: `commit` refuses where it has changed since."""
        if as_typed(source) == source:  # a remote file's local copy grows while it is fetched
            self._sources.setdefault(source, _state(source))

    def write(self, target: str, pieces: Iterable[bytes | Range]) -> None:
        """Write a file from bytes and from ranges of other files."""
        with open(self._temporary(target), "xb", buffering=0) as stream:
            for piece in pieces:
                if isinstance(piece, Range):
                    self.watch(piece.path)
                    _copy_range(piece, stream.fileno())
                else:
                    view = memoryview(piece)
                    while view:
                        view = view[stream.write(view) :]
            self._flush(stream.fileno())

    @contextmanager
    def create(self, target: str) -> Iterator[BinaryIO]:
        """Open a file to be written in any order; it is fsynced at the end."""
        with open(self._temporary(target), "xb") as stream:
            yield stream
            stream.flush()
            self._flush(stream.fileno())

    def place(self, target: str) -> str:
        """Return a temporary path for those that write files by themselves."""
        temporary = self._temporary(target)
        self._placed.append(temporary)
        return temporary

    def check_room(self, temporary: str, more: int) -> None:
        """Raise OSError unless a placed file can grow by so many bytes.

        For those who write by themselves and do not survive a full disk, as HDF5's library: it
        writes once more when its objects are freed, and crashes. Does nothing where the system
        cannot set room aside.
        """
        if not hasattr(os, "posix_fallocate"):
            return
        size = os.path.getsize(temporary) if os.path.exists(temporary) else 0
        trial = f"{temporary}.room"
        self._pending.append((trial, trial))
        try:
            with open(trial, "xb") as stream:
                os.posix_fallocate(stream.fileno(), size, more)
        finally:
            if os.path.exists(trial):
                os.unlink(trial)
            self._pending.pop()

    def copy(self, source: str, target: str) -> None:
        """Copy a whole file; the system shares its blocks where it can."""
        self.watch(source)
        self.write(target, [Range(source, 0, os.path.getsize(source))])

    def link(self, source: str, target: str) -> None:
        """Give a file a second name: both share their bytes from now on."""
        if as_typed(source) != source:
            raise UsageError(
                "is remote: it cannot be linked",
                where=as_typed(source),
                remedy="Leave --link out: the data is copied then.",
            )
        try:
            os.link(os.path.realpath(source), self._temporary(target))
        except OSError as cause:
            if cause.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
                raise
            raise UsageError(
                "cannot be linked to from there: another file system, or one without links",
                where=source,
                remedy="Leave --link out: the data is copied then.",
            ) from cause

    def commit(self) -> None:
        """Rename everything to its target, in the order in which it was written.

        Raises MissingDataError where a source has changed since it was watched.
        """
        for path, state in self._sources.items():
            if _state(path) != state:
                raise MissingDataError(
                    "changed while it was copied",
                    where=path,
                    remedy="Wait until nothing writes to it, and try again; nothing was written.",
                )
        folders = sorted({os.path.dirname(target) or "." for _, target in self._pending})
        for path in (*self._placed, *folders, *map(os.path.dirname, self._made)):
            sync(path or ".", self._sync)
        while self._pending:
            temporary, target = self._pending[0]
            os.replace(temporary, target)
            self._pending.pop(0)
        self._made.clear()
        for folder in folders:
            sync(folder, self._sync)

    @property
    def targets(self) -> tuple[str, ...]:
        """The paths that `commit` will put in place, in its order."""
        return tuple(target for _, target in self._pending)

    def _flush(self, handle: int) -> None:
        if self._sync:
            os.fsync(handle)

    def _temporary(self, target: str) -> str:
        folder, name = os.path.split(target)
        temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
        self._pending.append((temporary, target))
        return temporary


def _copy_range(piece: Range, target: int) -> None:
    fetch(piece.path, piece.start, piece.start + piece.size)
    handle = open_regular(piece.path, whole=False)
    with open(handle, "rb", buffering=0) as stream:
        source, start, left = stream.fileno(), piece.start, piece.size
        if left >= _RESERVED:
            if start == 0 and os.fstat(source).st_size == left and _clone(source, target):
                return
            _reserve(target, left)
        by_system = hasattr(os, "copy_file_range")
        while left:
            moved = 0
            if by_system:
                try:
                    moved = os.copy_file_range(source, target, min(left, _CHUNK), offset_src=start)
                except OSError as cause:
                    if cause.errno not in _NOT_HERE:
                        raise
                    by_system = False
                    continue
            else:
                data = os.pread(source, min(left, _CHUNK), start)
                moved = os.write(target, data) if data else 0
            if not moved:
                raise MissingDataError(
                    f"ended {left:,} bytes early while it was copied",
                    where=piece.path,
                    remedy="Copy the data files again; nothing was written.",
                )
            start += moved
            left -= moved


def _clone(source: int, target: int) -> bool:
    """Let an empty file share the blocks of another; False where the file system cannot."""
    try:
        import fcntl

        if os.fstat(target).st_size == 0:
            fcntl.ioctl(target, _CLONE, source)
            return os.lseek(target, 0, os.SEEK_END) > 0
    except (ImportError, OSError):
        pass
    return False


def _reserve(target: int, size: int) -> None:
    """Set blocks aside from where a file is written on; raises OSError where the disk is full.

    A copy into them is a fifth faster on ext4, and a full disk is told before it. Not by
    `os.posix_fallocate`: where the file system cannot do it, that writes into each block.
    """
    import ctypes

    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return
    offset = ctypes.c_long
    failed = fallocate(target, 0, offset(os.lseek(target, 0, os.SEEK_CUR)), offset(size))
    if failed and ctypes.get_errno() in _FULL:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _state(path: str) -> _State | None:
    """Return what changes when a file is written or replaced; None where it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def sync(path: str, wanted: bool = True) -> None:
    """Make a file, or the names in a folder, last; where that is not wanted, do nothing."""
    if not wanted:
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(cause: OSError) -> GraphmapError:
    remedy = "Choose another place, or change the permissions; the source is untouched."
    if cause.errno in _FULL:
        remedy = "Free some space, or choose another place; the source is untouched."
    return GraphmapError(
        f"cannot be written ({cause.strerror or cause})",
        where=cause.filename2 or cause.filename or "the output",
        remedy=remedy,
    )

"""Remote paths that a user typed (`s3://`, `gs://`, `https://` ...), through fsspec.

A remote artifact becomes a local folder of files that have their names and sizes, but no bytes:
`graphmap.files` asks for those that are read. So every reader works, an index is read without its
data files, and a path inside a file can never cause a request. What came is kept in a cache folder
and used again as long as the remote file has the same size and the same mark of its version.

No address is printed with its user, password or query, and no text of a driver is passed on: both
may hold credentials.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from graphmap.errors import ArtifactError, GraphmapError, MissingDependencyError, UsageError
from graphmap.files import add_mirror

__all__ = ["CACHE", "Listing", "RemoteFile", "is_remote", "list_address", "localise", "redact"]

CACHE = "GRAPHMAP_CACHE"  # environment variable: the folder that keeps what was fetched
MAX_FILES = 100_000  # of one artifact
_REMOTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_HTTP = re.compile(r"^https?://", re.IGNORECASE)
_DEPTH = 3  # folders below the one that was typed: variables/ and assets/ of a SavedModel
_SMALL = 1 << 18  # bytes; a file up to here comes in one request
_PIECE = 16 << 20  # bytes of one request
_MARKS = ("ETag", "etag", "e_tag", "md5Hash", "content_md5", "sha256", "LastModified", "mtime",
          "Last-Modified", "last_modified", "updated", "created")  # fmt: skip
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_BESIDE = (".index", ".meta", ".data-00000-of-00001")  # looked for where no folder can be listed


class RemoteFile(NamedTuple):
    """One file as a listing tells it. name: below the folder. stamp: changes with its content."""

    name: str
    path: str
    size: int
    stamp: str


def is_remote(path: str) -> bool:
    """Tell whether a path is an address with a protocol.

    >>> is_remote("s3://bucket/model"), is_remote("models/a:b"), is_remote("C:/x")
    (True, False, False)
    """
    return _REMOTE.match(path) is not None


def redact(path: str) -> str:
    """Return an address without user, password, query and fragment; others as they are.

    >>> redact("https://me:secret@host:8080/a/b.pb?token=x")
    'https://host:8080/a/b.pb'
    """
    if not is_remote(path):
        return path
    parts = urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def localise(address: str) -> str:
    """Return the local path that stands for a remote one from now on.

    Raises MissingDependencyError without the driver, ArtifactError where nothing is there.
    """
    typed = redact(address)
    system, path = _connect(address, typed)
    path = path.rstrip("/")
    with _told(typed):
        parent, files = _list(system, path, address)
    if not files:
        raise ArtifactError(
            "no such file, folder or checkpoint",
            where=typed,
            remedy="Check the address; it is taken as it was typed.",
        )
    if len(files) > MAX_FILES:
        raise ArtifactError(
            f"holds over {MAX_FILES:,} files",
            where=typed,
            remedy="Name the file or checkpoint that you mean.",
        )
    folder = typed if path == parent else typed[: len(typed.rstrip("/")) - len(path) + len(parent)]
    mirror = _Mirror(system, typed, folder, files)
    add_mirror(mirror)
    name = path[len(parent) :].strip("/")
    return mirror.folder + name if name else mirror.folder.rstrip(os.sep)


class Listing(NamedTuple):
    """What is at an address: the entries of a folder, or the files that its name belongs to."""

    is_folder: bool
    files: list[RemoteFile]
    folders: list[str]


def list_address(address: str) -> Listing:
    """List what is at an address, sorted; only the folder itself, not those below.

    Raises ArtifactError where it cannot be listed, and as `localise` does.
    """
    typed = redact(address).rstrip("/")
    system, path = _connect(address, typed)
    path = path.rstrip("/")
    with _told(typed):
        if _HTTP.match(address) or not system.isdir(path):
            return Listing(False, sorted(_list(system, path, address)[1]), [])
        infos = [info for info in system.ls(path, detail=True) if _name(info, path)]
    files = sorted(_file(info, path) for info in infos if info["type"] == "file")
    folders = sorted(_name(info, path) for info in infos if info["type"] == "directory")
    return Listing(True, files, folders)


def _name(info: dict[str, Any], folder: str) -> str:
    """Return the name of an entry in its folder; "" for the folder itself, which some list."""
    return str(info["name"]).rstrip("/")[len(folder) :].strip("/")


def _connect(address: str, typed: str) -> tuple[Any, str]:
    """Return (file system, path in its words)."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as cause:
        raise MissingDependencyError(
            "needs the package fsspec", where=typed, remedy="Run: pip install 'graphmap[remote]'"
        ) from cause
    try:
        system, path = url_to_fs(address)
    except ImportError as cause:
        found = re.search(r"(?:[Ii]nstall |requires \")([\w-]+)", str(cause))
        if found is None:
            raise MissingDependencyError(
                f"needs a package that is not installed ({cause})",
                where=typed,
                remedy="Install what fsspec's documentation names for this protocol.",
            ) from cause
        raise MissingDependencyError(
            f"needs the package {found[1]}", where=typed, remedy=f"Run: pip install {found[1]}"
        ) from cause
    except (ValueError, OSError) as cause:
        raise UsageError(
            f"is no address that fsspec knows ({type(cause).__name__})",
            where=typed,
            remedy="Use a protocol such as s3://, gs://, az://, https:// or hf://.",
        ) from cause
    return system, str(path)


def _list(system: Any, path: str, address: str) -> tuple[str, list[RemoteFile]]:
    """Return (folder, its files that belong to what was typed); none where nothing is there."""
    parent, _, name = path.rpartition("/")
    is_saved_model = name in _SAVED_MODEL
    if _HTTP.match(address):  # what its pages link to is no listing
        bases = (path, f"{parent}/variables/variables") if is_saved_model else (path,)
        paths = [base + suffix for base in bases for suffix in ("", *_BESIDE)]
        probed = (_probe(system, one, parent) for one in paths)
        return parent, [file for file in probed if file is not None]
    if is_saved_model:
        found = system.find(parent, maxdepth=_DEPTH, detail=True)
        files = [_file(info, parent) for info in found.values()]
        return parent, files if any(file.name == name for file in files) else []
    if system.isdir(path):
        found = system.find(path, maxdepth=_DEPTH, detail=True)
        inside = [_file(info, path) for info in found.values()]
        if inside:
            return path, inside
    try:
        found = system.find(parent, maxdepth=1, detail=True, prefix=name)
    except TypeError:  # a driver without that filter
        found = system.find(parent, maxdepth=1, detail=True)
    beside = (_file(info, parent) for info in found.values())
    return parent, [file for file in beside if _belongs(file.name, name)]


def _belongs(name: str, typed: str) -> bool:
    """Tell whether a file is what was typed, or a part of the checkpoint or shards of that name."""
    stem = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", typed)
    stem = stem.removesuffix(".safetensors.index.json")
    return name == typed or name.startswith((f"{stem}.", f"{stem}-0"))


def _probe(system: Any, path: str, parent: str) -> RemoteFile | None:
    try:
        return _file(system.info(path), parent)
    except FileNotFoundError:
        return None


def _file(info: dict[str, Any], folder: str) -> RemoteFile:
    path = str(info["name"])
    size = info.get("size")
    if not isinstance(size, int):
        raise ArtifactError(
            "its server does not tell its size",
            where=redact(path),
            remedy="Download the file, and give its path.",
        )
    marks = [f"{mark}={info[mark]}" for mark in _MARKS if info.get(mark)]
    has_ranges = info.get("partial") is not False
    stamp = json.dumps([size, marks, has_ranges])
    return RemoteFile(urlsplit(path[len(folder) :]).path.strip("/"), path, size, stamp)


@contextmanager
def _told(typed: str) -> Iterator[None]:
    """Turn what a driver raises into one sentence of ours; its own text may hold credentials."""
    try:
        yield
    except GraphmapError:
        raise
    except FileNotFoundError as cause:
        raise ArtifactError(
            "is not there, or may not be seen (404)", where=typed, remedy="Check the address."
        ) from cause
    except PermissionError as cause:
        raise ArtifactError(
            "may not be read (403)",
            where=typed,
            remedy="Give its driver credentials, as its documentation says.",
        ) from cause
    except Exception as cause:  # drivers raise types of their own
        status = getattr(cause, "status", None)
        what = f"status {status}" if isinstance(status, int) else type(cause).__name__
        raise ArtifactError(
            f"cannot be fetched ({what})",
            where=typed,
            remedy="Check the address, the network and the credentials, and try again.",
        ) from cause


class _Mirror:
    """A local folder of files with names and sizes; bytes come when they are asked for."""

    def __init__(self, system: Any, typed: str, folder: str, files: list[RemoteFile]) -> None:
        self.typed = folder
        self._system = system
        mark = hashlib.sha256(typed.encode()).hexdigest()[:32]
        base = os.path.join(_cache_folder(), mark)
        self.folder = os.path.join(base, "files") + os.sep
        self._notes = os.path.join(base, "notes")
        self._files: dict[str, RemoteFile] = {}
        self._present: dict[str, list[tuple[int, int]]] = {}
        for file in files:
            if any(part in ("", ".", "..") or "\0" in part for part in file.name.split("/")):
                continue  # no such name leaves the folder
            self._place(file)
        self._forget_others()

    def _forget_others(self) -> None:
        """Remove what an earlier run placed and the listing does not tell any more."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                local = os.path.join(folder, name)
                if local not in self._files:
                    os.unlink(local)

    def _place(self, file: RemoteFile) -> None:
        """Make the empty file of the right size, or keep the one of an earlier run."""
        local = os.path.join(self.folder, *file.name.split("/"))
        self._files[local] = file
        note = self._note(file)
        kept = _read_note(note, file.stamp) if _is_size(local, file.size) else None
        if kept is None:
            os.makedirs(os.path.dirname(local), exist_ok=True)
            os.makedirs(self._notes, exist_ok=True)
            if os.path.lexists(local):
                os.unlink(local)
            with open(local, "wb") as stream:
                stream.truncate(file.size)
            with open(note, "w", encoding="utf-8") as text:
                text.write(f"{file.stamp}\n")
        self._present[local] = kept or []

    def fetch(self, path: str, start: int, stop: int | None) -> None:
        """Fetch what is not there yet of the bytes from `start` to `stop`."""
        local = os.path.normpath(path)
        file = self._files.get(local)
        if file is None:
            return
        stop = file.size if stop is None else min(stop, file.size)
        if file.size <= _SMALL:
            start, stop = 0, file.size
        for begin, end in _gaps(self._present[local], start, stop):
            for at in range(begin, end, _PIECE):
                self._fetch_piece(file, local, at, min(end, at + _PIECE))

    def _fetch_piece(self, file: RemoteFile, local: str, start: int, stop: int) -> None:
        where = redact(file.path)
        with _told(where):
            data = self._read(file, start, stop)
        if len(data) != stop - start:
            raise ArtifactError(
                f"the download broke off: {len(data):,} of {stop - start:,} bytes came",
                where=where,
                remedy="Try again: what came before is kept.",
            )
        with open(local, "r+b") as stream:
            stream.seek(start)
            stream.write(data)
        with open(self._note(file), "a", encoding="utf-8") as text:
            text.write(f"{start} {stop}\n")
        self._present[local].append((start, stop))

    def _read(self, file: RemoteFile, start: int, stop: int) -> bytes:
        if not _HTTP.match(file.path):
            return bytes(self._system.cat_file(file.path, start=start, end=stop))
        if stop - start == file.size:
            return bytes(self._system.cat_file(file.path))
        no_ranges = ArtifactError(
            "its server sends whole files only, not parts of them (no range requests)",
            where=redact(file.path),
            remedy="Download the file, and give its path.",
        )
        if json.loads(file.stamp)[2] is False:
            raise no_ranges
        try:  # the file refuses an answer of another length, before it is read
            with self._system.open(file.path, cache_type="none", size=file.size) as stream:
                stream.seek(start)
                return bytes(stream.read(stop - start))
        except ValueError as cause:
            raise no_ranges from cause

    def _note(self, file: RemoteFile) -> str:
        return os.path.join(self._notes, hashlib.sha256(file.name.encode()).hexdigest()[:32])


def _cache_folder() -> str:
    chosen = os.environ.get(CACHE)
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "graphmap")


def _is_size(path: str, size: int) -> bool:
    return os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) == size


def _read_note(path: str, stamp: str) -> list[tuple[int, int]] | None:
    """Return which bytes are there, None where the remote file has changed since."""
    try:
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().split("\n")
    except (OSError, ValueError):
        return None
    if lines[0] != stamp:
        return None
    found = (re.fullmatch(r"(\d+) (\d+)", line) for line in lines[1:-1])
    return [(int(one[1]), int(one[2])) for one in found if one]


def _gaps(present: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Return the parts of a range that are not present.

    >>> _gaps([(0, 4), (6, 8)], 2, 10)
    [(4, 6), (8, 10)]
    """
    gaps = []
    for begin, end in sorted(present):
        if begin > start:
            gaps.append((start, min(begin, stop)))
        start = max(start, end)
        if start >= stop:
            return [gap for gap in gaps if gap[0] < gap[1]]
    gaps.append((start, stop))
    return [gap for gap in gaps if gap[0] < gap[1]]

"""A SavedModel folder that is written beside its place and put there by one rename."""

from __future__ import annotations

import ctypes
import os
import shutil
from types import TracebackType

from graphmap.errors import GraphmapError
from graphmap.rewrite.request import RewriteSettings
from graphmap.rewrite.staging import Staging, sync
from graphmap.rewrite.targets import make_folder, remove_folders

__all__ = ["SavedFolder"]

_REWRITTEN = ("saved_model.pb", "saved_model.pbtxt", "fingerprint.pb")  # the last one is stale then
_VARIABLES = "variables"
_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE, AT_FDCWD of <fcntl.h>
_MAX_FILES = 100_000


class SavedFolder:
    """The new folder, under a temporary name until `commit`; left behind in no other case."""

    def __init__(self, source: str, out: str, settings: RewriteSettings) -> None:
        self._source, self._out, self._settings = source, out, settings
        parent, name = os.path.split(out)
        self.folder = os.path.join(parent, f".{name}.{os.getpid()}.tmp")

    def __enter__(self) -> SavedFolder:
        self._made = make_folder(self._out)
        try:
            os.mkdir(self.folder)
        except OSError as cause:
            remove_folders(self._made)
            raise self._refused(cause) from cause
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not None:
            remove_folders(self._made)
        if isinstance(error, OSError):
            raise self._refused(error) from error

    def _refused(self, cause: OSError) -> GraphmapError:
        return GraphmapError(
            f"cannot be written ({cause.strerror or cause})",
            where=self._out,
            remedy="Free some space or choose another place; the source is untouched.",
        )

    def write(self, name: str, data: bytes) -> None:
        """Write one file of the folder."""
        with Staging(sync=self._settings.sync) as staging:
            staging.write(os.path.join(self.folder, name), [data])
            staging.commit()

    def commit(self) -> None:
        """Add assets and other files as they are, then put the folder at its place."""
        count = 0
        for folder, folders, files in os.walk(self._source):
            relative = os.path.relpath(folder, self._source)
            if relative == ".":
                folders[:] = [name for name in sorted(folders) if name != _VARIABLES]
                files = [name for name in files if name not in _REWRITTEN]
            target = os.path.normpath(os.path.join(self.folder, relative))
            os.makedirs(target, exist_ok=True)
            with Staging(sync=self._settings.sync) as staging:
                for name in sorted(files):
                    path = os.path.join(folder, name)
                    if os.path.islink(path) or not os.path.isfile(path):
                        continue
                    count += 1
                    if count > _MAX_FILES:
                        raise GraphmapError(
                            f"holds over {_MAX_FILES:,} files",
                            where=self._source,
                            remedy="Check that this is a SavedModel folder.",
                        )
                    place = staging.link if self._settings.link else staging.copy
                    place(path, os.path.join(target, name))
                staging.commit()
        if os.path.lexists(self._out) and not _exchange(self.folder, self._out):
            aside = (
                f"{self.folder}.old"  # a moment without either, where the system has no exchange
            )
            os.rename(self._out, aside)
            os.rename(self.folder, self._out)
            os.rename(aside, self.folder)
        elif os.path.lexists(self.folder) and not os.path.lexists(self._out):
            os.rename(self.folder, self._out)
        for path in (self._out, *self._made):
            sync(os.path.dirname(path) or ".", self._settings.sync)


def _exchange(one: str, other: str) -> bool:
    """Exchange two folders in one step (renameat2 of Linux); False where that is not possible."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    return done == 0

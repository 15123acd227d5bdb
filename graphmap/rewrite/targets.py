"""Where output goes: what is refused, and what is put away after it was replaced."""

from __future__ import annotations

import os
from contextlib import suppress

from graphmap.errors import ArtifactError, UsageError
from graphmap.formats.bundle import read_bundle, shard_path

__all__ = ["make_folder", "refuse", "remove_folders", "remove_stale", "shards_at"]


def refuse(target: str, source: str, *, force: bool) -> None:
    """Raise UsageError where the target is the source, or is there already without force."""
    if os.path.realpath(target) == os.path.realpath(source):
        raise UsageError(
            "is the source itself; nothing is written in place",
            where=target,
            remedy="Give another path to -o.",
        )
    if os.path.lexists(target) and not force:
        raise UsageError(
            "exists already", where=target, remedy="Give another path to -o, or --force."
        )


def make_folder(target: str) -> list[str]:
    """Make the folder of a file that is about to be written; return those made, outermost first."""
    wanted = os.path.dirname(target)
    missing = []
    folder = wanted
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    missing.reverse()
    try:
        for folder in missing:
            os.mkdir(folder)
    except OSError as cause:
        remove_folders(missing)
        raise UsageError(
            f"cannot be made ({cause.strerror or cause})",
            where=wanted,
            remedy="Choose another place for -o.",
        ) from cause
    return missing


def remove_folders(made: list[str]) -> None:
    """Remove folders that were made for nothing, where they are empty."""
    for folder in reversed(made):
        with suppress(OSError):
            os.rmdir(folder)


def shards_at(prefix: str) -> int | None:
    """Return how many data files the checkpoint has that is there, None without one."""
    if not os.path.isfile(f"{prefix}.index"):
        return None
    try:
        return read_bundle(prefix).shards
    except ArtifactError:
        return None


def remove_stale(prefix: str, shards: int | None, written: tuple[str, ...]) -> None:
    """Remove the data files of a checkpoint that was replaced, but for those just written."""
    for shard in range(shards or 0):
        path = shard_path(prefix, shard, shards or 0)
        if path not in written and os.path.exists(path):
            os.unlink(path)

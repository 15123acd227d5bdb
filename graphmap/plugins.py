"""Readers and renderers that other packages add, through entry points.

Nothing is imported until graphmap itself does not know what to do: a built-in kind or format is
never taken over, and a plug-in costs nothing where it is not needed. docs/plugins.md has a package
as an example.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphmap.errors import GraphmapError

__all__ = ["READERS", "RENDERERS", "find_plugin", "load_plugins"]

READERS = "graphmap.readers"
RENDERERS = "graphmap.renderers"


def load_plugins(group: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, object) of every entry point of a group, sorted by name and package.

    Raises GraphmapError for one that cannot be imported.
    """
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=group), key=lambda point: (point.name, point.value))
    for point in found:
        yield point.name, _load(point)


def find_plugin(group: str, name: str) -> Any:
    """Return the object of one name, None where no package has it.

    Raises GraphmapError where two have it, or it cannot be imported.
    """
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=group, name=name), key=lambda point: point.value)
    if len(found) > 1:
        raise GraphmapError(
            f"{len(found)} packages offer {name!r}: {', '.join(map(_package, found))}",
            where=group,
            remedy="Uninstall all but one of them.",
        )
    return _load(found[0]) if found else None


def _load(point: Any) -> Any:
    try:
        return point.load()
    except Exception as cause:  # a stranger's module may raise anything
        raise GraphmapError(
            f"the plug-in {point.name!r} of {_package(point)} cannot be imported "
            f"({type(cause).__name__}: {cause})",
            where=point.value,
            remedy=f"Mend or remove it: pip uninstall {_package(point)}",
        ) from cause


def _package(point: Any) -> str:
    return point.dist.name if point.dist is not None else "an unknown package"

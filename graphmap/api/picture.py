"""A picture of an artifact: written to a file, or an object that a notebook shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.api.name_map import NameMap
from graphmap.errors import UsageError
from graphmap.plugins import RENDERERS, find_plugin

__all__ = ["FORMATS", "Picture", "format_of", "render"]

FORMATS = (
    "svg", "png", "pdf", "html", "dot", "graphml", "model-explorer", "sync-navigation", "node-link",
)  # fmt: skip
_SUFFIXES = (
    "svg",
    "png",
    "pdf",
    "html",
    "dot",
    "graphml",
)  # .json may be one of three: --format says


class Picture:
    """A drawn graph. data: the bytes of the file. format: one of FORMATS."""

    def __init__(self, data: bytes, format: str) -> None:  # noqa: A002 - the contract's word
        self.data = data
        self.format = format

    def _repr_svg_(self) -> str | None:
        return self.data.decode() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.format == "png" else None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture, whole or not at all."""
        from graphmap.files import write_atomic

        write_atomic(path, self.data)


def render(
    artifact: Artifact | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    name_map: NameMap | None = None,
    **options: Any,
) -> Picture:
    """Draw the graph, or without one the scope tree of the variables; write it to `out` if given.

    options: format (one of FORMATS, or of a plug-in; else by the suffix of `out`), engine, scope,
    depth, max_nodes, focus (a node) with hops, path (a pair of nodes).
    """
    from graphmap.files import check_writable
    from graphmap.render import render_artifact

    source = as_artifact(artifact)
    if out is not None:
        check_writable(out)
    if name_map is not None:
        from graphmap.api.matching import check_belongs  # brings the matcher: needless without

        check_belongs(name_map, source)
    chosen = options.pop("format", None) or format_of(out)
    plugged = None if chosen in FORMATS else find_plugin(RENDERERS, chosen)
    if plugged is not None:
        data: bytes = plugged(source, **options)
    else:
        data = render_artifact(
            source.opened.stored,
            source.variables,
            source.train_ops,
            name_map=name_map,
            format=chosen,
            **options,
        )
    picture = Picture(data, chosen)
    if out is not None:
        picture.save(out)
    return picture


def format_of(out: str | os.PathLike[str] | None) -> str:
    """Return the picture format that a file name asks for; SVG without one."""
    if out is None:
        return "svg"
    suffix = Path(out).suffix.lower().removeprefix(".")
    if suffix == "gv":
        return "dot"
    if suffix in _SUFFIXES:
        return suffix
    if suffix == "json":
        raise UsageError(
            "several formats are JSON",
            where=out,
            remedy="Say which: --format model-explorer, sync-navigation or node-link.",
        )
    if suffix and find_plugin(RENDERERS, suffix) is not None:
        return suffix
    raise UsageError(
        f"no picture format has the suffix {Path(out).suffix!r}",
        where=out,
        remedy=f"Use one of {', '.join('.' + word for word in _SUFFIXES)}, or say --format svg.",
    )

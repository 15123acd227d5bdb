"""A picture as PNG: our SVG drawn by resvg, with the fonts that come along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from graphmap.errors import MissingDependencyError, RenderError
from graphmap.render.scene import Layout, Scene
from graphmap.render.svg import write_svg
from graphmap.render.theme import MONO_FONTS, TEXT_FONTS

__all__ = ["BOLD", "FONTS", "MONO", "PLAIN", "write_png"]

PLAIN: Final = "GraphmapSans-Regular"
BOLD: Final = "GraphmapSans-Bold"
MONO: Final = "GraphmapMono-Regular"
_FOLDER = Path(__file__).parent / "fonts"
FONTS: Final = {name: _FOLDER / f"{name}.ttf" for name in (PLAIN, BOLD, MONO)}

_WIDEST = 2000  # px; narrower pictures are drawn twice as large, for sharp text
_COVERED = re.compile("[\x00-\u017f\u0370-\u045f\u2010-\u2027\u2190-\u2195\ufffd]*")


def write_png(scene: Scene, layout: Layout) -> bytes:
    """Return the light picture as PNG; the same bytes wherever our fonts have all characters.

    Raises RenderError where resvg cannot draw it.
    """
    try:
        import resvg_py
    except ImportError as cause:
        raise MissingDependencyError(
            "PNG needs the package resvg-py", where="png", remedy="pip install resvg-py"
        ) from cause

    svg = write_svg(scene, layout).decode()
    is_covered = _COVERED.fullmatch(svg) is not None
    svg = svg.replace(TEXT_FONTS, '"Graphmap Sans",sans-serif')
    svg = svg.replace(MONO_FONTS, '"Graphmap Mono",monospace')
    found = re.search(r'width="([\d.]+)"', svg)
    width = float(found[1]) if found else _WIDEST
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=2 if 2 * width <= _WIDEST else 1,
            skip_system_fonts=is_covered,
            font_files=[str(path) for path in FONTS.values()],
            sans_serif_family="Graphmap Sans",
            monospace_family="Graphmap Mono",
        )
    except ValueError as cause:
        raise RenderError(
            f"the picture cannot be drawn as PNG ({cause})",
            where="png",
            remedy="Write .svg or .pdf, or draw less: --max-nodes 40.",
        ) from cause
    return bytes(drawn)

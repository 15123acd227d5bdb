"""A picture as PDF: the shapes and texts of our SVG, drawn by reportlab with embedded fonts."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from math import atan2, cos, sin
from typing import TYPE_CHECKING, Final

from graphmap.errors import MissingDependencyError
from graphmap.render.raster import BOLD, FONTS, MONO, PLAIN
from graphmap.render.scene import Layout, Scene
from graphmap.render.svg import write_svg
from graphmap.render.theme import MONO_SIZE, Style, style_of

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

__all__ = ["write_pdf"]

_SVG: Final = "{http://www.w3.org/2000/svg}"
_POINTS = 0.75  # of a px: CSS has 96 px to an inch, PDF 72 points
_LARGEST = 14_000.0  # points; a PDF page has at most 14,400 (ISO 32000-1, annex C.2)
_ARROW = 8.0  # px, as the marker of the SVG
_NUMBER = re.compile(r"-?[\d.]+")
_STEP = re.compile(r"([MLCHZz])([^MLCHZz]*)")
_FONT = {"plain": PLAIN, "bold": BOLD, "mono": MONO}


def write_pdf(scene: Scene, layout: Layout) -> bytes:
    """Return one page as large as the picture, text as text; the same bytes for the same scene."""
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as cause:
        raise MissingDependencyError(
            "PDF needs the package reportlab", where="pdf", remedy="pip install reportlab"
        ) from cause

    for name, path in FONTS.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(path)))
    root = ElementTree.fromstring(write_svg(scene, layout))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    scale = min(_POINTS, _LARGEST / max(width, height, 1.0))
    page = io.BytesIO()
    canvas = Canvas(page, pagesize=(width * scale, height * scale), invariant=1)
    canvas.setTitle(root.findtext(f"{_SVG}title") or "")
    canvas.setSubject(root.findtext(f"{_SVG}desc") or "")
    canvas.setCreator("graphmap")
    canvas.scale(scale, scale)
    canvas.translate(0, height)
    _draw_group(canvas, root)
    canvas.showPage()
    canvas.save()
    return page.getvalue()


def _draw_group(canvas: Canvas, group: ElementTree.Element) -> None:
    for element in group:
        tag = element.tag.removeprefix(_SVG)
        style = style_of(element.get("class", ""))
        if tag == "g":
            shift = [float(n) for n in _NUMBER.findall(element.get("transform", ""))] or [0.0, 0.0]
            canvas.saveState()
            canvas.translate(shift[0], -shift[1])
            _draw_group(canvas, element)
            canvas.restoreState()
        elif tag == "rect" and element.get("width") != "100%":
            _draw_rect(canvas, element, style)
        elif tag == "path":
            _draw_path(canvas, element, style)
        elif tag == "text":
            _draw_text(canvas, element, style)


def _draw_rect(canvas: Canvas, element: ElementTree.Element, style: Style) -> None:
    x, y, width, height = (float(element.get(word, 0)) for word in ("x", "y", "width", "height"))
    radius = min(float(element.get("rx", 0)), width / 2, height / 2)
    _set_pen(canvas, style)
    canvas.roundRect(
        x, -y - height, width, height, radius,
        stroke=int(style.stroke is not None), fill=int(style.fill is not None),
    )  # fmt: skip


def _draw_path(canvas: Canvas, element: ElementTree.Element, style: Style) -> None:
    path = canvas.beginPath()
    points: list[tuple[float, float]] = [(0.0, 0.0)]
    for step, numbers in _STEP.findall(element.get("d", "")):
        values = [float(n) for n in _NUMBER.findall(numbers)]
        if step == "H":
            values.append(-points[-1][1])
        found = [(values[k], -values[k + 1]) for k in range(0, len(values) - 1, 2)]
        points.extend(found)
        if step == "M":
            path.moveTo(*found[0])
        elif step == "C":
            for k in range(0, len(found) - 2, 3):
                path.curveTo(*found[k], *found[k + 1], *found[k + 2])
        elif step in "LH":
            for point in found:
                path.lineTo(*point)
        else:
            path.close()
    _set_pen(canvas, style)
    canvas.drawPath(path, stroke=int(style.stroke is not None), fill=int(style.fill is not None))
    if element.get("marker-end"):
        _draw_arrow(canvas, points)


def _draw_arrow(canvas: Canvas, points: list[tuple[float, float]]) -> None:
    x, y = points[-1]
    before = next((p for p in reversed(points[:-1]) if p != (x, y)), (x, y + 1))
    angle = atan2(y - before[1], x - before[0])
    tip = (x + cos(angle), y + sin(angle))
    path = canvas.beginPath()
    path.moveTo(*tip)
    for side in (-1, 1):
        back, aside = -_ARROW, side * _ARROW / 2
        path.lineTo(
            tip[0] + back * cos(angle) - aside * sin(angle),
            tip[1] + back * sin(angle) + aside * cos(angle),
        )
    path.close()
    _set_pen(canvas, style_of("ar"))
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_text(canvas: Canvas, element: ElementTree.Element, style: Style) -> None:
    words = element.text or ""
    size = MONO_SIZE if "font-size" in element.get("style", "") else style.size
    _set_pen(canvas, style)
    canvas.setFont(_FONT[style.font], size)
    x, y = float(element.get("x", 0)), -float(element.get("y", 0))
    if style.anchor == "end":
        canvas.drawRightString(x, y, words)
    elif style.anchor == "middle":
        canvas.drawCentredString(x, y, words)
    else:
        canvas.drawString(x, y, words)


def _set_pen(canvas: Canvas, style: Style) -> None:
    from reportlab.lib.colors import HexColor

    if style.fill is not None:
        canvas.setFillColor(HexColor(_six_digits(style.fill)))
    if style.stroke is not None:
        canvas.setStrokeColor(HexColor(_six_digits(style.stroke)))
    canvas.setLineWidth(style.width)
    canvas.setDash(list(style.dash))


def _six_digits(colour: str) -> str:
    """Return "#rrggbb" for "#rgb" too."""
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:])

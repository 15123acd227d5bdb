"""Scene and layout as SVG: one file, no scripts, no fonts or styles from outside."""

from __future__ import annotations

from graphmap.render.measure import (
    BAR,
    LINE,
    PAD,
    ROW_PAD,
    fitted_rows,
    frame_title,
    header_height,
    row_height,
    times_text,
)
from graphmap.render.scene import Box, Card, Frame, Kind, Layout, Path, Row, Scene
from graphmap.render.text import clip, text_width, xml_escape
from graphmap.render.theme import HEADING_SIZE, KIND_WORDS, MONO_SIZE, TEXT_SIZE, TITLE_SIZE, css

__all__ = ["page", "write_svg"]

_MARGIN = 20.0
_LEAST_PAGE = 640.0  # room for title and legend
_DESC_WORDS = 60  # cards that the description lists


def write_svg(scene: Scene, layout: Layout) -> bytes:
    """Return the picture as UTF-8; the same scene and layout give the same bytes."""
    width = max(layout.width + 2 * _MARGIN, _LEAST_PAGE)
    head, top = _head(scene, width)
    left = (width - layout.width) / 2
    body = [f'<g transform="translate({_n(left)} {_n(top)})">']
    depth = {"": 0}
    for frame in scene.frames:
        depth[frame.id] = depth[frame.parent] + 1
        body.append(_frame(frame, layout.boxes[frame.id], depth[frame.id]))
    body.extend(_path(path) for path in layout.paths)
    for frame in scene.frames:
        body.append(_frame_title(frame, layout.boxes[frame.id], depth[frame.id]))
    body.extend(_card(card, layout.boxes[card.id]) for card in scene.cards)
    body.append("</g>")
    foot, bottom = foot_lines(scene, width, top + layout.height + 28)
    return page(scene.title, describe(scene), width, bottom, [*head, *body, *foot])


def page(title: str, description: str, width: float, height: float, parts: list[str]) -> bytes:
    """Return a whole SVG file around its parts."""
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="gt gd">'
        f'<title id="gt">{xml_escape(title)}</title><desc id="gd">{xml_escape(description)}</desc>'
        f"<style>{css()}</style>"
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="ar"/></marker></defs>'
        '<rect width="100%" height="100%" class="bg"/>'
    )
    return "\n".join([opening, *parts, "</svg>\n"]).encode()


def describe(scene: Scene) -> str:
    """Return the picture in words, cards in reading order."""
    words = [card.header or card.rows[0].title for card in scene.cards]
    more = f" and {len(words) - _DESC_WORDS} more" if len(words) > _DESC_WORDS else ""
    listed = "; ".join(word[:60] for word in words[:_DESC_WORDS])
    return (
        f"{scene.facts}. Reads from top (inputs) to bottom (loss, outputs, training). "
        f"{len(scene.cards)} boxes in {len(scene.frames)} frames: {listed}{more}."
    )


def text(x: float, y: float, words: str, style: str = "") -> str:
    """Return one text element; `words` are plain, not escaped."""
    cls = f' class="{style}"' if style else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{cls}>{xml_escape(words)}</text>'


def _head(scene: Scene, width: float) -> tuple[list[str], float]:
    kinds = list(dict.fromkeys(row.kind for card in scene.cards for row in card.rows))
    times = [card.times for card in scene.cards] + [frame.times for frame in scene.frames]
    return head_lines(scene, width, kinds, max(times, default=1) > 1)


def head_lines(
    scene: Scene, width: float, kinds: list[Kind], has_times: bool
) -> tuple[list[str], float]:
    """Return title, facts and legend, and the y below them."""
    room = width - 2 * _MARGIN
    parts = [text(_MARGIN, 32, clip(scene.title, room, HEADING_SIZE, bold=True), "h1")]
    y = 52.0
    for line in wrap(scene.facts, room):
        parts.append(text(_MARGIN, y, line, "s"))
        y += 16
    if scene.knobs:
        knobs = f"Knobs: {', '.join(scene.knobs)}"
        parts.append(text(_MARGIN, y, clip(knobs, room, TEXT_SIZE), "s"))
        y += 16
    x = _MARGIN
    for kind in (kind for kind in KIND_WORDS if kind in kinds):
        word = KIND_WORDS[kind]
        need = 14 + text_width(word, TEXT_SIZE) + 14
        if x + need > width - _MARGIN:
            x, y = _MARGIN, y + 16
        parts.append(
            f'<rect x="{_n(x)}" y="{_n(y - 9)}" width="10" height="10" rx="2" class="k-{kind}"/>'
        )
        parts.append(text(x + 14, y, word, "s"))
        x += need
    if has_times:
        word = "equal blocks, the first one drawn"
        if x + 34 + text_width(word, TEXT_SIZE) > width - _MARGIN:
            x, y = _MARGIN, y + 16
        parts.append(_badge(x + 28, y - 11, "×N"))
        parts.append(text(x + 34, y, word, "s"))
    return parts, y + 22


def foot_lines(scene: Scene, width: float, y: float) -> tuple[list[str], float]:
    """Return the list of what is not drawn, and the height of the page below it."""
    if not scene.omitted:
        return [], y
    parts = [text(_MARGIN, y, f"Not drawn ({scene.counted}):", "t")]
    words = " · ".join(f"{item.reason} {item.nodes:,}" for item in scene.omitted)
    for line in wrap(words, width - 2 * _MARGIN):
        y += 16
        parts.append(text(_MARGIN, y, line, "s"))
    return parts, y + 18


def wrap(words: str, room: float) -> list[str]:
    """Break a list joined by middle dots into lines of at most `room` px."""
    lines: list[str] = []
    current = ""
    for piece in words.split(" · "):
        longer = f"{current} · {piece}" if current else piece
        if current and text_width(longer, TEXT_SIZE) > room:
            lines.append(current)
            longer = piece
        current = clip(longer, room, TEXT_SIZE)
    return [*lines, current]


def _frame(frame: Frame, box: Box, depth: int) -> str:
    style = "f" if depth % 2 else "f2"
    if frame.kind != "scope":
        style += " cf"
    parts = [f"<g><title>{xml_escape(frame.title)}</title>"]
    if frame.times > 1:
        parts.append(_rect(box._replace(x=box.x + 5, y=box.y + 5), 9, style))
        style += " fr"
    parts.append(_rect(box, 9, style))
    return "".join([*parts, "</g>"])


def _frame_title(frame: Frame, box: Box, depth: int) -> str:
    """Return title and badge, over the edges and on a ground of the frame's colour."""
    words = frame_title(frame)
    ground = Box(box.x + 7, box.y + 4, text_width(words, TITLE_SIZE, bold=True) + 4, 17)
    parts = [_rect(ground, 3, f"{'f' if depth % 2 else 'f2'} bare")]
    parts.append(text(box.x + PAD, box.y + 17, words, "t"))
    badge = times_text(frame.times, frame.note)
    if badge:
        parts.append(_badge(box.x + box.width - 8, box.y + 6, badge))
    return "".join(parts)


def _badge(right: float, top: float, words: str) -> str:
    width = text_width(words, MONO_SIZE, bold=True) + 12
    return (
        f'<rect x="{_n(right - width)}" y="{_n(top)}" width="{_n(width)}" height="15" rx="7.5" '
        f'class="rp"/><text x="{_n(right - width / 2)}" y="{_n(top + 11)}" class="rt mid" '
        f'style="font-size:{MONO_SIZE:g}px">{xml_escape(words)}</text>'
    )


def _rect(box: Box, radius: float, style: str) -> str:
    return (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{_n(radius)}" class="{style}"/>'
    )


def _path(path: Path) -> str:
    first, *rest = path.points
    pieces = "".join(
        "C" + " ".join(f"{_n(x)} {_n(y)}" for x, y in rest[start : start + 3])
        for start in range(0, len(rest), 3)
    )
    style = "e tr" if path.kind == "training" else "e"
    marker = ' marker-end="url(#a)"' if path.arrow else ""
    start = f'<path class="{style}" d="M{_n(first[0])} {_n(first[1])}{pieces}"{marker}'
    return f"{start}><title>{xml_escape(path.label)}</title></path>" if path.label else f"{start}/>"


def _card(card: Card, box: Box) -> str:
    told = card.header or card.rows[0].title
    parts = [f"<g><title>{xml_escape(told)}</title>"]
    if card.times > 1:
        parts.append(_rect(box._replace(x=box.x + 4, y=box.y + 4), 5, "c"))
    parts.append(_rect(box, 5, "c"))
    y = box.y
    badge = times_text(card.times, card.note)
    if badge:
        parts.append(_badge(box.x + box.width - 6, y + 4, badge))
    reserved = text_width(badge, MONO_SIZE, bold=True) + 2 * PAD if badge else 0.0
    if card.header:
        room = box.width - 2 * PAD - BAR - reserved
        header = clip(card.header, room, TITLE_SIZE, bold=True)
        inner = Box(box.x + 0.7, box.y + 0.7, box.width - 1.4, header_height(card) - 0.7)
        parts.append(_rect(inner, 4.5, "hd"))
        parts.append(text(box.x + BAR + PAD, y + 15, header, "t"))
        y += header_height(card)
        reserved = 0.0
    for place, (row, line) in enumerate(zip(card.rows, fitted_rows(card), strict=True)):
        if place:
            x = box.x + BAR
            parts.append(f'<path class="sep" d="M{_n(x)} {_n(y)}H{_n(box.x + box.width)}"/>')
        parts.append(_bar(box, y, row))
        x, base = box.x + BAR + PAD, y + ROW_PAD + 11
        parts.append(text(x, base, line.title, "t"))
        if line.shape:
            right = box.x + box.width - PAD - (reserved if place == 0 else 0)
            parts.append(text(right, base, line.shape, "p end"))
        for words, style in ((line.ops, "s"), (line.weights, "p")):
            if words:
                base += LINE
                parts.append(text(x, base, words, style))
        y += row_height(row)
    return "".join([*parts, "</g>"])


def _bar(box: Box, y: float, row: Row) -> str:
    return (
        f'<rect x="{_n(box.x)}" y="{_n(y + 1)}" width="{_n(BAR)}" '
        f'height="{_n(row_height(row) - 2)}" rx="2" class="k-{row.kind}"/>'
    )


def _n(number: float) -> str:
    """Write a number with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")

"""Sizes of cards and frame titles, and where in a card each text stands."""

from __future__ import annotations

from typing import NamedTuple

from graphmap.render.scene import Card, Frame, Row
from graphmap.render.text import clip, text_width
from graphmap.render.theme import MONO_SIZE, TEXT_SIZE, TITLE_SIZE

__all__ = ["Line", "card_size", "fitted_rows", "frame_title", "frame_title_width", "header_height",
           "row_height", "times_text"]  # fmt: skip

BAR = 5.0  # colour bar at the left of a row
PAD = 10.0
GAP = 16.0  # between a title and the shape at its right
LINE = 14.0
ROW_PAD = 5.0
HEADER = 22.0
TITLE_LIMIT = 230.0
TEXT_LIMIT = 310.0
FRAME_TITLE_LIMIT = 300.0
LEAST_WIDTH = 96.0


class Line(NamedTuple):
    """The texts of a row as they are drawn: cut to fit."""

    title: str
    ops: str
    weights: str
    shape: str


def fitted_rows(card: Card) -> tuple[Line, ...]:
    """Return the texts of each row, cut where they are too long."""
    return tuple(
        Line(
            clip(row.title, TITLE_LIMIT, TITLE_SIZE, bold=True),
            clip(row.ops, TEXT_LIMIT, TEXT_SIZE),
            clip(row.weights, TEXT_LIMIT, MONO_SIZE, mono=True),
            clip(row.shape, TITLE_LIMIT / 2, MONO_SIZE, mono=True),
        )
        for row in card.rows
    )


def times_text(times: int, note: str) -> str:
    """Return the badge of a folded block.

    >>> times_text(24, "in series"), times_text(1, "")
    ('×24 in series', '')
    """
    return f"×{times} {note}".strip() if times > 1 else ""


def card_size(card: Card) -> tuple[float, float]:
    """Return width and height in px of a card with all its texts inside."""
    widest = LEAST_WIDTH - BAR - 2 * PAD
    badge = text_width(times_text(card.times, card.note), MONO_SIZE, bold=True)
    for place, line in enumerate(fitted_rows(card)):
        top = text_width(line.title, TITLE_SIZE, bold=True)
        if line.shape:
            top += GAP + text_width(line.shape, MONO_SIZE, mono=True)
        if place == 0 and badge and not card.header:
            top += GAP + badge + 2 * PAD
        widest = max(
            widest,
            top,
            text_width(line.ops, TEXT_SIZE),
            text_width(line.weights, MONO_SIZE, mono=True),
        )
    if card.header:
        title = text_width(clip(card.header, TITLE_LIMIT, TITLE_SIZE, bold=True), TITLE_SIZE,
                           bold=True)  # fmt: skip
        widest = max(widest, title + (GAP + badge + 2 * PAD if badge else 0))
    height = header_height(card) + sum(row_height(row) for row in card.rows)
    return float(round(widest + BAR + 2 * PAD)), height


def header_height(card: Card) -> float:
    """Return the height of a card's header in px; 0 without one."""
    return HEADER if card.header else 0.0


def row_height(row: Row) -> float:
    """Return the height of a row in px."""
    return 2 * ROW_PAD + LINE * (1 + bool(row.ops) + bool(row.weights)) + 2


def frame_title(frame: Frame) -> str:
    """Return a frame's title, cut to fit."""
    return clip(frame.title, FRAME_TITLE_LIMIT, TITLE_SIZE, bold=True)


def frame_title_width(frame: Frame) -> float:
    """Return the width in px that title and badge of a frame need."""
    badge = times_text(frame.times, frame.note)
    width = text_width(frame_title(frame), TITLE_SIZE, bold=True) + 2 * PAD
    return width + (text_width(badge, MONO_SIZE, bold=True) + 3 * PAD if badge else 0)

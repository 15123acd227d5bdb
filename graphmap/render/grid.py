"""The coarse picture: boxes in columns without arrows, for what no engine can lay out legibly."""

from __future__ import annotations

from graphmap.render.cards import Cards
from graphmap.render.measure import card_size
from graphmap.render.scene import Box, Card, Layout, Row

__all__ = ["place_grid"]

_MOST = 120  # boxes; the rest is one box that counts them
_WIDEST = 1360.0  # px
_GAP = 14.0


def place_grid(cards: Cards, widest: float = _WIDEST) -> tuple[Cards, Layout]:
    """Return the boxes in reading order, frames and arrows dropped, and where each lies."""
    kept = [_alone(card) for card in cards.cards[:_MOST]]
    rest = cards.cards[_MOST:]
    if rest:
        nodes = sum(row.nodes for card in rest for row in card.rows)
        row = Row(f"{len(rest):,} more boxes", f"{nodes:,} ops", "", "", "op", nodes)
        kept.append(Card("rest", "", (row,), ""))
    sizes = [card_size(card) for card in kept]
    column = max((width for width, _ in sizes), default=0.0) + _GAP
    count = max(1, min(len(kept), int(widest // column)))
    bottoms = [0.0] * count
    boxes: dict[str, Box] = {}
    for card, (width, height) in zip(kept, sizes, strict=True):
        place = min(range(count), key=lambda at: (bottoms[at], at))
        boxes[card.id] = Box(place * column, bottoms[place], width, height)
        bottoms[place] += height + _GAP
    layout = Layout(count * column - _GAP, max(bottoms) - _GAP, boxes, ())
    return Cards(tuple(kept), (), (), cards.card_of), layout


def _alone(card: Card) -> Card:
    return card._replace(parent="")

"""Two pictures side by side as one, each in a frame of its own."""

from __future__ import annotations

from graphmap.render.measure import frame_title_width
from graphmap.render.scene import Box, Card, Edge, Frame, Layout, Omitted, Path, Scene

__all__ = ["beside"]

_GAP = 28.0
_PAD = 14.0
_HEAD = 30.0  # px for the title of a side

Picture = tuple[Scene, Layout]


def beside(one: Picture, other: Picture, title: str, facts: str) -> Picture:
    """Return both pictures as one; what is left out is counted for each side."""
    frames: list[Frame] = []
    cards: list[Card] = []
    edges: list[Edge] = []
    boxes: dict[str, Box] = {}
    paths: list[Path] = []
    omitted: list[Omitted] = []
    left = bottom = 0.0
    for word, (scene, layout) in (("A", one), ("B", other)):
        side = Frame(f"{word}_side", f"{word}: {scene.title}", "", path=word)
        width = max(layout.width + 2 * _PAD, frame_title_width(side))
        height = layout.height + _HEAD + _PAD
        boxes[side.id] = Box(left, 0.0, width, height)
        dx, dy = left + (width - layout.width) / 2, _HEAD
        frames.append(side)
        for frame in scene.frames:
            parent = f"{word}_{frame.parent}" if frame.parent else side.id
            frames.append(frame._replace(id=f"{word}_{frame.id}", parent=parent))
        for card in scene.cards:
            parent = f"{word}_{card.parent}" if card.parent else side.id
            cards.append(card._replace(id=f"{word}_{card.id}", parent=parent))
        edges.extend(
            edge._replace(source=f"{word}_{edge.source}", target=f"{word}_{edge.target}")
            for edge in scene.edges
        )
        for name, box in layout.boxes.items():
            boxes[f"{word}_{name}"] = box._replace(x=box.x + dx, y=box.y + dy)
        paths.extend(
            path._replace(points=tuple((x + dx, y + dy) for x, y in path.points))
            for path in layout.paths
        )
        omitted.extend(Omitted(f"{word}: {item.reason}", item.nodes) for item in scene.omitted)
        left += width + _GAP
        bottom = max(bottom, height)
    scene = Scene(
        title, facts, one[0].nodes + other[0].nodes, tuple(cards), tuple(frames), tuple(edges),
        tuple(omitted), counted=one[0].counted,
    )  # fmt: skip
    return scene, Layout(left - _GAP, bottom, boxes, tuple(paths))

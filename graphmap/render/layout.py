"""Coordinates: cards become boxes of fixed size, frames clusters; an engine places them.

Every frame gets one port for each source that enters it and one for each that leaves it, so that
edges bundle at its border and do not cross its title.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from graphmap.render.engine import run_engine
from graphmap.render.measure import card_size, frame_title_width
from graphmap.render.scene import Box, Card, Edge, EdgeKind, Frame, Layout, Path

__all__ = ["lay_out"]

Point = tuple[float, float]

_POINTS = 72.0  # per inch; one point is drawn as one px
_PORT = (0.06, 0.02)  # inches
_LETTER = 0.8  # em; an "M" is 0.83 in Arial, and the engine knows no other word of our titles
_FRAME_FONT = 14


def lay_out(
    cards: tuple[Card, ...], frames: tuple[Frame, ...], edges: tuple[Edge, ...], engine: str
) -> Layout:
    """Return where everything lies; raises RenderError where the engine fails."""
    plan = _Plan(cards, frames, edges)
    found = json.loads(run_engine(engine, plan.source(), "json0"))
    return _read(found, plan)


class _Plan:
    """The DOT source of a layout, and what its edges stand for."""

    def __init__(
        self, cards: tuple[Card, ...], frames: tuple[Frame, ...], edges: tuple[Edge, ...]
    ) -> None:
        self.cards = {card.id: card for card in cards}
        self.frames = {frame.id: frame for frame in frames}
        self.children: dict[str, list[str]] = {"": []}
        inside = [(frame.parent, frame.id) for frame in frames]
        for parent, name in [*inside, *((card.parent, card.id) for card in cards)]:
            self.children.setdefault(parent, []).append(name)
        self.ports: dict[str, list[str]] = {}
        self.pieces: dict[tuple[str, str], tuple[EdgeKind, bool, str]] = {}
        for edge in edges:
            self._route(edge)

    def _around(self, card: str) -> list[str]:
        """Return the frames that hold a card, outermost first."""
        found = []
        parent = self.cards[card].parent
        while parent:
            found.append(parent)
            parent = self.frames[parent].parent
        return found[::-1]

    def _route(self, edge: Edge) -> None:
        left, entered = self._around(edge.source), self._around(edge.target)
        while left and entered and left[0] == entered[0]:
            del left[0], entered[0]
        stops = [edge.source]
        for frame in reversed(left):
            stops.append(self._port(frame, f"o_{frame}_{edge.source}"))
        for frame in entered:
            stops.append(self._port(frame, f"i_{frame}_{edge.source}"))
        stops.append(edge.target)
        for before, after in pairwise(stops):
            known = self.pieces.get((before, after))
            label = self._label(edge) if known is None else self._source_label(edge)
            self.pieces[before, after] = (edge.kind, after == edge.target, label)

    def _label(self, edge: Edge) -> str:
        """Return what one arrow leads from and to, with the shape of what flows."""
        target = self.cards[edge.target]
        return f"{self._source_label(edge)} → {target.header or target.rows[0].title}"

    def _source_label(self, edge: Edge) -> str:
        """Return what a line that several arrows share comes from."""
        source = self.cards[edge.source]
        row = source.rows[-1]
        shape = f" ({row.shape})" if row.shape else ""
        return f"{source.header or row.title}{shape}"

    def _port(self, frame: str, name: str) -> str:
        known = self.ports.setdefault(frame, [])
        if name not in known:
            known.append(name)
        return name

    def source(self) -> str:
        """Return the DOT text; all names in it are ours, so nothing needs quoting."""
        lines = [
            "digraph{graph[nodesep=0.3,ranksep=0.3,ordering=out]",
            'node[shape=box,fixedsize=true,label=""]edge[arrowhead=none]',
        ]
        self._write_frame("", lines)
        for before, after in self.pieces:
            weight = 4 if before not in self.cards and after not in self.cards else 2
            lines.append(
                f"{before}{self._side(before, 's')}->{after}{self._side(after, 'n')}"
                f"[weight={weight}]"
            )
        lines.append("}")
        return "\n".join(lines)

    def _side(self, name: str, side: str) -> str:
        return f":{side}" if name in self.cards else ""

    def _write_frame(self, root: str, lines: list[str]) -> None:
        stack: list[tuple[str, bool]] = [(root, True)]
        while stack:
            name, is_start = stack.pop()
            if not is_start:
                lines.append("}")
                continue
            if name in self.cards:
                width, height = card_size(self.cards[name])
                inches = f"width={width / _POINTS:.4f},height={height / _POINTS:.4f}"
                lines.append(f"{name}[{inches}]")
                continue
            if name:
                wide = frame_title_width(self.frames[name])
                letters = "M" * int(wide / _FRAME_FONT / _LETTER + 1)
                lines.append(
                    f"subgraph cluster_{name}{{margin=10;labeljust=l;fontsize={_FRAME_FONT};"
                    f'fontname=Arial;label="{letters}"'
                )
                stack.append((name, False))
                size = f"width={_PORT[0]},height={_PORT[1]}"
                lines.extend(f"{port}[{size}]" for port in self.ports.get(name, ()))
            stack.extend((child, True) for child in reversed(self.children.get(name, [])))


def _spline(text: str, height: float) -> list[Point]:
    """Return the control points of an edge; an arrow's end ("e,x,y") becomes the last one."""
    points: list[Point] = []
    end: Point | None = None
    for pair in text.split():
        *mark, x, y = pair.split(",")
        point = (float(x), height - float(y))
        if mark == ["e"]:
            end = point
        elif mark != ["s"]:
            points.append(point)
    if end is not None:
        points[-1] = end
    return points


def _straight_ends(
    points: list[Point], tail: Point | None, head: Point | None
) -> tuple[Point, ...]:
    """Join an edge to the middle of its ports, and let it leave and enter straight down."""
    first, last = tail or points[0], head or points[-1]
    points[0], points[-1] = first, last
    fall = last[1] - first[1]
    if fall > 0:
        reach = fall / 2 if len(points) == 4 else min(fall / 4, 24.0)
        points[1] = (first[0], first[1] + reach)
        points[-2] = (last[0], last[1] - reach)
    return tuple(points)


def _read(found: dict[str, Any], plan: _Plan) -> Layout:
    _, _, width, height = (float(number) for number in found["bb"].split(","))
    boxes: dict[str, Box] = {}
    names: dict[int, str] = {}
    ports: dict[str, Point] = {}
    for item in found.get("objects", ()):
        name = item["name"]
        names[item["_gvid"]] = name
        if name.startswith("cluster_"):
            left, low, right, high = (float(number) for number in item["bb"].split(","))
            frame = name.removeprefix("cluster_")
            boxes[frame] = Box(left, height - high, right - left, high - low)
        elif name in plan.cards:
            x, y = (float(number) for number in item["pos"].split(","))
            wide, tall = card_size(plan.cards[name])
            boxes[name] = Box(x - wide / 2, height - y - tall / 2, wide, tall)
        else:
            x, y = (float(number) for number in item["pos"].split(","))
            ports[name] = (x, height - y)
    paths = []
    for item in found.get("edges", ()):
        tail, head = names[item["tail"]], names[item["head"]]
        kind, arrow, label = plan.pieces[tail, head]
        points = _spline(item["pos"], height)
        ends = (ports.get(tail), ports.get(head))
        paths.append(Path(_straight_ends(points, *ends), kind, arrow, label))
    return Layout(width, height, boxes, tuple(paths))

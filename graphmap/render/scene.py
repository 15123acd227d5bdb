"""What a picture shows, decided once; writers and layout only follow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal[
    "input", "layer", "op", "loss", "output", "training",
    "matched", "ambiguous", "unmatched", "unused",
    "dropped", "added", "changed", "renamed", "same",
]  # fmt: skip
EdgeKind = Literal["data", "training"]
FrameKind = Literal["scope", "loop", "condition"]


class Row(NamedTuple):
    """One line of a card. ops, weights, shape: texts, "" where there is nothing to say."""

    title: str
    ops: str
    weights: str
    shape: str
    kind: Kind
    nodes: int = 0  # graph nodes that this row stands for; 0 in training lanes


class Card(NamedTuple):
    """A box: a table of rows. parent: id of its frame, "" at the root. times: equal copies."""

    id: str
    header: str
    rows: tuple[Row, ...]
    parent: str
    times: int = 1
    note: str = ""


class Frame(NamedTuple):
    """A scope that is drawn open. note: "in series", "in parallel" or "". path: its full name."""

    id: str
    title: str
    parent: str
    times: int = 1
    note: str = ""
    path: str = ""
    kind: FrameKind = "scope"


class Edge(NamedTuple):
    """An arrow between two cards."""

    source: str
    target: str
    kind: EdgeKind


class Omitted(NamedTuple):
    """How many nodes are left out, and why."""

    reason: str
    nodes: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture, without coordinates.

    The nodes of all rows and the counts of `omitted` add up to `nodes`; without a graph it is
    variables that are counted, and `counted` says so.
    """

    title: str
    facts: str
    nodes: int
    cards: tuple[Card, ...]
    frames: tuple[Frame, ...]
    edges: tuple[Edge, ...]
    omitted: tuple[Omitted, ...]
    knobs: tuple[str, ...] = ()
    counted: str = "nodes"


class Box(NamedTuple):
    """A rectangle in px; x, y is the upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Path(NamedTuple):
    """A cubic B-spline: a start point, then three points for each piece. label: what flows."""

    points: tuple[tuple[float, float], ...]
    kind: EdgeKind
    arrow: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where cards, frames and edges of a scene lie."""

    width: float
    height: float
    boxes: dict[str, Box]
    paths: tuple[Path, ...]

"""Artifacts without a graph: the scope tree of their variables, as an indented list of cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from graphmap.errors import RenderError
from graphmap.model.variable import Variable
from graphmap.render.hierarchy import scopes_of
from graphmap.render.marks import words_of, worst
from graphmap.render.measure import card_size
from graphmap.render.scene import Box, Card, Edge, Kind, Layout, Omitted, Path, Row
from graphmap.render.selection import propose
from graphmap.render.text import count_text, shape_text

__all__ = ["Tree", "draw_tree", "place_tree"]

_LINES = 50  # rows of one picture
_DEEPEST = 40  # levels of scopes
_ROWS = 12  # variables that one card lists
_INDENT = 28.0
_GAP = 10.0


@dataclass(slots=True)
class _Branch:
    title: str
    variables: list[Variable] = field(default_factory=list)
    children: list[_Branch] = field(default_factory=list)
    times: int = 1

    def everything(self) -> list[Variable]:
        """Return all variables at and below this branch; left-out copies are not in it."""
        return [variable for branch in self.walk() for variable in branch.variables]

    def walk(self) -> Iterator[_Branch]:
        stack = [self]
        while stack:
            branch = stack.pop()
            yield branch
            stack.extend(reversed(branch.children))


@dataclass(frozen=True, slots=True)
class Tree:
    """Cards in reading order, edges from parent to child, and what is left out."""

    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    omitted: tuple[Omitted, ...]
    depth_of: dict[str, int]


def draw_tree(
    variables: tuple[Variable, ...],
    status: dict[str, Kind],
    *,
    remarks: dict[str, str] | None = None,
    scope: str | None = None,
    depth: int | None = None,
    lines: int | None = None,
) -> Tree:
    """Return the tree of scopes, opened as far as about `lines` rows allow."""
    shown = [v for v in variables if v.role in ("weight", "other")]
    omitted: Counter[str] = Counter(
        f"{variable.role} variables" for variable in variables if variable.role not in
        ("weight", "other")
    )  # fmt: skip
    if scope is not None:
        shown, elsewhere = _inside(shown, scope.strip("/"))
        omitted["outside this scope"] += elsewhere
    root = _grow(shown)
    omitted["repeats of drawn blocks"] += _fold(root, {v.name for v in shown if v.name in status})
    opened = _open(root, depth, lines or _LINES)
    writer = _Writer(opened, status, remarks or {})
    writer.write(root)
    left = tuple(Omitted(reason, count) for reason, count in omitted.items() if count)
    return Tree(tuple(writer.cards), tuple(writer.edges), left, writer.depth_of)


def _inside(variables: list[Variable], scope: str) -> tuple[list[Variable], int]:
    kept = [v for v in variables if v.name == scope or v.name.startswith(f"{scope}/")]
    if kept:
        return kept, len(variables) - len(kept)
    known: dict[str, None] = {}
    for variable in variables:
        known.update(dict.fromkeys(scopes_of(variable.name)))
    remedy = propose(scope, known) or f"Its scopes: {', '.join(list(known)[:8])}."
    raise RenderError("is no scope of this artifact", where=repr(scope), remedy=remedy)


def _grow(variables: list[Variable]) -> _Branch:
    root = _Branch("")
    found: dict[str, _Branch] = {"": root}
    for variable in variables:
        path, branch = "", root
        for part in variable.name.split("/", _DEEPEST)[:-1]:
            path = f"{path}/{part}"
            child = found.get(path)
            if child is None:
                child = found[path] = _Branch(part)
                branch.children.append(child)
            branch = child
        branch.variables.append(variable)
    for branch in root.walk():
        for place, first in enumerate(branch.children):
            child, title = first, first.title
            while not child.variables and len(child.children) == 1:
                child = child.children[0]
                title = f"{title}/{child.title}"
            child.title = title
            branch.children[place] = child
    return root


def _fold(root: _Branch, with_status: set[str]) -> int:
    """Draw equal siblings once, xN; with a name map every block is drawn, it has its own status."""
    dropped = 0
    if with_status:
        return 0
    for branch in root.walk():
        groups: dict[object, list[_Branch]] = {}
        for child in branch.children:
            shape = tuple(
                (inner.title if inner is not child else "",
                 tuple((v.name.rpartition("/")[2], v.shape, v.dtype) for v in inner.variables))
                for inner in child.walk()
            )  # fmt: skip
            groups.setdefault(shape, []).append(child)
        kept = []
        for members in groups.values():
            if len(members) == 1 or len(members[0].everything()) * len(members) < 6:
                kept.extend(members)
                continue
            first = members[0]
            first.times = len(members)
            dropped += sum(len(member.everything()) for member in members[1:])
            first.title = f"{first.title} … {members[-1].title.rpartition('/')[2]}"
            kept.append(first)
        order = {id(child): place for place, child in enumerate(branch.children)}
        branch.children = sorted(kept, key=lambda child: order[id(child)])
    return dropped


def _open(root: _Branch, depth: int | None, lines: int) -> set[int]:
    """Return ids of the branches that are opened, level by level while the rows suffice."""
    opened = {id(root)}
    used = len(root.children) + len(root.variables)
    level, deep = list(root.children), 0
    while level and (depth is None or deep < depth):
        following: list[_Branch] = []
        for branch in level:
            need = len(branch.children) + len(branch.variables)
            if used + need <= lines and len(branch.variables) <= _ROWS:
                opened.add(id(branch))
                used += need
                following.extend(branch.children)
        level, deep = following, deep + 1
    return opened


class _Writer:
    def __init__(self, opened: set[int], status: dict[str, Kind], remarks: dict[str, str]) -> None:
        self.remarks = remarks
        self.opened = opened
        self.status = status
        self.cards: list[Card] = []
        self.edges: list[Edge] = []
        self.depth_of: dict[str, int] = {}

    def write(self, root: _Branch) -> None:
        if root.variables:
            shown = root.variables[: 2 * _ROWS]
            rows = [self._variable(variable) for variable in shown]
            rest = root.variables[len(shown) :]
            if rest:
                rows.append(self._summary(f"{len(rest)} more variables", rest))
            self._add("", tuple(rows), 0, "", 1)
        stack = [(child, 0, "") for child in reversed(root.children)]
        while stack:
            branch, depth, parent = stack.pop()
            if id(branch) not in self.opened:
                row = self._summary(branch.title, branch.everything())
                self._add("", (row,), depth, parent, branch.times)
                continue
            rows_of = tuple(self._variable(variable) for variable in branch.variables)
            if rows_of:
                name = self._add(branch.title, rows_of, depth, parent, branch.times)
            else:
                total = branch.everything()
                row = self._summary(branch.title, total)._replace(nodes=0)
                name = self._add("", (row,), depth, parent, branch.times)
            stack.extend((child, depth + 1, name) for child in reversed(branch.children))

    def _add(self, header: str, rows: tuple[Row, ...], depth: int, parent: str, times: int) -> str:
        name = f"c{len(self.cards)}"
        self.cards.append(Card(name, header, rows, "", times))
        self.depth_of[name] = depth
        if parent:
            self.edges.append(Edge(parent, name, "data"))
        return name

    def _variable(self, variable: Variable) -> Row:
        title = variable.name.rpartition("/")[2]
        kind = self._kind([variable])
        shape = shape_text(variable.shape)
        return Row(title, self._status_word(kind, [variable]), "", shape, kind, 1)

    def _summary(self, title: str, variables: list[Variable]) -> Row:
        count = f"{len(variables)} variables" if len(variables) != 1 else "1 variable"
        total = sum(prod(size or 0 for size in v.shape) for v in variables if v.shape is not None)
        kind = self._kind(variables)
        text = f"{count}, {count_text(total)} parameters"
        return Row(title, text, self._status_word(kind, variables), "", kind, len(variables))

    def _status_word(self, kind: Kind, variables: list[Variable]) -> str:
        if not self.status:
            return ""
        own = [v.name for v in variables if self.status.get(v.name) == kind]
        return words_of(kind, [self.remarks.get(name, "") for name in own])

    def _kind(self, variables: list[Variable]) -> Kind:
        return worst(self.status[v.name] for v in variables if v.name in self.status) or "layer"


def place_tree(tree: Tree) -> Layout:
    """Return an indented list: each card below the last one, lines from parent to child."""
    boxes: dict[str, Box] = {}
    y = width = 0.0
    for card in tree.cards:
        wide, tall = card_size(card)
        x = tree.depth_of[card.id] * _INDENT
        boxes[card.id] = Box(x, y, wide, tall)
        y += tall + _GAP
        width = max(width, x + wide + 6)
    paths = []
    for edge in tree.edges:
        above, below = boxes[edge.source], boxes[edge.target]
        x, middle = above.x + _INDENT / 2, below.y + min(below.height / 2, 12)
        start, corner, end = (x, above.y + above.height), (x, middle), (below.x, middle)
        paths.append(Path((start, start, corner, corner, corner, end, end), "data", False))
    return Layout(width, max(y - _GAP, 0.0), boxes, tuple(paths))

"""Which scopes are drawn open: as many as fit on a page, by measuring the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from graphmap.model.graph import GraphModel
from graphmap.render.cards import Cards, build_cards
from graphmap.render.hierarchy import Scope, scopes_of
from graphmap.render.scene import Layout
from graphmap.render.units import LOOSE, Drawing, chain_of

__all__ = ["TOO_LARGE", "Limits", "fit", "scope_names"]

PAGE = (1400.0, 2300.0)  # px; what a screen and a printed page still show legibly
CARDS = 60
WIDEST = 1960.0  # px; no page is wider, margins left out
_EDGES = 300  # more make a thicket, and an engine's time grows faster than they do
_MOST_LOOSE = 1000  # loose ops in one scope that are tried one by one at all
_CROWD = 40  # loose ops in one scope that are united before anything else closes
_FAR_OVER = 1.5  # times the wanted cards: several groups close before counting again
_VERY_FAR_OVER = 8  # a quarter of all closes at once
_MOST_BUILDS = 12  # after so many, closing goes on in large steps
_LEAST_CARDS = 4
_GREATEST_STEP = 1.5  # cards are cut to this part at most before the page is measured again
_REOPENINGS = 8


TOO_LARGE = Layout(10 * WIDEST, 10 * WIDEST, {}, ())  # what is not worth an engine's time


class Limits(NamedTuple):
    """depth: levels of frames. cards: most boxes. None: as fits. page: width, height in px."""

    depth: int | None = None
    cards: int | None = None
    page: tuple[float, float] = PAGE

    @property
    def widest(self) -> float:
        """The width in px beyond which a picture is none."""
        return WIDEST * self.page[0] / PAGE[0]


Measure = Callable[[Cards], Layout]


def fit(drawing: Drawing, limits: Limits, measure: Measure) -> tuple[Cards, Layout]:
    """Return the most detailed cards that fit on a page, and their layout.

    Scopes off the way to a loss close first, then the deepest; scopes of similar size in one
    parent close together. What closed and would fit after all opens again, largest first.
    The layout is TOO_LARGE, or wider than WIDEST, where nothing fits.
    """
    scopes = _worth_opening(drawing, limits.depth)
    limit = max(_MOST_LOOSE, limits.cards or 0)
    loose = {LOOSE + s.path: s for s in (drawing.root, *scopes.values()) if len(s.ops) <= limit}
    on_path = _on_loss_path(drawing)
    scopes = {p: s for p, s in scopes.items() if p in on_path or not on_path}
    alike = {path: _words(drawing, scope) for path, scope in scopes.items()}
    opened = {**loose, **scopes}
    closed: list[frozenset[str]] = []
    most = limits.cards or CARDS
    largest: tuple[Cards, Layout] | None = None  # a large page says more than one box
    builds = 0
    while True:
        cards = build_cards(drawing, opened)
        while (len(cards.cards) > most or len(cards.edges) > _EDGES) and opened:
            excess = max(len(cards.cards) / most, len(cards.edges) / _EDGES)
            builds += 1
            is_slow = builds > _MOST_BUILDS
            part = 4 if excess > _VERY_FAR_OVER or is_slow else 20
            step = max(1, len(opened) // part) if excess > _FAR_OVER or is_slow else 1
            for _ in range(step):
                _close(opened, on_path, alike, closed)
            cards = build_cards(drawing, opened)
        layout = measure(cards) if len(cards.edges) <= _EDGES else TOO_LARGE
        if _fits(cards, layout, limits):
            break
        too_large = max(layout.width / limits.page[0], layout.height / limits.page[1])
        wanted = int(len(cards.cards) / min(too_large, _GREATEST_STEP))
        most = min(most, wanted, len(cards.cards) - 1)
        if len(cards.cards) >= _LEAST_CARDS and layout.width <= limits.widest:
            largest = (cards, layout)
        if not _close(opened, on_path, alike, closed):
            break
    fitted = _reopen(drawing, limits, measure, opened, closed, (cards, layout))
    is_poor = len(fitted[0].cards) < _LEAST_CARDS and limits.cards is None
    return largest if is_poor and largest is not None else fitted


def _close(
    opened: dict[str, Scope],
    on_path: set[str],
    alike: dict[str, int],
    closed: list[frozenset[str]],
) -> bool:
    """Close the next scopes; False where none is left."""
    batch = _next_to_close(opened, on_path, alike)
    for path in batch:
        del opened[path]
    if batch:
        closed.append(batch)
    return bool(batch)


def _fits(cards: Cards, layout: Layout, limits: Limits) -> bool:
    if len(cards.cards) > (limits.cards or CARDS):
        return False
    if limits.cards is not None:  # the reader asked for so many boxes, whatever the page
        return True
    return layout.width <= limits.page[0] and layout.height <= limits.page[1]


def _worth_opening(drawing: Drawing, depth: int | None) -> dict[str, Scope]:
    """Return the scopes that show more open than closed: no short chains of loose ops."""
    levels = {"": 0}
    found = {}
    for scope in drawing.root.walk():
        if scope.parent is None:
            continue
        level = levels[scope.path] = levels[scope.parent.path] + 1
        if depth is not None and level > depth:
            continue
        if scope.parent.path not in found and scope.parent.parent is not None:
            continue
        ops = scope.all_ops() if len(scope.ops) <= 8 else scope.ops
        if len(ops) <= 1 or (chain_of(drawing, ops) and not scope.children):
            continue
        found[scope.path] = scope
    return found


def _on_loss_path(drawing: Drawing) -> set[str]:
    """Return the scopes with an op that a loss or an output of a signature depends on."""
    forward = drawing.forward
    stack = [op for op in (*forward.losses, *forward.outputs) if op in drawing.producers]
    seen = set(stack)
    while stack:
        for producer in drawing.producers[stack.pop()]:
            if producer not in seen:
                seen.add(producer)
                stack.append(producer)
    found = set()
    for scope in drawing.root.walk():
        if not seen.isdisjoint(scope.ops):
            above: Scope | None = scope
            while above is not None and above.path not in found:
                found.add(above.path)
                above = above.parent
    return found


def _words(drawing: Drawing, scope: Scope) -> int:
    """Return a number that scopes of the same ops in the same order share."""
    return hash(tuple(drawing.graph.nodes[op].op for op in scope.all_ops()))


def _next_to_close(
    opened: dict[str, Scope], on_path: set[str], alike: dict[str, int]
) -> frozenset[str]:
    """Return innermost open scopes of one parent and similar size, and all of the same ops."""
    scopes = {path: scope for path, scope in opened.items() if not path.startswith(LOOSE)}
    parents = {scope.parent.path for scope in scopes.values() if scope.parent is not None}
    leaves = [scope for path, scope in scopes.items() if path not in parents]
    crowd = _most_crowded(opened)
    if not leaves or (crowd is not None and len(crowd.ops) > _CROWD):
        return frozenset({LOOSE + crowd.path} if crowd is not None else ())
    sizes = {scope.path: len(scope.all_ops()) for scope in leaves}
    worst = min(
        leaves,
        key=lambda s: (s.path in on_path, -s.path.count("/"), sizes[s.path], s.path),
    )
    size = sizes[worst.path]
    return frozenset(
        scope.path
        for scope in leaves
        if alike[scope.path] == alike[worst.path]
        or (scope.parent is worst.parent and size <= 2 * sizes[scope.path] <= 4 * size)
    )


def _most_crowded(opened: dict[str, Scope]) -> Scope | None:
    crowds = [scope for path, scope in opened.items() if path.startswith(LOOSE)]
    return max(crowds, key=lambda scope: (len(scope.ops), scope.path), default=None)


def _reopen(
    drawing: Drawing,
    limits: Limits,
    measure: Measure,
    opened: dict[str, Scope],
    closed: list[frozenset[str]],
    best: tuple[Cards, Layout],
) -> tuple[Cards, Layout]:
    by_path = {scope.path: scope for scope in drawing.root.walk()}
    by_path.update({LOOSE + path: scope for path, scope in by_path.items()})
    weights = drawing.forward.weights

    def importance(batch: frozenset[str]) -> tuple[int, int, str]:
        ops = [op for path in batch for op in by_path[path].all_ops()]
        return -sum(bool(weights[op]) for op in ops), -len(ops), min(batch)

    tries = 0
    for batch in sorted(closed, key=importance):
        if tries == _REOPENINGS or not _parents_open(batch, by_path, opened):
            continue
        wider = {**opened, **{path: by_path[path] for path in batch}}
        cards = build_cards(drawing, wider)
        if len(cards.cards) > (limits.cards or CARDS) or len(cards.edges) > _EDGES:
            continue
        tries += 1
        layout = measure(cards)
        if _fits(cards, layout, limits):
            opened, best = wider, (cards, layout)
    return best


def _parents_open(
    batch: frozenset[str], by_path: dict[str, Scope], opened: dict[str, Scope]
) -> bool:
    around = [by_path[path] if path.startswith(LOOSE) else by_path[path].parent for path in batch]
    return all(p is None or p.parent is None or p.path in opened for p in around)


def scope_names(graph: GraphModel) -> list[str]:
    """Return every scope of a graph, sorted."""
    return sorted({scope for node in graph.nodes for scope in scopes_of(node.name)})

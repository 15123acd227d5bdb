"""Which part of a graph is drawn: a scope, what is near a node, or the way between two nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from graphmap.errors import RenderError
from graphmap.model.graph import GraphModel
from graphmap.names import op_name
from graphmap.render.fit import scope_names
from graphmap.render.forward import Forward
from graphmap.render.roles import Roles

__all__ = ["Selected", "Selection", "propose", "select"]

_HOPS = 2
_NEAR = 50.0  # least likeness, of 100, of a name that an error proposes
_NAMES = 200_000  # names that are compared for a proposal

Edges = Mapping[int, Iterable[int]]


class Selection(NamedTuple):
    """What the reader asked for; at most one of scope, focus and path. path: (from, to)."""

    scope: str | None = None
    focus: str | None = None
    hops: int | None = None
    path: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """The words that a heading adds; "" for the whole graph."""
        if self.path is not None:
            return f"from {self.path[0]} to {self.path[1]}"
        if self.focus is not None:
            hops = _HOPS if self.hops is None else self.hops
            return f"{self.focus} and {hops} {'hop' if hops == 1 else 'hops'} around"
        return self.scope or ""


class Selected(NamedTuple):
    """elsewhere: nodes that are left out since they are not in the part, by reason.

    is_raw: whether `forward` is the stored graph itself, training and all, not the model in it.
    """

    forward: Forward
    elsewhere: Counter[str]
    is_raw: bool = False


def select(graph: GraphModel, roles: Roles, forward: Forward, chosen: Selection) -> Selected:
    """Return the part that is drawn.

    Nodes that the picture of the model does not show (gradients, savers) are drawn in the stored
    graph itself. Raises RenderError for unknown names and where no way leads.
    """
    if sum(part is not None for part in chosen._replace(hops=None)) > 1:
        raise RenderError(
            "--scope, --focus and --path each choose a part",
            where="render",
            remedy="Give one of them.",
        )
    if chosen.scope is not None:
        kept = _in_scope(graph, forward, chosen.scope)
        return _part(graph, forward, kept, is_raw=False)
    if chosen.focus is not None:
        hops = _HOPS if chosen.hops is None else chosen.hops
        starts = _find(graph, chosen.focus)
        shown = _shown(forward, starts)
        base = forward if shown else _raw(graph)
        return _part(graph, base, _near(base, shown or starts, hops), is_raw=not shown)
    if chosen.path is not None:
        return _path(graph, forward, *chosen.path)
    return Selected(forward, Counter())


def _in_scope(graph: GraphModel, forward: Forward, scope: str) -> set[int]:
    scope = scope.strip("/")
    kept = {
        op
        for op in forward.ops
        if graph.nodes[op].name == scope or graph.nodes[op].name.startswith(f"{scope}/")
    }
    if kept:
        return kept
    known = scope_names(graph)
    where = repr(scope)
    if scope in known:
        raise RenderError(
            "holds no op of the model",
            where=where,
            remedy=f"It holds only training, saving or constants; see it by --focus {scope}.",
        )
    raise RenderError(
        "is no scope of this graph", where=where, remedy=propose(scope, known) or _outer(known)
    )


def propose(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?" with the names most like this one, "" where none is like it."""
    from rapidfuzz import fuzz, process

    names = list(known)[:_NAMES]
    near = process.extract(name, names, scorer=fuzz.ratio, limit=3, score_cutoff=_NEAR)
    return f"Did you mean {', '.join(found for found, *_ in near)}?" if near else ""


def _outer(known: list[str]) -> str:
    outer = [name for name in known if "/" not in name][:8]
    return f"Its outermost scopes: {', '.join(outer)}." if outer else "It has no scopes."


def _find(graph: GraphModel, name: str) -> set[int]:
    """Return the node of this name, or all nodes in the scope of this name."""
    wanted = op_name(name.strip("/"))
    position = graph.index.get(wanted)
    if position is not None:
        return {position}
    inside = {i for i, node in enumerate(graph.nodes) if node.name.startswith(f"{wanted}/")}
    if inside:
        return inside
    remedy = propose(wanted, graph.index) or "graphmap inspect lists the variables and scopes."
    raise RenderError("is no node or scope of this graph", where=repr(name), remedy=remedy)


def _shown(forward: Forward, positions: set[int]) -> set[int]:
    """Return the visible ops among these, and the visible ops that use one as a variable."""
    users = {op for op, weights in forward.weights.items() if positions.intersection(weights)}
    return users | positions.intersection(forward.ops)


def _consumers(forward: Forward) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for op, producers in forward.producers.items():
        for producer in producers:
            found.setdefault(producer, []).append(op)
    return found


def _near(forward: Forward, starts: set[int], hops: int) -> set[int]:
    consumers = _consumers(forward)
    seen, edge = set(starts), set(starts)
    for _ in range(hops):
        near = {p for op in edge for p in (*forward.producers[op], *consumers.get(op, ()))}
        edge = near - seen
        if not edge:
            break
        seen |= edge
    return seen


def _path(graph: GraphModel, forward: Forward, start: str, end: str) -> Selected:
    starts, ends = _find(graph, start), _find(graph, end)
    shown = _shown(forward, starts), _shown(forward, ends)
    is_raw = not (shown[0] and shown[1])
    base = _raw(graph) if is_raw else forward
    first, last = (starts, ends) if is_raw else shown
    consumers = _consumers(base)
    between = _reach(consumers, first) & _reach(base.producers, last)
    if between:
        return _part(graph, base, between, is_raw=is_raw)
    back = _reach(consumers, last) & _reach(base.producers, first)
    remedy = f"One leads the other way: --path {end} {start}." if back else (
        "See what is near each: --focus NODE --hops 3."
    )  # fmt: skip
    raise RenderError(f"no way leads from {start} to {end}", where="--path", remedy=remedy)


def _reach(edges: Edges, starts: set[int]) -> set[int]:
    seen, stack = set(starts), list(starts)
    while stack:
        for following in edges.get(stack.pop(), ()):
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return seen


def _raw(graph: GraphModel) -> Forward:
    """Return the stored graph as it is: every node visible, control edges too."""
    topology = graph.topology
    producers = {}
    for position in range(len(graph.nodes)):
        taken = [p for p, _ in topology.inputs[position] if p >= 0]
        taken += [p for p in topology.controls[position] if p >= 0]
        producers[position] = tuple(dict.fromkeys(taken))
    weights: dict[int, tuple[int, ...]] = dict.fromkeys(producers, ())
    return Forward(tuple(producers), producers, weights, frozenset(), frozenset(), (), {})


def _part(graph: GraphModel, forward: Forward, kept: set[int], *, is_raw: bool) -> Selected:
    producers = {op: tuple(p for p in forward.producers[op] if p in kept) for op in kept}
    part = Forward(
        tuple(sorted(kept)), producers, forward.weights, forward.losses, forward.outputs, (),
        forward.hidden,
    )  # fmt: skip
    elsewhere = Counter({"outside this part": len(forward.ops) - len(kept)})
    return Selected(part, elsewhere, is_raw)

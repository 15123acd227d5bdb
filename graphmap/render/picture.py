"""From an artifact with a graph to a scene and its layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from graphmap.model.graph import GraphModel
from graphmap.model.namemap import NameMap
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.cards import Cards, build_cards
from graphmap.render.engine import EngineFailedError
from graphmap.render.fit import TOO_LARGE, Limits, fit
from graphmap.render.forward import find_forward
from graphmap.render.grid import place_grid
from graphmap.render.hierarchy import build_tree, fold_siblings
from graphmap.render.inlining import inline_calls
from graphmap.render.lanes import Lane, find_lanes
from graphmap.render.layout import lay_out
from graphmap.render.lowering import has_control_flow, lower_control_flow
from graphmap.render.marks import Marks, mark_row, marked_nodes
from graphmap.render.roles import Roles, find_roles
from graphmap.render.scene import Card, Edge, Layout, Omitted, Scene
from graphmap.render.selection import Selected, Selection, select
from graphmap.render.status import map_facts, statuses
from graphmap.render.text import count_text
from graphmap.render.units import Drawing

__all__ = ["OMITTED", "Drawn", "draw_graph", "facts_of", "open_functions", "title_of"]

OMITTED = {
    "save": "save / restore", "init": "initialisers", "summary": "summaries",
    "check": "checks and asserts", "gradients": "gradient ops",
    "clip": "gradient post-processing", "optimizer": "optimizer ops",
    "slot": "optimizer slots and state", "update": "moving averages, variable updates",
    "step": "global step", "pipeline": "input pipeline", "group": "grouping no-ops",
    "unused": "unused reads and constants",
}  # fmt: skip


class Drawn(NamedTuple):
    """A picture, and what it was made from."""

    scene: Scene
    layout: Layout
    drawing: Drawing
    roles: Roles
    lanes: tuple[Lane, ...]


def draw_graph(
    stored: StoredModel,
    graph: GraphModel,
    variables: tuple[Variable, ...],
    train_ops: tuple[TrainOp, ...],
    *,
    name_map: NameMap | None,
    engine: str,
    chosen: Selection,
    limits: Limits,
    marks: Marks | None = None,
) -> Drawn:
    """Return what is drawn and where; raises RenderError for unknown names."""
    graph, roles = open_functions(stored, graph, train_ops)
    selected = select(graph, roles, find_forward(stored, graph, roles), chosen)
    forward = selected.forward
    root = build_tree(graph, forward)
    status, remarks = statuses(graph, variables, name_map), dict[int, str]()
    if marks is not None:
        status, remarks = marked_nodes(graph, variables, marks)
    same_as = fold_siblings(graph, forward, root, status)
    drawn = set(forward.ops).difference(same_as)
    order = tuple(position for position in roles.order if position in drawn)
    drawing = Drawing(graph, forward, root, same_as, status, order, remarks)
    lanes = find_lanes(graph, roles, train_ops) if not chosen.title else ()
    if marks is not None:
        extra = mark_row(marks.training)
        lanes = tuple(
            replace(lane, optimizer=(*lane.optimizer, *extra)) if lane.optimizer else lane
            for lane in lanes
        )

    kinds = tuple(kind for lane in lanes for kind in lane.kinds)

    def measure(cards: Cards) -> Layout:
        lane_cards, lane_edges = _lane_cards(lanes, cards)
        return lay_out(
            (*cards.cards, *lane_cards), cards.frames, (*cards.edges, *lane_edges), engine
        )

    coarse = ""
    try:
        cards, layout = fit(drawing, limits, measure)
        if layout.width > limits.widest:
            coarse = f"{len(cards.edges):,} arrows would be no picture: boxes only"
    except EngineFailedError as cause:  # a coarser picture is better than none
        cards, layout = build_cards(drawing, ()), TOO_LARGE
        coarse = f"{cause.message}: boxes only"
    if coarse:
        cards, layout = place_grid(cards, limits.page[0])
        lanes = ()
    shown = sum(row.nodes for card in cards.cards for row in card.rows)
    lane_cards, lane_edges = _lane_cards(lanes, cards)
    scene = Scene(
        title=title_of(stored, chosen.title),
        facts=" · ".join(
            filter(None, (facts_of(stored, variables, kinds), map_facts(name_map), coarse))
        ),
        nodes=len(graph.nodes),
        cards=(*cards.cards, *lane_cards),
        frames=cards.frames,
        edges=(*cards.edges, *lane_edges),
        omitted=_omitted(roles, selected, len(forward.ops) - shown),
        knobs=forward.knobs,
    )
    return Drawn(scene, layout, drawing, roles, lanes)


def open_functions(
    stored: StoredModel, graph: GraphModel, train_ops: tuple[TrainOp, ...]
) -> tuple[GraphModel, Roles]:
    """Return the graph with the functions of the model opened, and the role of each node."""
    graph = inline_calls(stored, graph)
    roles = find_roles(graph, train_ops)
    if not has_control_flow(graph):
        return graph, roles
    wanted = {
        node.name for node, role in zip(graph.nodes, roles.role, strict=True) if role == "model"
    }
    graph = lower_control_flow(graph, wanted)
    return graph, find_roles(graph, train_ops)


def _lane_cards(lanes: tuple[Lane, ...], cards: Cards) -> tuple[list[Card], list[Edge]]:
    made: list[Card] = []
    edges: list[Edge] = []
    for number, lane in enumerate(lanes):
        gradients = Card(f"g{number}", "", lane.gradients, "")
        made.append(gradients)
        starts = dict.fromkeys(cards.card_of[p] for p in lane.losses if p in cards.card_of)
        edges.extend(Edge(start, gradients.id, "training") for start in starts)
        if lane.optimizer:
            optimizer = Card(f"u{number}", "", lane.optimizer, "")
            made.append(optimizer)
            edges.append(Edge(gradients.id, optimizer.id, "training"))
    return made, edges


def _omitted(roles: Roles, selected: Selected, repeated: int) -> tuple[Omitted, ...]:
    counts: Counter[str] = Counter()
    if not selected.is_raw:
        counts.update(OMITTED[role] for role in roles.role if role in OMITTED)
        counts.update(selected.forward.hidden.values())
    counts["repeats of drawn blocks"] += repeated
    counts.update(selected.elsewhere)
    return tuple(Omitted(reason, count) for reason, count in counts.items() if count)


def title_of(stored: StoredModel, part: str | None = None) -> str:
    """Return the picture's heading: the path's last parts as the user typed it."""
    parts = [part for part in stored.path.replace("\\", "/").split("/") if part not in ("", ".")]
    name = "/".join(parts[-2:]) or stored.kind
    return f"{name} : {part}" if part else name


def facts_of(
    stored: StoredModel, variables: tuple[Variable, ...], optimizers: tuple[str, ...] = ()
) -> str:
    """Return the line under the heading, facts joined by middle dots."""
    facts = [stored.kind]
    if stored.graph is not None:
        count = len(stored.graph.nodes)
        facts.append(f"{count:,} nodes" if count != 1 else "1 node")
        if stored.graph.functions:
            facts.append(f"{len(stored.graph.functions):,} functions")
    if variables:
        weights = [v for v in variables if v.role == "weight"]
        sizes = [v.shape for v in weights if v.shape is not None and None not in v.shape]
        total = 0
        for shape in sizes:
            product = 1
            for size in shape:
                product *= size or 0
            total += product
        facts.append(f"{len(variables):,} variables")
        facts.append(f"{len(weights):,} weights with {count_text(total)} parameters")
    if optimizers:
        facts.append(f"trained by {', '.join(dict.fromkeys(optimizers))}")
    signatures = sorted(key for key in stored.meta.signatures if not key.startswith("__"))
    if signatures:
        word = "signature" if len(signatures) == 1 else "signatures"
        facts.append(f"{word} {', '.join(signatures)}")
    if stored.producer:
        facts.append(stored.producer.replace("tensorflow", "TensorFlow"))
    return " · ".join(facts)

"""Pictures of artifacts, and exports for other viewers; nothing is executed."""

from __future__ import annotations

from collections.abc import Callable

from graphmap.errors import RenderError
from graphmap.model.namemap import NameMap
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.dot import write_dot
from graphmap.render.engine import ENGINES
from graphmap.render.fit import Limits
from graphmap.render.marks import Mark, Marks
from graphmap.render.picture import draw_graph, facts_of, title_of
from graphmap.render.scene import Layout, Scene
from graphmap.render.selection import Selection
from graphmap.render.status import map_facts, status_by_name
from graphmap.render.svg import write_svg
from graphmap.render.tree import draw_tree, place_tree

__all__ = [
    "ENGINES",
    "RENDERERS",
    "Limits",
    "Mark",
    "Marks",
    "Selection",
    "build_picture",
    "render_artifact",
    "render_pair",
]  # fmt: skip

_WHOLE = Selection()
Writer = Callable[[Scene, Layout], bytes]


def _write_png(scene: Scene, layout: Layout) -> bytes:
    from graphmap.render.raster import write_png  # only who wants one pays for its import

    return write_png(scene, layout)


def _write_pdf(scene: Scene, layout: Layout) -> bytes:
    from graphmap.render.pdf import write_pdf

    return write_pdf(scene, layout)


# To add a format: write its file, add it here, write its test.
RENDERERS: tuple[tuple[str, Writer], ...] = (
    ("svg", write_svg),
    ("png", _write_png),
    ("pdf", _write_pdf),
    ("dot", lambda scene, _layout: write_dot(scene)),
)


def render_artifact(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    train_ops: tuple[TrainOp, ...],
    *,
    name_map: NameMap | None = None,
    format: str = "svg",  # noqa: A002  # the flag's word
    engine: str = "graphviz-pure",
    depth: int | None = None,
    scope: str | None = None,
    max_nodes: int | None = None,
    focus: str | None = None,
    hops: int | None = None,
    path: tuple[str, str] | None = None,
) -> bytes:
    """Return the picture of an artifact as bytes; without a graph, its variables' scope tree.

    depth: levels of scopes that may be drawn open. max_nodes: most boxes of the model.
    Of the graph only a part: scope, or focus (a node) with what is `hops` around, or path (from
    one node to another).
    Raises RenderError for an unknown format, engine or scope, and where the engine fails.
    """
    limits = Limits(depth, max_nodes)
    chosen = Selection(scope, focus, hops, path)
    if format == "html":
        from graphmap.render.page import write_graph_page

        return write_graph_page(
            stored, variables, train_ops,
            name_map=name_map, engine=engine, chosen=chosen, limits=limits,
        )  # fmt: skip
    writer = dict(RENDERERS).get(format)
    if writer is None:
        from graphmap.render.exports import EXPORTS, export

        if format in dict(EXPORTS):
            return export(format, stored, variables, name_map)
        words = ", ".join(("html", *dict(RENDERERS), *dict(EXPORTS)))
        raise RenderError("is no picture format", where=format, remedy=f"Choose one of {words}.")
    scene, layout = build_picture(
        stored, variables, train_ops, name_map=name_map, engine=engine,
        chosen=chosen, limits=limits,
    )  # fmt: skip
    return writer(scene, layout)


def build_picture(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    train_ops: tuple[TrainOp, ...],
    *,
    name_map: NameMap | None = None,
    engine: str = "graphviz-pure",
    chosen: Selection = _WHOLE,
    limits: Limits | None = None,
    marks: Marks | None = None,
) -> tuple[Scene, Layout]:
    """Return what a picture shows and where; with marks, what a comparison says of each part."""
    limits = limits or Limits()
    if stored.graph is not None and stored.graph.nodes:
        drawn = draw_graph(
            stored, stored.graph, variables, train_ops,
            name_map=name_map, engine=engine, chosen=chosen, limits=limits, marks=marks,
        )  # fmt: skip
        return drawn.scene, drawn.layout
    if chosen.focus is not None or chosen.path is not None:
        raise RenderError(
            "has no graph in which a node has neighbours",
            where=stored.path,
            remedy="Choose a part of its variables by --scope.",
        )
    status = status_by_name(variables, name_map)
    remarks: dict[str, str] = {}
    if marks is not None:
        status = {name: mark.kind for name, mark in marks.variables.items()}
        remarks = {name: mark.what for name, mark in marks.variables.items() if mark.what}
    tree = draw_tree(
        variables, status, remarks=remarks,
        scope=chosen.scope, depth=limits.depth, lines=limits.cards,
    )  # fmt: skip
    facts = " · ".join(filter(None, (facts_of(stored, variables), map_facts(name_map))))
    scene = Scene(
        title_of(stored, chosen.title), facts, len(variables),
        tree.cards, (), tree.edges, tree.omitted, counted="variables",
    )  # fmt: skip
    return scene, place_tree(tree)


def render_pair(
    one: tuple[Scene, Layout], other: tuple[Scene, Layout], title: str, facts: str, form: str
) -> bytes:
    """Return two pictures side by side; form: one of RENDERERS. Raises RenderError."""
    writer = dict(RENDERERS).get(form)
    if writer is None:
        words = ", ".join(dict(RENDERERS))
        raise RenderError("draws no pair", where=form, remedy=f"Choose one of {words}.")
    from graphmap.render.pair import beside

    return writer(*beside(one, other, title, facts))

"""A scene as DOT text, for those who draw or edit it with their own Graphviz."""

from __future__ import annotations

from graphmap.render.measure import times_text
from graphmap.render.scene import Card, Frame, Scene
from graphmap.render.text import dot_escape
from graphmap.render.theme import LIGHT

__all__ = ["write_dot"]


def write_dot(scene: Scene) -> bytes:
    """Return DOT as UTF-8; names of the graph stand in labels only, quoted."""
    import graphviz  # type: ignore[import-untyped]  # it ships no types

    root = _digraph(graphviz, None)
    root.attr(label=_quoted(f"{scene.title}\n{scene.facts}"), labelloc="t")
    root.attr("node", shape="box", style="filled", fillcolor="white", fontname="Arial")
    graphs = {"": root}
    for frame in scene.frames:
        graphs[frame.id] = _digraph(graphviz, frame)
    for card in scene.cards:
        colour = LIGHT[card.rows[0].kind]
        graphs[card.parent].node(card.id, label=_quoted(_label(card)), color=colour)
    for frame in reversed(scene.frames):
        graphs[frame.parent].subgraph(graphs[frame.id])
    for edge in scene.edges:
        style = {"style": "dashed"} if edge.kind == "training" else {}
        root.edge(edge.source, edge.target, **style)
    for item in scene.omitted:
        root.body.append(f"\t// not drawn: {item.reason} {item.nodes}\n")
    return str(root.source).encode()


def _digraph(graphviz, frame: Frame | None):  # type: ignore[no-untyped-def]  # lazy import
    if frame is None:
        return graphviz.Digraph("graphmap")
    badge = times_text(frame.times, frame.note)
    label = _quoted(f"{frame.title} {badge}".strip())
    return graphviz.Digraph(f"cluster_{frame.id}", graph_attr={"label": label})


def _label(card: Card) -> str:
    lines = [card.header] if card.header else []
    for row in card.rows:
        lines.append(f"{row.title}  {row.shape}".strip())
        lines.extend(words for words in (row.ops, row.weights) if words)
    badge = times_text(card.times, card.note)
    return "\n".join([*lines, badge] if badge else lines)


def _quoted(text: str) -> str:
    return dot_escape(text)[1:-1]

"""What a page is told of an artifact, in the columns of columns.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from graphmap.model.graph import GraphModel
from graphmap.model.namemap import NameMap
from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.fit import Limits
from graphmap.render.forward import output_shape, variable_shape
from graphmap.render.hierarchy import Scope
from graphmap.render.marks import Marks
from graphmap.render.page.attrs import attr_set
from graphmap.render.page.columns import Words, front_coded, lists
from graphmap.render.picture import OMITTED, Drawn, draw_graph, facts_of, title_of
from graphmap.render.scene import Kind
from graphmap.render.selection import Selection
from graphmap.render.status import status_by_name
from graphmap.render.text import shape_text

__all__ = ["graph_payload"]

_WHOLE = Selection()
_MOST_NODES = 300_000  # beyond these a page holds the drawn ops and the variables only
_MOST_ATTRS = 150_000  # nodes up to which a page tells every attribute


def graph_payload(
    stored: StoredModel,
    variables: tuple[Variable, ...],
    train_ops: tuple[TrainOp, ...],
    *,
    name_map: NameMap | None = None,
    engine: str = "graphviz-pure",
    chosen: Selection = _WHOLE,
    limits: Limits | None = None,
    marks: Marks | None = None,
) -> dict[str, Any]:
    """Return the content of the page; without a graph only variables.

    marks: what a comparison says of each part. The page opens on the same scopes as the static
    picture. Raises RenderError as that does.
    """
    content: dict[str, Any] = {
        "kind": "graph",
        "title": title_of(stored, chosen.title),
        "facts": facts_of(stored, variables),
        "warnings": list(stored.warnings),
        "train_ops": [asdict(train_op) for train_op in train_ops],
        "signatures": {
            name: {"inputs": _ends(signature.inputs), "outputs": _ends(signature.outputs)}
            for name, signature in sorted(stored.meta.signatures.items())
        },
    }
    status = status_by_name(variables, name_map)
    if marks is not None:
        status = {name: mark.kind for name, mark in marks.variables.items()}
    if stored.graph is None or not stored.graph.nodes:
        return {**content, "variables": _variables(variables, {}, status, name_map)}
    drawn = draw_graph(
        stored, stored.graph, variables, train_ops,
        name_map=name_map, engine=engine, chosen=chosen, limits=limits or Limits(),
        marks=marks,
    )  # fmt: skip
    graph = drawn.drawing.graph
    place = _kept(drawn)
    scene = drawn.scene
    return {
        **content,
        "facts": scene.facts,
        "knobs": list(scene.knobs),
        "omitted": [tuple(omitted) for omitted in scene.omitted],
        "left_out": len(graph.nodes) - len(place),
        "nodes": _nodes(graph, place, _reasons(drawn)),
        "marks": _marks(drawn, place) if marks is not None else None,
        "model": _model(drawn, place),
        "scopes": _scopes(drawn, place),
        "lanes": [
            {
                "losses": [place[loss] for loss in lane.losses if loss in place],
                "gradients": [_row(row) for row in lane.gradients],
                "optimizer": [_row(row) for row in lane.optimizer],
                "variables": [place[v] for v in lane.variables if v in place],
            }
            for lane in drawn.lanes
        ],
        "variables": _variables(variables, graph.index, status, name_map, place),
    }


def _ends(infos: Any) -> list[tuple[str, str, str, str]]:
    return [(n, i.tensor, i.dtype, shape_text(i.shape)) for n, i in sorted(infos.items())]


def _row(row: Any) -> list[str]:
    return [row.title, row.ops, row.weights, row.shape, row.kind]


def _kept(drawn: Drawn) -> dict[int, int]:
    """Return {position in the graph: position in the page} of the nodes that the page tells of."""
    nodes, forward = drawn.drawing.graph.nodes, drawn.drawing.forward
    if len(nodes) <= _MOST_NODES:
        return {position: position for position in range(len(nodes))}
    wanted = set(forward.ops[:_MOST_NODES])
    wanted.update(w for op in tuple(wanted) for w in forward.weights[op])
    return {position: place for place, position in enumerate(sorted(wanted))}


def _reasons(drawn: Drawn) -> dict[int, str]:
    """Return why each node that is no box of the picture is none."""
    found = dict(drawn.drawing.forward.hidden)
    for position, role in enumerate(drawn.roles.role):
        if role in OMITTED:
            found[position] = OMITTED[role]
    return found


def _marks(drawn: Drawn, place: dict[int, int]) -> dict[str, Any]:
    """Return the state of every compared node, and what has changed in those that differ."""
    states, told = Words(), drawn.drawing.status
    return {
        "state": [states.number(told.get(position, "")) for position in place],
        "states": list(states.known),
        "what": [(place[at], what) for at, what in drawn.drawing.remarks.items() if at in place],
    }


def _nodes(graph: GraphModel, place: dict[int, int], reasons: dict[int, str]) -> dict[str, Any]:
    ops, whys, shapes, sets, devices = Words(), Words(), Words(), Words(), Words()
    whys.number("")
    kept = [graph.nodes[position] for position in place]
    is_full = len(kept) <= _MOST_ATTRS
    shared, names = front_coded([node.name for node in kept])
    topology = graph.topology
    inputs = [[(place.get(p, -1), slot) for p, slot in topology.inputs[q]] for q in place]
    return {
        "shared": shared,
        "names": names,
        "op": ops.column(node.op for node in kept),
        "why": whys.column(reasons.get(position, "") for position in place),
        "shape": shapes.column(shape_text(output_shape(graph, position)) for position in place),
        "attrs": sets.column(attr_set(node) for node in kept) if is_full else [],
        "device": devices.column(node.device for node in kept),
        "inputs": lists([[p for p, _ in one] for one in inputs]),
        "slots": [slot for one in inputs for _, slot in one],
        "controls": lists([[place.get(p, -1) for p in topology.controls[q]] for q in place]),
        "words": {
            "op": list(ops.known), "why": list(whys.known), "shape": list(shapes.known),
            "attrs": list(sets.known), "device": list(devices.known),
        },
    }  # fmt: skip


def _model(drawn: Drawn, place: dict[int, int]) -> dict[str, Any]:
    forward, graph = drawn.drawing.forward, drawn.drawing.graph
    ops = [op for op in forward.ops if op in place]
    here = [place[op] for op in ops]
    kept = set(ops)
    weights = sorted({w for op in ops for w in forward.weights[op]} & place.keys())
    return {
        "ops": here,
        "producers": lists([[place[p] for p in forward.producers[op] if p in kept]
                             for op in ops], here),
        "weights": lists([[place[w] for w in forward.weights[op] if w in place]
                           for op in ops], here),
        "losses": sorted(place[op] for op in forward.losses if op in place),
        "outputs": sorted(place[op] for op in forward.outputs if op in place),
        "shapes": [[place[w], list(shape) if (shape := variable_shape(graph, w)) is not None
                    else None] for w in weights],
    }  # fmt: skip


def _scopes(drawn: Drawn, place: dict[int, int]) -> dict[str, Any]:
    """Return the tree, parents first; `ops` is the scope of each drawn op that is in no copy."""
    scopes: list[Scope] = list(drawn.drawing.root.walk())
    number = {id(scope): index for index, scope in enumerate(scopes)}
    opened = {frame.path for frame in drawn.scene.frames}
    same_as = drawn.drawing.same_as
    copies = [op for op in same_as if op in place and same_as[op] in place]
    return {
        "parent": [-1 if s.parent is None else number[id(s.parent)] for s in scopes],
        "name": [s.path[len(s.parent.path) if s.parent else 0 :] for s in scopes],
        "title": [s.title for s in scopes],
        "times": [s.times for s in scopes],
        "note": [s.note for s in scopes],
        "ops": [[place[op] for op in scope.ops if op in place] for scope in scopes],
        "copies": [[place[op], place[same_as[op]]] for op in copies],
        "opened": [index for index, scope in enumerate(scopes) if scope.path in opened],
    }


def _variables(
    variables: tuple[Variable, ...],
    index: dict[str, int],
    status: dict[str, Kind],
    name_map: NameMap | None,
    place: dict[int, int] | None = None,
) -> list[list[Any]]:
    """Return name, shape, dtype, role, slot_of, slot, key, bytes, node, status, expected."""
    asked: dict[str, list[str]] = {}
    for decision in name_map.matched if name_map is not None else ():
        if decision.actual is not None:
            asked.setdefault(decision.actual, []).append(decision.expected)
    rows = []
    for v in variables:
        nodes = [part.node for part in v.parts] or [v.node or v.name]
        at = (place or {}).get(index.get(nodes[0], -1), -1)
        shape = None if v.shape is None else list(v.shape)
        rows.append([
            v.name, shape, v.dtype, v.role, v.slot_of, v.slot, v.checkpoint_key, v.bytes, at,
            status.get(v.name, ""), ", ".join(asked.get(v.name, ())),
        ])  # fmt: skip
    return rows

"""Who feeds whom, and with which variables: the neighbourhoods that a review page draws."""

from __future__ import annotations

from typing import Any

from graphmap.model.stored import StoredModel
from graphmap.model.training import TrainOp
from graphmap.model.variable import Variable
from graphmap.render.forward import find_forward, output_shape
from graphmap.render.page.columns import Words, front_coded, lists
from graphmap.render.picture import open_functions
from graphmap.render.text import shape_text

__all__ = ["vicinity"]

_MOST_OPS = 150_000  # beyond these a page has no neighbourhoods


def vicinity(
    stored: StoredModel,
    train_ops: tuple[TrainOp, ...],
    variables: tuple[Variable, ...],
) -> dict[str, Any] | None:
    """Return the ops of the model as columns; None without a graph, or with too large a one.

    weights are positions in `variables`, producers positions among the ops.
    """
    if stored.graph is None or not stored.graph.nodes:
        return None
    graph, roles = open_functions(stored, stored.graph, train_ops)
    forward = find_forward(stored, graph, roles)
    if not forward.ops or len(forward.ops) > _MOST_OPS:
        return None
    place = {position: at for at, position in enumerate(forward.ops)}
    owner = {
        graph.index[node]: at
        for at, variable in enumerate(variables)
        for node in ([part.node for part in variable.parts] or [variable.node or variable.name])
        if node in graph.index
    }
    ops, shapes = Words(), Words()
    shared, names = front_coded([graph.nodes[position].name for position in forward.ops])
    weights = [
        list(dict.fromkeys(owner[w] for w in forward.weights[position] if w in owner))
        for position in forward.ops
    ]
    return {
        "shared": shared,
        "names": names,
        "op": ops.column(graph.nodes[position].op for position in forward.ops),
        "shape": shapes.column(shape_text(output_shape(graph, p)) for p in forward.ops),
        "producers": lists(
            [[place[p] for p in forward.producers[op] if p in place] for op in forward.ops]
        ),
        "weights": lists(weights),
        "words": {"op": list(ops.known), "shape": list(shapes.known)},
    }

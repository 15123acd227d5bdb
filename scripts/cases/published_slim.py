"""The side of TF1 layer code (slim) for published.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cases.libraries import slim_graph
from cases.nets import tf1, variables_of
from cases.published import Arrays, Side, Unit, leaf_of, plain


def slim_side(
    build: Callable[[Any, bool], Any], shape: tuple[int, ...], flat: tuple[str, ...] = ()
) -> Side:
    """Note the layers of TF1 layer code, made in the order they run; the listing is of training.

    flat: convolutions over the whole picture, which are dense layers elsewhere.
    """
    shown, _, _, _ = slim_graph(build, shape, True)
    _, _, _, made = slim_graph(build, shape, False)
    units: dict[str, Unit] = {}
    for variable in made:
        head, _, leaf = variable.op.name.rpartition("/")
        size, name = tuple(variable.shape.as_list()), variable.op.name
        unit = units.setdefault(head, Unit("layer"))
        if leaf == "weights":
            kernel = leaf_of(name, size, range(len(size)), 4 - len(size))
            if head.endswith(flat):
                kernel.whole = (1, 1, int(np.prod(size[:3])), size[3])
            unit.leaves["kernel"] = kernel
        else:
            unit.leaves["bias"] = plain(name, size)

    def run(values: Arrays, x: np.ndarray) -> np.ndarray:
        ready, image, out, variables = slim_graph(build, shape, False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            starts = {v.initializer.inputs[1]: values[v.op.name] for v in variables}
            session.run([v.initializer for v in variables], starts)
            return session.run(out, {image: x})

    return Side(variables_of(shown), list(units.values()), run, shown.as_graph_def())

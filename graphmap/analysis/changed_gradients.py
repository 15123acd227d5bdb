"""What a stored graph does to gradients before its updates take them: clipping, scaling, averages.

An optimizer elsewhere knows nothing of it: its rule alone does not make the same steps.
"""

from __future__ import annotations

import re

from graphmap.analysis.gradients import gradient_scope_of
from graphmap.analysis.ops import VARIABLE_OPS
from graphmap.analysis.updates import Training, upstream

__all__ = ["changed_gradient"]

# What stands between a gradient and its fused update in `apply_gradients` itself: control edges
# on an Identity, rows that occur twice summed up (optimizer.py: _deduplicate_indexed_slices).
_CARRIES = frozenset({"Identity", "UnsortedSegmentSum", "Snapshot"})
_OF_THE_UPDATE = re.compile(r"(?:^|/)update(?:_[^/]*)?/")  # optimizer.py: name_scope("update_" + v)


def changed_gradient(training: Training, train_op: str) -> str | None:
    """Return the op that hands an update of `train_op` what is no raw gradient; None without one.

    The first in the order of nodes of the updates.
    """
    graph = training.graph
    root = graph.index.get(train_op)
    if root is None:
        return None
    cone = upstream(graph, [root])
    for update in sorted(at for at in training.updates if at in cone):
        if training.writes.by_node[update].applies:
            found = _changed_before(training, update)
            if found is not None:
                return graph.nodes[found].name
    return None


def _changed_before(training: Training, update: int) -> int | None:
    graph = training.graph
    seen: set[int] = set()
    stack = [source for source, _ in graph.topology.inputs[update][1:]]
    reached = False
    while stack:
        at = stack.pop()
        if at in seen or at < 0 or not training.tainted[at]:
            continue
        seen.add(at)
        node = graph.nodes[at]
        if node.op in VARIABLE_OPS:
            continue  # the slots
        if gradient_scope_of(node.name, training.scopes) is not None:
            reached = True
        elif node.op in _CARRIES or _OF_THE_UPDATE.search(node.name):
            stack.extend(source for source, _ in graph.topology.inputs[at])
        else:
            return at
    return None if reached else update

"""Stored objects beside live ones: what `Checkpoint.restore` follows, edge by edge."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from graphmap.model.meta import ObjectNode
from graphmap.tf.keras.live import LiveModel, LiveWeight
from graphmap.tf.runtime import tensorflow

__all__ = ["near_root", "pair_objects"]

_DEEP_ENOUGH = 3  # edges from the root under which people keep a model


def pair_objects(nodes: Sequence[ObjectNode], live: LiveModel) -> list[dict[LiveWeight, int]]:
    """Return each way in which all weights of a model lie in an object graph: {weight: node}.

    Usually one. Random states may be missing; everything else is there, in equal places.
    """
    children = _live_children(live.model)
    wanted = [weight for weight in live.weights if not weight.is_random_state]
    found: list[dict[LiveWeight, int]] = []
    for root in near_root(nodes, _DEEP_ENOUGH):
        pairs = _walk_both(nodes, root, live, children)
        if all(weight in pairs for weight in wanted) and pairs not in found:
            found.append(pairs)
    return found


def near_root(nodes: Sequence[ObjectNode], depth: int) -> Iterator[int]:
    """Yield the nodes within some edges of the root, nearest first."""
    seen, level = {0}, [0] if nodes else []
    for _ in range(depth + 1):
        yield from level
        below = dict.fromkeys(to for at in level for _, to in nodes[at].children)
        level = [to for to in below if to not in seen]
        seen.update(level)


def _live_children(model: Any) -> dict[int, dict[str, Any]]:
    """Return {id of an object: its children by local name} for all that a model holds."""
    view = tensorflow().train.TrackableView
    found: dict[int, dict[str, Any]] = {}
    queue = deque([model])
    while queue:
        item = queue.popleft()
        if id(item) in found:
            continue
        found[id(item)] = children = dict(view.children(item))
        queue.extend(children.values())
    return found


def _walk_both(
    nodes: Sequence[ObjectNode], root: int, live: LiveModel, children: dict[int, dict[str, Any]]
) -> dict[LiveWeight, int]:
    by_id = {id(weight.variable): weight for weight in live.weights}
    pairs: dict[LiveWeight, int] = {}
    seen: set[tuple[int, int]] = set()
    queue = deque([(root, live.model)])
    while queue:
        at, item = queue.popleft()
        if (at, id(item)) in seen:
            continue
        seen.add((at, id(item)))
        weight = by_id.get(id(item))
        if weight is not None:
            if nodes[at].key is None or pairs.setdefault(weight, at) != at:
                return {}
            continue
        below = dict(nodes[at].children)
        for name, child in children[id(item)].items():
            if name in below and name != "optimizer":
                queue.append((below[name], child))
    return pairs

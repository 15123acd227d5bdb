"""The `tf.gradients` calls of a graph: their scopes, seeds, and what was differentiated.

How seeds look, by age of the producer (read from files of TF 1.0 to 2.21):
    up to 1.2     <scope>/Fill(Shape, Const)
    1.3 to 1.15   <scope>/Fill(Shape, grad_ys_0), grad_ys_0 a Const
    later         <scope>/grad_ys_0 = Fill(Shape, grad_ys_0/Const)
A GradientTape's gradients lie in a scope `gradient_tape`, and start at an op `ones` outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from graphmap.analysis.ops import SUM_OPS
from graphmap.model.graph import GraphModel

__all__ = ["GradientCall", "Seed", "TensorRef", "find_gradient_calls", "gradient_scope_of"]

_GIVEN_SEED = re.compile(r"grad_ys_\d+")
_FILL_SEED = re.compile(r"Fill(_\d+)?")
_TAPE = "gradient_tape"
_TAPE_SEED = re.compile(r"ones(_like)?(_\d+)?")
_SUM_WALK_LIMIT = 10_000  # sums below one seed; more is no loss


class TensorRef(NamedTuple):
    """A tensor of the graph: position of its node, output slot."""

    node: int
    output: int


class Seed(NamedTuple):
    """Where one differentiated tensor's gradient starts.

    node: the seed. y: the differentiated tensor; None where the graph does not tell.
    """

    node: int
    y: TensorRef | None


class GradientCall(NamedTuple):
    """One call of `tf.gradients`, or of a GradientTape; seeds in the order of its ys.

    uses: of a tape, whose differentiated tensor is not told, the forward ops that it looks at.
    """

    scope: str
    seeds: tuple[Seed, ...]
    uses: tuple[int, ...] = ()


def find_gradient_calls(graph: GraphModel) -> tuple[GradientCall, ...]:
    """Return every `tf.gradients` call of the top-level graph, in node order."""
    by_scope: dict[str, dict[int, None]] = {}
    for position, node in enumerate(graph.nodes):
        if node.op != "Fill" and "grad_ys_" not in node.name:
            continue
        scope, _, leaf = node.name.rpartition("/")
        for seed in _seeds_at(graph, position, scope, leaf):
            by_scope.setdefault(scope, {})[seed] = None
    calls = [
        GradientCall(scope, tuple(Seed(at, _differentiated(graph, scope, at)) for at in seeds))
        for scope, seeds in by_scope.items()
    ]
    return (*calls, *_tape_calls(graph))


def _tape_calls(graph: GraphModel) -> Iterator[GradientCall]:
    """Yield the calls of GradientTapes; which tensor they differentiate, no name tells."""
    inside: dict[str, dict[int, None]] = {}
    for position, node in enumerate(graph.nodes):
        if _TAPE not in node.name:
            continue
        before, found, _ = f"/{node.name}".partition(f"/{_TAPE}/")
        if found:
            inside.setdefault(f"{before}/{_TAPE}".removeprefix("/"), {})[position] = None
    for scope, own in inside.items():
        sources: dict[int, None] = {}
        for position in own:
            sources.update((at, None) for at, _ in graph.topology.inputs[position] if at >= 0)
        outside = [at for at in sources if at not in own]
        seeds = [at for at in outside if _is_tape_seed(graph, at)]
        uses = tuple(at for at in outside if at not in seeds)
        yield GradientCall(scope, tuple(Seed(at, None) for at in seeds), uses)


def _is_tape_seed(graph: GraphModel, position: int) -> bool:
    node = graph.nodes[position]
    leaf = node.name.rpartition("/")[2]
    is_made = node.op in {"Const", "Fill", "OnesLike"}
    return is_made and _TAPE_SEED.fullmatch(leaf) is not None


def _seeds_at(graph: GraphModel, position: int, scope: str, leaf: str) -> list[int]:
    op = graph.nodes[position].op
    if _GIVEN_SEED.fullmatch(leaf):
        users = graph.topology.consumers[position]
        fills = [user for user, _ in users if _is_fill_seed(graph, user, scope)]
        return fills if op == "Const" and fills else [position]
    if op == "Fill" and _FILL_SEED.fullmatch(leaf) and _is_old_seed(graph, position, scope):
        return [position]
    return []


def gradient_scope_of(name: str, scopes: tuple[str, ...]) -> str | None:
    """Return the outermost of `scopes` that holds the op `name`, or None."""
    inside = [scope for scope in scopes if name.startswith(f"{scope}/")]
    return min(inside, key=len, default=None)


def _is_fill_seed(graph: GraphModel, position: int, scope: str) -> bool:
    node = graph.nodes[position]
    parent, _, leaf = node.name.rpartition("/")
    return node.op == "Fill" and parent == scope and _FILL_SEED.fullmatch(leaf) is not None


def _is_old_seed(graph: GraphModel, position: int, scope: str) -> bool:
    """A Fill right in a scope is a seed if gradient functions of that scope take it."""
    return any(True for _ in _gradient_users(graph, position, scope))


def _gradient_users(graph: GraphModel, seed: int, scope: str) -> Iterator[str]:
    """Names of the seed's consumers, relative to the scope: `loss/Mean_grad/Reshape`.

    A tensor that was differentiated and also feeds another loss gets its seed through an AddN.
    """
    for consumer, _ in graph.topology.consumers[seed]:
        name = graph.nodes[consumer].name
        if not name.startswith(f"{scope}/"):
            continue
        if "_grad/" in name[len(scope) :]:
            yield name[len(scope) + 1 :]
        elif graph.nodes[consumer].op == "AddN" and consumer > seed:
            yield from _gradient_users(graph, consumer, scope)


def _differentiated(graph: GraphModel, scope: str, seed: int) -> TensorRef | None:
    """Return the tensor whose gradient starts at this seed."""
    shape = _shape_source(graph, seed)
    if shape is not None:
        return shape
    forward: dict[int, None] = {}
    for user in _gradient_users(graph, seed, scope):
        position = _forward_op(graph, scope, user)
        if position >= 0:
            forward[position] = None
    if not forward:
        return None
    if len(forward) == 1:
        return TensorRef(next(iter(forward)), 0)
    return TensorRef(_common_sum(graph, list(forward)), 0)


def _shape_source(graph: GraphModel, seed: int) -> TensorRef | None:
    """Return y where the seed's shape was dynamic, so that it is made by Shape(y)."""
    inputs, nodes = graph.topology.inputs, graph.nodes
    if nodes[seed].op != "Fill" or not inputs[seed]:
        return None
    position = inputs[seed][0][0]
    if position >= 0 and nodes[position].op == "Shape" and inputs[position]:
        producer, output = inputs[position][0]
        return TensorRef(producer, output) if producer >= 0 else None
    return None


def _forward_op(graph: GraphModel, scope: str, user: str) -> int:
    """Return the op whose gradient function `user` belongs to; -1 if it is not in the graph.

    Its name is relative to one of the scopes around `scope`; the innermost that fits is meant.
    """
    cuts = [match.start() for match in re.finditer("_grad/", user)]
    around = scope.split("/")[:-1]
    for cut in reversed(cuts):
        for depth in range(len(around), -1, -1):
            name = "/".join([*around[:depth], user[:cut]])
            position = graph.index.get(name, -1)
            if position >= 0:
                return position
    return -1


def _common_sum(graph: GraphModel, forward: list[int]) -> int:
    """Return the earliest sum below all of `forward`; ungated sums have no gradient op.

    Taking one of the terms would lose the others.
    """
    below = [_sums_below(graph, position) for position in forward]
    common = set(below[0]).intersection(*below[1:])
    if not common:
        return max(forward)
    for position in below[0]:  # in order of distance: the first common one is the earliest
        if position in common:
            return position
    return max(forward)


def _sums_below(graph: GraphModel, position: int) -> dict[int, None]:
    found = {position: None}
    queue = [position]
    for current in queue:
        for consumer, _ in graph.topology.consumers[current]:
            op = graph.nodes[consumer].op
            if consumer not in found and (op in SUM_OPS or op == "Identity"):
                if len(found) > _SUM_WALK_LIMIT:
                    return found
                found[consumer] = None
                queue.append(consumer)
    return found

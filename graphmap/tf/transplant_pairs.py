"""Which stored tensor is the caller's loss, and which stored updates the caller has himself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphmap.analysis.gradients import TensorRef
from graphmap.analysis.updates import Training, downstream, upstream
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.tf.descent import Descent, Difference, op_class
from graphmap.tf.kinds import neutral_write

__all__ = ["pair_losses", "pair_own_updates", "seeds_of"]


def seeds_of(training: Training, roots: Iterable[int]) -> list[TensorRef]:
    """Return the tensors that were differentiated for these train ops, in order."""
    cone = upstream(training.graph, roots)
    seeds = [s for call in training.calls for s in call.seeds if s.y is not None]
    # an op that moves along a stored direction takes no gradient itself: then any may be meant
    here = [s for s in seeds if s.node in cone] or seeds
    return list(dict.fromkeys(s.y for s in here if s.y is not None))


def pair_losses(
    training: Training, descent: Descent, ys: Sequence[TensorRef], losses: Sequence[TensorRef]
) -> list[tuple[TensorRef, TensorRef]]:
    """Find the stored tensor that computes what each new loss computes, and walk from there.

    What was differentiated comes first, then its parts (a loss before it is scaled or a penalty is
    added), then what is made of it (the mean of towers), then anything. Raises
    ReconstructionError with the first difference where there is none.
    """
    found: list[tuple[TensorRef, TensorRef]] = []
    used: set[TensorRef] = set()
    for loss in losses:
        first: Difference | None = None
        for candidate in _candidates(training, descent.new, ys, loss):
            if candidate in used:
                continue
            difference = descent.walk((candidate, loss))
            if difference is None:
                used.add(candidate)
                found.append((candidate, loss))
                break
            first = first or difference
        else:
            name = descent.new.nodes[loss.node].name
            raise ReconstructionError(
                f"no stored loss computes what it computes: {first}"
                if first
                else "nothing was differentiated in the stored graph",
                where=f"{name}:{loss.output}",
                remedy="Build the new forward pass op by op as the old one was; only names, and "
                "how variables are held, may differ.",
            )
    return found


def _candidates(
    training: Training, new: GraphModel, ys: Sequence[TensorRef], loss: TensorRef
) -> Iterator[TensorRef]:
    graph = training.graph
    yield from ys
    wanted = op_class(new.nodes[_behind_identity(new, loss.node)].op)
    seen = {y.node for y in ys}
    inputs, consumers = graph.topology.inputs, graph.topology.consumers

    def fits(position: int) -> bool:
        return op_class(graph.nodes[position].op) == wanted and not training.tainted[position]

    queue = [y.node for y in ys]
    for position in queue:
        for producer, _ in inputs[position]:
            if producer >= 0 and producer not in seen:
                seen.add(producer)
                queue.append(producer)
                if fits(producer):
                    yield TensorRef(producer, loss.output)
    queue = [y.node for y in ys]
    for position in queue:
        for consumer, _ in consumers[position]:
            if consumer not in seen and not training.tainted[consumer]:
                seen.add(consumer)
                queue.append(consumer)
                if fits(consumer):
                    yield TensorRef(consumer, loss.output)
    # a loop that trains differentiates a loss of its own, which the program computes outside, too
    yield from (
        TensorRef(at, loss.output) for at in range(len(graph.nodes)) if at not in seen and fits(at)
    )


def _behind_identity(graph: GraphModel, position: int) -> int:
    inputs = graph.topology.inputs
    while graph.nodes[position].op == "Identity" and inputs[position][0][0] >= 0:
        position = inputs[position][0][0]
    return position


def pair_own_updates(
    training: Training, descent: Descent, roots: Iterable[int], own: Iterable[int]
) -> dict[int, int]:
    """Pair stored updates that hang on no gradient (moving statistics) with the caller's own.

    own: ops of the new graph's UPDATE_OPS. Two updates are the same if they write paired variables
    with values that are the same computation; that pairs the statistics, too, which no loss
    reaches. A stored update that runs after the training (an average of the new weights) keeps
    its place: only its variables are paired.
    """
    graph, new = training.graph, descent.new
    cone = upstream(graph, roots)
    trained = [at for at in training.updates if at in cone]
    later = downstream(graph, trained)
    stored = [at for at in training.writes.by_node if at in cone and not training.tainted[at]]
    ours = [at for at in upstream(new, own) if neutral_write(new.nodes[at].op) is not None]
    found: dict[int, int] = {}
    for write in stored:
        for candidate in sorted(ours):
            if candidate in found.values() or not _same_form(graph, write, new, candidate):
                continue
            pairs = zip(graph.topology.inputs[write], new.topology.inputs[candidate], strict=True)
            same = [(TensorRef(*a), TensorRef(*b)) for a, b in pairs]
            if descent.walk(*same, only_variables=write in later) is None:
                if write not in later:
                    found[write] = candidate
                break
    return found


def _same_form(graph: GraphModel, write: int, new: GraphModel, candidate: int) -> bool:
    form = neutral_write(graph.nodes[write].op)
    return (
        form is not None
        and form == neutral_write(new.nodes[candidate].op)
        and len(graph.topology.inputs[write]) == len(new.topology.inputs[candidate])
    )

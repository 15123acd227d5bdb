"""Order between the reads and writes of ref variables, which alias one buffer.

A consumer of a ref read that is not ordered with a write of the same variable may see it before or
after: the run would not be the same twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from graphmap.analysis.updates import upstream
from graphmap.analysis.writes import WriteIndex, find_writes
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.tf.live import live_model

__all__ = ["Race", "find_races", "order_or_decline"]

_REF_VARIABLES = frozenset({"VariableV2", "Variable"})
_ALIASES = frozenset({"Identity", "RefIdentity", "RefSwitch", "Switch", "RefEnter", "Enter"})
# These look at what a variable is, not at what it holds.
_BLIND = frozenset({"Shape", "ShapeN", "Size", "Rank", "IsVariableInitialized", "NoOp"})
_BACK = frozenset({"NextIteration", "RefNextIteration"})


class Race(NamedTuple):
    """A reader and a writer of one variable that nothing orders; positions."""

    variable: int
    reader: int
    writer: int


def find_races(graph: GraphModel, root: int, trained: Iterable[int]) -> list[Race]:
    """Return the unordered pairs that running `root` would run, for these ref variables."""
    cone = upstream(graph, [root])
    writes = find_writes(graph)
    ancestors: dict[int, int] | None = None
    races = []
    for variable in trained:
        if graph.nodes[variable].op not in _REF_VARIABLES:
            continue
        writers = [at for at in writes.by_variable.get(variable, ()) if at in cone]
        if not writers:
            continue
        ancestors = ancestors or _ancestors(graph, cone)
        for reader in _readers(graph, variable, cone, writes):
            races += [
                Race(variable, reader, writer)
                for writer in writers
                if reader != writer
                and not ancestors[writer] >> reader & 1
                and not ancestors[reader] >> writer & 1
            ]
    return races


def _readers(
    graph: GraphModel, variable: int, cone: dict[int, None], writes: WriteIndex
) -> Iterator[int]:
    """Yield what takes the value of a ref variable, through aliases."""
    seen = {variable}
    stack = [variable]
    while stack:
        for consumer, place in graph.topology.consumers[stack.pop()]:
            if consumer in seen or consumer not in cone:
                continue
            seen.add(consumer)
            op = graph.nodes[consumer].op
            if op in _ALIASES and place == 0:
                stack.append(consumer)
            elif op not in _BLIND:
                yield consumer
                write = writes.by_node.get(consumer)
                if write is not None and variable in write.variables:
                    stack.append(consumer)


def _ancestors(graph: GraphModel, cone: dict[int, None]) -> dict[int, int]:
    """Return, for each node, the set of nodes before it as the bits of an integer."""
    inputs, controls = graph.topology.inputs, graph.topology.controls
    found: dict[int, int] = {}
    for start in cone:
        stack = [start]
        while stack:
            position = stack[-1]
            if position in found:
                stack.pop()
                continue
            sources = [p for p, _ in inputs[position]] + controls[position]
            if graph.nodes[position].op in ("Merge", "RefMerge"):
                sources = [p for p in sources if graph.nodes[p].op not in _BACK]
            missing = [p for p in sources if p not in found]
            if missing:
                stack.extend(missing)
                continue
            bits = 0
            for source in sources:
                bits |= found[source] | 1 << source
            found[position] = bits
            stack.pop()
    return found


def order_or_decline(graph: Any, roots: Mapping[str, Any], converted: frozenset[str]) -> None:
    """Make sure that every run of a root reads and writes its ref variables in one order.

    converted: new ref variables whose stored counterpart is a resource. There the stored order is
    the one of snapshots, so a reader that is unordered gets its place before the write. Elsewhere
    the stored run itself races: raises ReconstructionError.
    """
    model = live_model(graph).stored.graph
    assert model is not None
    variables = [at for at, node in enumerate(model.nodes) if node.op in _REF_VARIABLES]
    for stored_name, root in roots.items():
        for race in find_races(model, model.index[root.name], variables):
            names = [model.nodes[at].name for at in race]
            if names[0] not in converted:
                raise ReconstructionError(
                    f"the stored update races: nothing orders {names[1]}, which reads {names[0]}, "
                    f"and {names[2]}, which writes it",
                    where=stored_name,
                    remedy="The stored run itself was not the same twice, so nothing can equal it.",
                )
            reader, writer = map(graph.get_operation_by_name, names[1:])
            writer._add_control_input(reader)

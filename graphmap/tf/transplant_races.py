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


class Race(NamedTuple):
    """A reader and a writer of one variable that nothing orders; positions."""

    variable: int
    reader: int
    writer: int


class _LiveRace(NamedTuple):
    """The same, as operations of a live graph."""

    variable: Any
    reader: Any
    writer: Any


def find_races(graph: GraphModel, root: int, trained: Iterable[int]) -> list[Race]:
    """Return the unordered pairs that running `root` would run, for these ref variables."""
    cone = upstream(graph, [root])
    writes = find_writes(graph)
    order: _Order | None = None
    races = []
    for variable in trained:
        if graph.nodes[variable].op not in _REF_VARIABLES:
            continue
        writers = [at for at in writes.by_variable.get(variable, ()) if at in cone]
        if not writers:
            continue
        order = order or _Order(graph, cone)
        for reader in _readers(graph, variable, cone, writes):
            races += [
                Race(variable, reader, writer)
                for writer in writers
                if reader != writer
                and not order.is_before(reader, writer)
                and not order.is_before(writer, reader)
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


class _Order:
    """Who runs before whom; a loop counts as one, for all its turns are over before its exit."""

    def __init__(self, graph: GraphModel, cone: dict[int, None]) -> None:
        import networkx

        inputs, controls = graph.topology.inputs, graph.topology.controls
        edges = networkx.DiGraph()
        edges.add_nodes_from(cone)
        for position in cone:
            edges.add_edges_from((source, position) for source, _ in inputs[position])
            edges.add_edges_from((source, position) for source in controls[position])
        whole = networkx.condensation(edges)
        self._member: dict[int, int] = whole.graph["mapping"]
        self._before: dict[int, int] = {}  # component: the set of those before it, as bits
        for component in networkx.topological_sort(whole):
            bits = 0
            for source in whole.pred[component]:
                bits |= self._before[source] | 1 << source
            self._before[component] = bits

    def is_before(self, first: int, second: int) -> bool:
        """Whether `first` has always run when `second` starts."""
        return bool(self._before[self._member[second]] >> self._member[first] & 1)


def order_or_decline(graph: Any, roots: Mapping[str, Any], converted: frozenset[str]) -> None:
    """Make sure that every run of a root reads and writes its ref variables in one order.

    converted: new ref variables whose stored counterpart is a resource. There the stored order is
    the one of snapshots, so a reader that is unordered gets its place before the write. Elsewhere
    the stored run itself races: raises ReconstructionError.
    """
    for stored_name, root in roots.items():
        races = _races_of(graph, root)
        while races:
            _decline_own(races, converted, stored_name)
            writer = races[0].writer
            # edges into one writer close no circle: a reader that came after it would be in order
            for race in races:
                if race.writer is writer:
                    writer._add_control_input(race.reader)
            races = _races_of(graph, root)


def _races_of(graph: Any, root: Any) -> list[_LiveRace]:
    model = live_model(graph).stored.graph
    assert model is not None
    variables = [at for at, node in enumerate(model.nodes) if node.op in _REF_VARIABLES]
    return [
        _LiveRace(*(graph.get_operation_by_name(model.nodes[at].name) for at in race))
        for race in find_races(model, model.index[root.name], variables)
    ]


def _decline_own(races: Iterable[_LiveRace], converted: frozenset[str], root: str) -> None:
    for race in races:
        if race.variable.name not in converted:
            raise ReconstructionError(
                f"the stored update races: nothing orders {race.reader.name}, which reads "
                f"{race.variable.name}, and {race.writer.name}, which writes it",
                where=root,
                remedy="The stored run itself was not the same twice, so nothing can equal it.",
            )

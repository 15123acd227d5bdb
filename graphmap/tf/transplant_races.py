"""Order between the reads and the writes of one variable.

A reader that is not ordered with a write may see the value before or after it: the run would not
be the same twice. Of a ref variable every consumer of its value is a reader, for all of them alias
one buffer; of a resource only the read op is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from graphmap.analysis.updates import upstream
from graphmap.analysis.writes import WriteIndex, find_writes
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.tf.live import live_model

__all__ = ["Race", "find_races", "order_or_decline"]

_VARIABLES = frozenset({"VariableV2", "Variable", "VarHandleOp"})
_ALIASES = frozenset({"Identity", "RefIdentity", "RefSwitch", "Switch", "RefEnter", "Enter"})
_SWITCHES = frozenset({"Switch", "RefSwitch"})
# These look at what a variable is, not at what it holds.
_BLIND = frozenset(
    {"Shape", "ShapeN", "Size", "Rank", "IsVariableInitialized", "VarIsInitializedOp",
     "VariableShape", "NoOp"}
)  # fmt: skip


class Race(NamedTuple):
    """A reader and a writer of one variable that nothing orders; positions.

    conditional: the reader lies in a branch, and may never run beside the writer.
    """

    variable: int
    reader: int
    writer: int
    conditional: bool


class _LiveRace(NamedTuple):
    """The same, as operations of a live graph."""

    variable: Any
    reader: Any
    writer: Any
    conditional: bool


def find_races(graph: GraphModel, root: int, trained: Iterable[int]) -> list[Race]:
    """Return the unordered pairs that running `root` would run, for these variables."""
    cone = upstream(graph, [root])
    writes = find_writes(graph)
    order: _Order | None = None
    races = []
    for variable in trained:
        if graph.nodes[variable].op not in _VARIABLES:
            continue
        writers = [at for at in writes.by_variable.get(variable, ()) if at in cone]
        if not writers:
            continue
        order = order or _Order(graph, cone)
        for reader, conditional in _readers(graph, variable, cone, writes):
            races += [
                Race(variable, reader, writer, conditional)
                for writer in writers
                if reader != writer
                and not order.is_before(reader, writer)
                and not order.is_before(writer, reader)
            ]
    return races


def _readers(
    graph: GraphModel, variable: int, cone: dict[int, None], writes: WriteIndex
) -> Iterator[tuple[int, bool]]:
    """Yield what takes the value of a variable, through aliases, and whether in a branch."""
    seen = {variable}
    stack = [(variable, False)]
    while stack:
        position, conditional = stack.pop()
        for consumer, place in graph.topology.consumers[position]:
            if consumer in seen or consumer not in cone:
                continue
            seen.add(consumer)
            op = graph.nodes[consumer].op
            if op in _ALIASES and place == 0:
                stack.append((consumer, conditional or op in _SWITCHES))
            elif op not in _BLIND:
                yield consumer, conditional
                write = writes.by_node.get(consumer)
                if write is not None and variable in write.variables:
                    stack.append((consumer, conditional))


class _Order:
    """Who runs before whom; a loop counts as one, for all its turns are over before its exit."""

    def __init__(self, graph: GraphModel, cone: dict[int, None]) -> None:
        import networkx

        inputs, controls = graph.topology.inputs, graph.topology.controls
        edges: Any = networkx.DiGraph()
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


def order_or_decline(
    graph: Any, roots: Mapping[str, Any], converted: frozenset[str], planted: Collection[str]
) -> None:
    """Make sure that every run of a root reads and writes its variables in one order.

    converted: new ref variables whose stored counterpart is a resource. There the stored order is
    the one of snapshots, so a reader that is unordered gets its place before the write. Elsewhere
    the stored run itself races: raises ReconstructionError. planted: names of the copied ops; what
    the caller's own ops do in the branches of a condition is left to the condition.
    """
    for stored_name, root in roots.items():
        races = _races_of(graph, root, planted)
        while races:
            _decline_own(races, converted, stored_name)
            writer = races[0].writer
            # edges into one writer close no circle: a reader that came after it would be in order
            for race in races:
                if race.writer is writer:
                    writer._add_control_input(race.reader)
            races = _races_of(graph, root, planted)


def _races_of(graph: Any, root: Any, planted: Collection[str]) -> list[_LiveRace]:
    model = live_model(graph).stored.graph
    assert model is not None
    variables = [at for at, node in enumerate(model.nodes) if node.op in _VARIABLES]
    races = []
    for race in find_races(model, model.index[root.name], variables):
        names = [model.nodes[at].name for at in race[:3]]
        if not race.conditional or names[1] in planted or names[2] in planted:
            variable, reader, writer = map(graph.get_operation_by_name, names)
            races.append(_LiveRace(variable, reader, writer, race.conditional))
    return races


def _decline_own(races: Iterable[_LiveRace], converted: frozenset[str], root: str) -> None:
    for race in races:
        if race.variable.name not in converted:
            raise ReconstructionError(
                f"the stored update races: nothing orders {race.reader.name}, which reads "
                f"{race.variable.name}, and {race.writer.name}, which writes it",
                where=root,
                remedy="The stored run itself was not the same twice, so nothing can equal it.",
            )

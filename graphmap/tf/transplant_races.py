"""Order between the reads and the writes of one variable.

A reader that is not ordered with a write may see the value before or after it: the run would not
be the same twice. Of a ref variable every consumer of its value is a reader, for all of them alias
one buffer; of a resource only the read op is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from graphmap.analysis.updates import upstream
from graphmap.analysis.writes import WriteIndex, find_writes
from graphmap.errors import ReconstructionError
from graphmap.model.graph import GraphModel
from graphmap.tf.kinds import VIEWS
from graphmap.tf.ordering import Order

__all__ = ["Race", "check_buffers", "check_stored_order", "find_races", "order_or_decline"]

_VARIABLES = frozenset({"VariableV2", "Variable", "VarHandleOp"})
_ALIASES = VIEWS | {"Identity", "RefIdentity", "RefSwitch", "Switch", "RefEnter", "Enter"}
# These look at what a variable is, not at what it holds.
_BLIND = frozenset(
    {"Shape", "ShapeN", "Size", "Rank", "IsVariableInitialized", "VarIsInitializedOp",
     "VariableShape", "NoOp"}
)  # fmt: skip
# They hand on one of several buffers.
_HANDS_ON = frozenset(
    {"Merge", "RefMerge", "NextIteration", "RefNextIteration", "Exit", "RefExit", "IdentityN"}
)
_MERGES = frozenset({"Merge", "RefMerge"})
_MAX_ROUNDS = 1_000  # each round orders one writer at least


class Race(NamedTuple):
    """A reader and a writer of one variable that nothing orders; positions."""

    variable: int
    reader: int
    writer: int


def find_races(
    graph: GraphModel,
    cone: dict[int, None],
    order: Order,
    writes: WriteIndex,
    variables: Iterable[int],
) -> list[Race]:
    """Return the unordered pairs that running the ops of a cone would run."""
    races = []
    for variable in variables:
        writers = [at for at in writes.by_variable.get(variable, ()) if at in cone]
        if not writers:
            continue
        for reader in _readers(graph, variable, cone, writes):
            races += [
                Race(variable, reader, writer)
                for writer in writers
                if reader != writer
                and not order.are_ordered(reader, writer)
                and not order.never_both(reader, writer)
            ]
    return races


def _readers(
    graph: GraphModel, variable: int, cone: dict[int, None], writes: WriteIndex
) -> Iterator[int]:
    """Yield what takes the value of a variable, through aliases."""
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


def check_buffers(
    graph: GraphModel,
    roots: Iterable[int],
    variables: Iterable[int],
    dropped: Collection[int],
    copied: Collection[int],
) -> None:
    """Raise ReconstructionError where a ref's buffer is looked at, behind a Merge, after a write.

    variables: stored refs that become resources; a Merge gets the value of one moment there.
    dropped, copied: as for check_stored_order.
    """
    writes = find_writes(graph)
    behind = {at: _behind_merges(graph, at, copied) for at in variables if at in writes.by_variable}
    behind = {at: found for at, found in behind.items() if found}
    for root in roots if behind else ():
        cone = upstream(graph, [root])
        order = Order(graph, cone)
        for variable, found in behind.items():
            writers = [
                at for at in writes.by_variable[variable] if at in cone and at not in dropped
            ]
            for merge, reader in found:
                for writer in writers if reader in cone else ():
                    is_fine = (
                        reader == writer
                        or order.is_before(reader, writer)
                        or order.is_before(writer, merge)
                        or order.never_both(reader, writer)
                    )
                    if not is_fine:
                        raise _race_error(
                            graph, Race(variable, reader, writer), graph.nodes[root].name,
                            f"{graph.nodes[merge].name} hands the buffer on to"
                        )  # fmt: skip


def _behind_merges(
    graph: GraphModel, variable: int, copied: Collection[int]
) -> list[tuple[int, int]]:
    """Return (op that hands the buffer on, op that looks at it) for what is copied."""
    consumers = graph.topology.consumers
    found = []
    seen = {(variable, -1)}
    stack = list(seen)
    while stack:
        position, merge = stack.pop()
        for consumer, place in consumers[position]:
            op = graph.nodes[consumer].op
            through = merge
            if op in _HANDS_ON and consumer in copied:
                through = consumer if merge < 0 else merge
            elif op not in _ALIASES or place != 0:
                if merge >= 0 and op not in _BLIND:
                    found.append((merge, consumer))
                continue
            if (consumer, through) not in seen:
                seen.add((consumer, through))
                stack.append((consumer, through))
    return found


def order_or_decline(
    graph: GraphModel, roots: Iterable[str], converted: Collection[str], planted: Collection[str]
) -> list[tuple[int, int]]:
    """Return the (first, second) edges that give every run of a root one order.

    converted: new ref variables whose stored counterpart is a resource. There the stored order is
    the one of snapshots, so a reader that is unordered gets its place before the write. Elsewhere
    the stored run itself races: raises ReconstructionError. planted: names of the copied ops; what
    the caller's own ops do in the branches of a condition is left to the condition.
    """
    writes = find_writes(graph)
    variables = [at for at, node in enumerate(graph.nodes) if node.op in _VARIABLES]
    edges: list[tuple[int, int]] = []
    for root in roots:
        cone = upstream(graph, [graph.index[root]])
        for _ in range(_MAX_ROUNDS):
            order = Order(graph, cone, edges)
            races = find_races(graph, cone, order, writes, variables)
            races = [race for race in races if not _is_left_to_caller(graph, order, race, planted)]
            if not races:
                break
            edges += _ordering_edges(graph, order, cone, races, converted, root)
        else:
            raise ReconstructionError("its reads and writes cannot be ordered", where=root)
    return edges


def _is_left_to_caller(
    graph: GraphModel, order: Order, race: Race, planted: Collection[str]
) -> bool:
    """Whether both are the caller's own, and a value is read in a branch, or behind it."""
    nodes = graph.nodes
    if {nodes[race.reader].name, nodes[race.writer].name} & set(planted):
        return False
    if nodes[race.reader].op in _MERGES:  # it hands on the buffer, if that branch is taken
        sources = [at for at, _ in graph.topology.inputs[race.reader] if at >= 0]
        return all(order.branches(at) for at in sources if at in order.component)
    return bool(order.branches(race.reader))


def check_stored_order(
    graph: GraphModel,
    roots: Iterable[int],
    variables: Iterable[int],
    dropped: Collection[int],
    copied: Collection[int],
) -> None:
    """Raise ReconstructionError where a stored run reads and writes a resource in no order.

    Over ref variables reads get a place of their own, so the rebuilt graph does not show it.
    variables: stored resources that become refs. dropped: writes that are left out. copied: stored
    nodes that the new graph gets.
    """
    writes = find_writes(graph)
    planted = {graph.nodes[at].name for at in copied}
    wanted = [at for at in variables if at in writes.by_variable]
    for root in roots:
        cone = upstream(graph, [root])
        order = Order(graph, cone)
        for race in find_races(graph, cone, order, writes, wanted):
            if race.writer in dropped or _is_left_to_caller(graph, order, race, planted):
                continue
            name = graph.nodes[root].name
            raise _race_error(graph, race, name, "the stored update races: nothing orders")


def _ordering_edges(
    graph: GraphModel,
    order: Order,
    cone: dict[int, None],
    races: Iterable[Race],
    converted: Collection[str],
    root: str,
) -> list[tuple[int, int]]:
    """Return edges into one writer; they close no circle, for a reader after it would be in order.

    Edges into several writers at once could.
    """
    edges = []
    first = -1
    for race in races:
        name = graph.nodes[race.variable].name
        if name not in converted:
            raise _race_error(graph, race, root, "the stored update races: nothing orders")
        if first in (-1, race.writer):
            first = race.writer
            source = _living(graph, order, cone, race)
            if source < 0 or order.component[race.reader] == order.component[race.writer]:
                raise _race_error(graph, race, root, "cannot be ordered for a ref variable:")
            edges.append((source, race.writer))
    return edges


def _living(graph: GraphModel, order: Order, cone: dict[int, None], race: Race) -> int:
    """Return the reader, or what comes after it in every branch that the writer runs in; or -1.

    An edge from a branch that is not taken would kill the writer.
    """
    wanted = order.branches(race.writer)
    queue = [race.reader]
    seen = set(queue)
    for position in queue:
        if order.branches(position) <= wanted and not order.is_before(race.writer, position):
            return position
        users = [at for at, _ in graph.topology.consumers[position]]
        for user in users + graph.topology.control_consumers[position]:
            if user in cone and user not in seen and user != race.writer:
                seen.add(user)
                queue.append(user)
    return -1


def _race_error(graph: GraphModel, race: Race, root: str, what: str) -> ReconstructionError:
    variable, reader, writer = (graph.nodes[at].name for at in race)
    return ReconstructionError(
        f"{what} {reader}, which reads {variable}, and {writer}, which writes it",
        where=root,
        remedy="The stored run itself was not the same twice, so nothing can equal it."
        if "races" in what
        else "Build the new graph with the kind of variable that the stored one has.",
    )

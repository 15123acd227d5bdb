"""What runs before what in one run of a graph, and in which branches of conditionals it runs.

With control flow v1 an op is dead where one of its inputs, control inputs included, comes from the
branch that is not taken; only Merge lives on where one of its inputs does (executor.cc).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from graphmap.analysis.loops import loop_frames
from graphmap.model.graph import GraphModel

__all__ = ["Branches", "Order"]

Branches = frozenset[tuple[int, int]]  # (what is switched on, branch), positions
_SWITCHES = frozenset({"Switch", "RefSwitch"})
_MERGES = frozenset({"Merge", "RefMerge"})
_BACK = frozenset({"NextIteration", "RefNextIteration"})
_NOWHERE: Branches = frozenset()


class _Turn(NamedTuple):
    """One turn of a loop: place and ancestors (bits of places) of its ops.

    returns: (op that ends the turn, op that begins the next one with its value).
    """

    place: dict[int, int]
    before: dict[int, int]
    returns: list[tuple[int, int]]


class Order:
    """Ancestors of every op of a cone as bits; a loop counts as one op.

    All turns of a loop are over before its exit. edges: further (first, second) pairs.
    """

    def __init__(
        self, graph: GraphModel, cone: Mapping[int, None], edges: Iterable[tuple[int, int]] = ()
    ) -> None:
        self._graph = graph
        inputs, controls = graph.topology.inputs, graph.topology.controls
        self._sources = {
            at: {source for source, _ in inputs[at] if source >= 0}
            | {source for source in controls[at] if source >= 0}
            for at in cone
        }
        for first, second in edges:
            if second in self._sources and first in self._sources:
                self._sources[second].add(first)
        self.component: dict[int, int] = {}
        self._before: list[int] = []  # of each component: those before it, as bits
        self._branches: list[Branches] = []
        self._loops: dict[int, list[int]] = {}
        self._turns: dict[int, _Turn | None] = {}
        self._frames = loop_frames(graph)
        for members in self._components():
            self._close(members)

    def are_ordered(self, a: int, b: int) -> bool:
        """Whether one of two ops always runs before the other, in a loop in every turn."""
        if self.component[a] != self.component[b]:
            frame = self._frames.get(a)
            if frame is not None and frame == self._frames.get(b):
                return False  # the next turn waits for one of them at most
            return self.is_before(a, b) or self.is_before(b, a)
        turn = self._turn(self.component[a])
        if turn is None:
            return False
        for first, last in ((a, b), (b, a)):
            if turn.before[last] >> turn.place[first] & 1:
                # the next turn's first must wait for this turn's last
                return any(
                    turn.before[end] >> turn.place[last] & 1
                    and (turn.before[first] >> turn.place[begin] & 1 or begin == first)
                    for end, begin in turn.returns
                )
        return False

    def is_before(self, first: int, second: int) -> bool:
        """Whether `first` has always run when `second` starts; not for two ops of one loop."""
        return bool(self._before[self.component[second]] >> self.component[first] & 1)

    def branches(self, position: int) -> Branches:
        """In which branches an op lies; outside of all of them, it always runs."""
        return self._branches[self.component[position]]

    def never_both(self, a: int, b: int) -> bool:
        """Whether two ops lie in different branches of one conditional."""
        theirs = dict(self.branches(b))
        return any(theirs.get(switched, taken) != taken for switched, taken in self.branches(a))

    def _turn(self, component: int) -> _Turn | None:
        if component not in self._turns:
            members = self._loops.get(component, [])
            self._turns[component] = self._one_turn(members) if members else None
        return self._turns[component]

    def _one_turn(self, members: list[int]) -> _Turn | None:
        """Order the ops of a loop without the edges back; None where a cycle remains."""
        nodes, own = self._graph.nodes, set(members)
        returns = [
            (source, at)
            for at in members
            for source in self._sources[at] & own
            if nodes[source].op in _BACK
        ]
        waiting = {
            at: {s for s in self._sources[at] & own if nodes[s].op not in _BACK} for at in members
        }
        users: dict[int, list[int]] = {at: [] for at in members}
        for at, sources in waiting.items():
            for source in sources:
                users[source].append(at)
        counts = {at: len(sources) for at, sources in waiting.items()}
        ready = [at for at in members if not counts[at]]
        turn = _Turn({}, {}, returns)
        for at in ready:
            bits = 0
            for source in waiting[at]:
                bits |= turn.before[source] | 1 << turn.place[source]
            turn.place[at] = len(turn.place)
            turn.before[at] = bits
            for user in users[at]:
                counts[user] -= 1
                if not counts[user]:
                    ready.append(user)
        return turn if len(turn.place) == len(members) else None

    def _components(self) -> Iterable[list[int]]:
        """Yield strongly connected components, sources first; all of size one without loops."""
        waiting = {at: len(sources) for at, sources in self._sources.items()}
        users: dict[int, list[int]] = {at: [] for at in waiting}
        for at, sources in self._sources.items():
            for source in sources:
                users[source].append(at)
        ready = [at for at, count in waiting.items() if count == 0]
        done: list[list[int]] = []
        for at in ready:
            done.append([at])
            for user in users[at]:
                waiting[user] -= 1
                if waiting[user] == 0:
                    ready.append(user)
        if len(done) == len(waiting):
            return done
        import networkx

        edges = networkx.DiGraph((s, at) for at, sources in self._sources.items() for s in sources)
        edges.add_nodes_from(self._sources)
        whole = networkx.condensation(edges)
        return [sorted(whole.nodes[c]["members"]) for c in networkx.topological_sort(whole)]

    def _close(self, members: list[int]) -> None:
        own = set(members)
        if len(members) > 1:
            self._loops[len(self._before)] = members
        outside = {s for at in members for s in self._sources[at] if s not in own}
        bits = 0
        for source in outside:
            place = self.component[source]
            bits |= self._before[place] | 1 << place
        self.component.update(dict.fromkeys(members, len(self._before)))
        self._before.append(bits)
        self._branches.append(self._lies_in(members, own))

    def _lies_in(self, members: list[int], own: set[int]) -> Branches:
        found: Branches = _NOWHERE
        inputs, nodes = self._graph.topology.inputs, self._graph.nodes
        for at in members:
            arriving = [self._along(s, out) for s, out in inputs[at] if s >= 0 and s not in own]
            if nodes[at].op in _MERGES:
                data = frozenset.intersection(*arriving) if arriving else _NOWHERE
            else:
                data = _NOWHERE.union(*arriving)
            given = {source for source, _ in inputs[at]}
            waits = [self.branches(s) for s in self._sources[at] if s not in own | given]
            found = found.union(data, *waits)
        return found

    def _along(self, source: int, output: int) -> Branches:
        here = self.branches(source)
        if self._graph.nodes[source].op not in _SWITCHES:
            return here
        inputs = self._graph.topology.inputs
        switched = inputs[source][1][0] if len(inputs[source]) > 1 else -1
        while switched >= 0 and self._graph.nodes[switched].op == "Identity" and inputs[switched]:
            switched = inputs[switched][0][0]
        return here | {(switched, output)}

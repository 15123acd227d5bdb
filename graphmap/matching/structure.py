"""What two graphs say about the links that names gave: confirm, forbid, propose.

A name that looks right may stand elsewhere in the computation: default names given in another
order, scopes exchanged, a decoder counted backwards. Where both sides carry a graph, the place of
a variable decides, and names only where places are alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from graphmap.matching.colours import Class, Counterparts, find_counterparts
from graphmap.matching.decide import Found, Ranking
from graphmap.matching.forward import Forward, find_forward
from graphmap.matching.inlining import inline_calls
from graphmap.matching.joinings import free_joinings
from graphmap.matching.layout import Label, label_of, shapes_fit
from graphmap.matching.products import free_products
from graphmap.matching.sums import join_sums
from graphmap.matching.tokens import split_name
from graphmap.model.graph import GraphModel
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

__all__ = ["review_links"]

CERTAIN = 10.0  # bits of a unique pair where both sides hold equally many variables of its sizes
LIKELY = 6.0  # bits of a unique pair where they don't: a chain of equal layers may have slipped
UNTOUCHED = frozenset({"pin", "tied", "split"})
EXACT = ("ops", "junctions", "ways", "order", "trained")  # what tells of the ops between variables
SEPARATORS = re.compile(r"[/.]")
WORD = re.compile(r"[a-z]+|[0-9]+")


def review_links(
    wanted: Sequence[Variable],
    pool: Sequence[Variable],
    graphs: tuple[GraphModel, GraphModel],
    found: dict[str, Found],
    rivals: dict[int, list[Ranking]],
    trained: frozenset[str] = frozenset(),
) -> int:
    """Change `found` where the graphs of both sides, expected first, say otherwise.

    A link that is forbidden stays with 0 bits, so that it is shown but not committed. Returns how
    many expected variables stand where an actual one does, be it one of several that are alike.
    """
    sides = [_forward(graph, vs) for graph, vs in zip(graphs, (wanted, pool), strict=True)]
    if not all(side.places for side in sides):
        return 0
    labels = [{at: label_of(v.shape) for at, v in enumerate(vs)} for vs in (wanted, pool)]
    place = {v.name: at for at, v in enumerate(pool)}
    pins = {
        at: place[found[v.name].actual.name]
        for at, v in enumerate(wanted)
        if v.name in found and _kinds(found[v.name]) & {"pin"}
        if found[v.name].actual.name in place
    }
    updated = frozenset(place[name] for name in trained if name in place)
    counterparts = find_counterparts(sides[0], sides[1], labels[0], labels[1], pins, updated)
    _Review(wanted, pool, found, rivals, counterparts, _balanced(sides, labels)).run()
    alike = sum(place.view in EXACT for place in counterparts.classes.values())
    return len(counterparts.pairs) + alike


def _forward(graph: GraphModel, variables: Sequence[Variable]) -> Forward:
    graph = inline_calls(graph)
    numbers: dict[int, int] = {}
    for number, v in enumerate(variables):
        for node in tuple(part.node for part in v.parts) or (v.node,):
            if node is not None and node in graph.index:
                numbers[graph.index[node]] = number
    single = [v.shape is not None and set(v.shape) <= {1} for v in variables]
    scalars = frozenset(number for number, alone in enumerate(single) if alone)
    forward = free_joinings(find_forward(graph, numbers), graph, scalars)
    return join_sums(free_products(forward, graph))


def _balanced(sides: Sequence[Forward], labels: Sequence[Mapping[int, Label]]) -> frozenset[Label]:
    """Return the labels that equally many variables of both graphs have."""
    counts = [Counter(labels[k][v] for v in side.places) for k, side in enumerate(sides)]
    return frozenset(label for label, count in counts[0].items() if counts[1][label] == count)


def _kinds(link: Found) -> set[str]:
    return {evidence.kind for evidence in link.evidence}


class _Review:
    """One review of all links."""

    def __init__(
        self,
        wanted: Sequence[Variable],
        pool: Sequence[Variable],
        found: dict[str, Found],
        rivals: dict[int, list[Ranking]],
        counterparts: Counterparts,
        balanced: frozenset[Label],
    ) -> None:
        self.wanted = wanted
        self.pool = pool
        self.found = found
        self.rivals = rivals
        self.classes = counterparts.classes
        self.how = counterparts.found
        self.pairs = {
            e: a
            for e, a in counterparts.pairs.items()
            if shapes_fit(wanted[e].shape, pool[a].shape)
        }
        self.sure = {e for e in self.pairs if label_of(wanted[e].shape) in balanced}
        self.balanced = balanced
        self.back = {self.pool[a].name: e for e, a in self.pairs.items()}

    def run(self) -> None:
        """Confirm, correct or forbid each link, then propose for the open variables."""
        for at, v in enumerate(self.wanted):
            link = self.found.get(v.name)
            if link is not None and not _kinds(link) & UNTOUCHED:
                self._judge(at, link)
        taken = {link.actual.name for link in self.found.values() if link.margin > 0}
        for at, other in sorted(self.pairs.items()):
            v = self.wanted[at]
            if (v.name not in self.found) and self.pool[other].name not in taken:
                self.found[v.name] = self._by_graph(at, ())

    def _judge(self, at: int, link: Found) -> None:
        name = link.expected.name
        other = self.pairs.get(at)
        if other is not None and self.pool[other].name == link.actual.name:
            evidence = (*link.evidence, self._evidence(at))
            self.found[name] = link._replace(evidence=evidence)
        elif other is not None and at in self.sure:
            why = f"by name {link.actual.name}, which stands elsewhere in the computation"
            self.found[name] = self._by_graph(at, (Evidence("names", 0.0, why),))
        elif other is not None:
            if self.how[at].view in EXACT:
                self._forbid(at, link, (other,), "its place is that of")
        elif self.back.get(link.actual.name) in self.sure:
            rightful = self.wanted[self.back[link.actual.name]].name
            self._forbid(at, link, (), f"{link.actual.name} stands where {rightful} does, not")
        elif at in self.classes:
            self._compare(at, link, self.classes[at])

    def _compare(self, at: int, link: Found, places: Class) -> None:
        """A link into another class is wrong; inside one, names must tell its members apart."""
        members = [self.pool[a].name for a in places.actual]
        settled = places.view in EXACT or label_of(link.expected.shape) in self.balanced
        if link.actual.name not in members:
            if settled:
                self._forbid(at, link, places.actual, "its place is that of")
        elif len(places.expected) == len(members) > 1:
            names = [self.wanted[e].name for e in places.expected]
            apart = _told_apart(link.expected.name, names) & _told_apart(link.actual.name, members)
            ranks = _rank(link.expected.name, names), _rank(link.actual.name, members)
            if not apart and (ranks[0] is None or ranks[0] != ranks[1]):
                self._forbid(at, link, places.actual, "names don't tell apart what stands alike:")
            elif self._is_crossed((link.expected.name, names), (link.actual.name, members)):
                self._forbid(at, link, places.actual, "other parts of its scope stand in that of")

    def _is_crossed(self, mine: tuple[str, list[str]], other: tuple[str, list[str]]) -> bool:
        """Whether pairs of the graph lead from a scope that tells a name apart to another one.

        `net_a` may be `task_b`: its head, which the graph has found, says so for its layers.
        """
        depths = _depths_apart(mine[1]), _depths_apart(other[1])
        if len(depths[0]) != len(depths[1]):
            return False
        own, meant = _parts(mine[0]), _parts(other[0])
        for here, there in zip(*depths, strict=True):
            beyond = {_parts(name)[there] for name in other[1]}
            votes = Counter(
                target[there] == meant[there]
                for e, a in self.pairs.items()
                if _parts(self.wanted[e].name)[: here + 1] == own[: here + 1]
                and (target := _parts(self.pool[a].name))[there : there + 1]
                and target[there] in beyond
            )
            if votes[False] > votes[True]:
                return True
        return False

    def _evidence(self, at: int) -> Evidence:
        bits = CERTAIN if at in self.sure else LIKELY
        view, radius = self.how[at]
        why = f"the only one at the same place of the graph ({view}, {radius} steps around)"
        return Evidence("graph", bits, why)

    def _by_graph(self, at: int, before: tuple[Evidence, ...]) -> Found:
        evidence = self._evidence(at)
        v, other = self.wanted[at], self.pool[self.pairs[at]]
        return Found(v, other, evidence.bits, evidence.bits, (evidence, *before))

    def _forbid(self, at: int, link: Found, others: Sequence[int], why: str) -> None:
        """Take the link back; what the graph prefers becomes a candidate beside it."""
        shown = ", ".join(self.pool[a].name for a in others[:3]) or link.expected.name
        evidence = (*link.evidence, Evidence("graph", -round(link.bits, 3), f"{why} {shown}"))
        self.found[link.expected.name] = link._replace(bits=0.0, margin=0.0, evidence=evidence)
        self.rivals.setdefault(at, []).extend([[({at: other}, 0.0)] for other in others])


def _parts(name: str) -> list[str]:
    return SEPARATORS.split(name)


def _depths_apart(names: Sequence[str]) -> list[int]:
    """Return the depths of the scopes in which names differ; none where one has more scopes."""
    rows = [_parts(n) for n in names]
    if len({len(row) for row in rows}) > 1:
        return []
    return [d for d in range(len(rows[0]) - 1) if len({row[d] for row in rows}) > 1]


def _rank(name: str, names: Sequence[str]) -> int | None:
    """Return which of `names` this is, counted by their numbers; None if more than these differ.

    Of two, such as both directions of a layer, a number says nothing.
    """
    if len(names) < 3:
        return None
    parts = [split_name(n) for n in names]
    numbers = sorted({part.numbers for part in parts})
    if len({part.text for part in parts}) > 1 or len(numbers) < len(names):
        return None
    return numbers.index(split_name(name).numbers)


def _told_apart(name: str, names: Sequence[str]) -> set[str]:
    """Return the words and numbers of a name that not all of `names` have."""
    words = [set(WORD.findall(n.lower())) for n in names]
    return set(WORD.findall(name.lower())) - set.intersection(*words)

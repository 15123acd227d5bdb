"""A tree of scopes laid along the order of code: which way of setting its branches out fits?

EXPECTED lists its modules in the order in which the code makes them. The names of the other side
tell no order, but a tree: what stands in one scope was made in a row, and of siblings that one word
numbers the lower came first. So the sequence of forms (kinds and sizes of a module's tensors) must
be a walk through that tree, and siblings may be walked in any order that fits. A module that has
the same place in all such walks is settled. Exact dynamic programming over (scope, place); scopes
are sets of consecutive elements as in PQ-trees (Booth and Lueker, Testing for the consecutive ones
property, 1976).
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from graphmap.matching.branches import NUMBERS, UNORDERED, open_branches, tell_branches
from graphmap.matching.forms import Form, Signature, common_signatures
from graphmap.matching.tokens import words_of

__all__ = ["Arranged", "arrange"]

TOLD = 60.0  # bits that the sequence of forms must tell
TOLD_WHOLE = 20.0  # the same where the two sides hold the same forms, and nothing else
DOUBTED = 0.1  # share of what is known that a walk may show to be wrong
COVERED = 0.8  # share of the modules of either side that have a form of which both have as many
MOST_STATES = 200_000  # of all scopes; beyond, nothing is told
DEEPEST = 64  # scopes within scopes
MOST_CHAINS = 12  # siblings of one scope that are in no order with each other

SEPARATORS = re.compile(r"[/.]")

Place = tuple[int, int]  # node, position at which it begins
State = tuple[int, ...]  # of a scope: how many members of each chain are set out, < 0 from its end


class Leaf(NamedTuple):
    """A module of the actual side: its scopes, and its form as a number."""

    path: tuple[str, ...]
    form: int


class Arranged(NamedTuple):
    """pairs: (expected form, actual one) of one place only. places: {actual form: expected ones}.

    What `places` does not name has no place that could be told. What is known to stand elsewhere
    than in its places is doubtful either way.
    """

    pairs: list[tuple[int, int]]
    places: dict[int, set[int]]


class _Node:
    """A scope or a module. chains: children that follow each other, by node number."""

    def __init__(self, leaf: int | None = None) -> None:
        self.leaf = leaf
        self.children: dict[str, int] = {}
        self.chains: list[list[int]] = []
        self.size = 1 if leaf is not None else 0
        self.mark = 0


class _TooMany(Exception):
    """More states than are looked at."""


def arrange(
    expected: Sequence[Form],
    actual: Sequence[Form],
    settled: Mapping[int, int],
) -> Arranged:
    """Return the places that forms have in all walks, by their indices.

    expected: in the order of the code. settled: {index: index} of what is known; nothing is told
    where that fits no walk.
    """
    signatures = common_signatures(expected, actual)
    extra = _extra_scopes((expected, actual), signatures)
    rest = [
        [at for at in range(len(side)) if at not in more]
        for side, more in zip(signatures, extra, strict=True)
    ]
    counts = [Counter(side[at] for at in left) for side, left in zip(signatures, rest, strict=True)]
    both = {s for s, n in counts[0].items() if s and counts[1][s] == n}
    kept = [
        [at for at in left if side[at] in both] for side, left in zip(signatures, rest, strict=True)
    ]
    told = sum(n * math.log2(len(kept[0]) / n) for s, n in counts[0].items() if s in both)
    whole = len(kept[0]) == len(signatures[0]) == len(signatures[1])
    if told < (TOLD_WHOLE if whole else TOLD) or len(kept[0]) < COVERED * max(map(len, rest)):
        return Arranged([], {})
    numbers = {s: at for at, s in enumerate(sorted(both))}
    row = [numbers[signatures[0][at]] for at in kept[0]]
    ways = [tuple(SEPARATORS.split(form.name)) for form in actual]
    leaves = [Leaf(ways[at], numbers[signatures[1][at]]) for at in kept[1]]
    if max(len(leaf.path) for leaf in leaves) > DEEPEST:
        return Arranged([], {})
    back = tuple({at: place for place, at in enumerate(side)} for side in kept)
    fixed = {back[1][a]: back[0][e] for e, a in settled.items() if e in back[0] and a in back[1]}
    try:
        found, doubted = _walked(row, leaves, fixed)
    except _TooMany:
        return Arranged([], {})
    sides = [expected[at].path for at in kept[0]], [leaf.path for leaf in leaves]
    found = tell_branches(open_branches(found, sides[0], row), *sides)
    takers = Counter(place for places in found.values() for place in places)
    places = {kept[1][leaf]: {kept[0][p] for p in found[leaf]} for leaf in sorted(found)}
    alone = {kept[0][place] for place, count in takers.items() if count == 1}
    left_out = {ways[at][:n] for at in set(range(len(ways))) - set(kept[1])
                for n in range(len(ways[at]))}  # fmt: skip
    pairs = [
        (e, a)
        for a, row in places.items()
        if len(row) == 1 and ways[a][:-1] not in left_out  # a new head may stand for an old one
        for e in row & alone
        if back[1][a] not in doubted
    ]
    return Arranged(pairs, places)


def _walked(
    row: Sequence[int], leaves: Sequence[Leaf], fixed: Mapping[int, int]
) -> tuple[Mapping[int, set[int]], set[int]]:
    """Return the places of leaves, and which of them are known to stand elsewhere.

    Where no walk has all that is known, a few of it may be wrong. Else numbers may count down.
    """
    found = _Walk(row, leaves, fixed, False).places()
    if found:
        return found, set()
    free = _Walk(row, leaves, {}, False).places()
    doubted = {leaf for leaf, place in fixed.items() if place not in free.get(leaf, ())}
    if free and len(doubted) <= DOUBTED * len(fixed):
        sure = {leaf: place for leaf, place in fixed.items() if leaf not in doubted}
        found = _Walk(row, leaves, sure, False).places()
        if found:
            return found, doubted
    return _Walk(row, leaves, fixed, True).places(), set()


def _extra_scopes(
    sides: tuple[Sequence[Form], Sequence[Form]], signatures: Sequence[Sequence[Signature]]
) -> tuple[set[int], set[int]]:
    """Return the modules of either side in a scope that holds all that the other side lacks.

    Such as a second head: of a form that both sides have, but not as often, it holds just so many.
    """
    counts = [Counter(side) for side in signatures]
    found: list[set[int]] = []
    for mine, (side, forms) in enumerate(zip(sides, signatures, strict=True)):
        less = counts[1 - mine]
        more = {s: n - less[s] for s, n in counts[mine].items() if n > less[s] > 0}
        inside: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, form in enumerate(side) if more else ():
            for depth in range(1, len(form.path) + 1):
                inside[form.path[:depth]].append(at)
        fitting = {
            tuple(row)
            for row in inside.values()
            if Counter(forms[at] for at in row if less[forms[at]]) == more
        }
        found.append(set(fitting.pop()) if len(fitting) == 1 else set())
    return found[0], found[1]


class _Walk:
    """One sequence of forms and one tree. turning: numbers may also count down, as levels do."""

    def __init__(
        self, row: Sequence[int], leaves: Sequence[Leaf], fixed: Mapping[int, int], turning: bool
    ) -> None:
        self.turning = turning
        self.row = row
        self.leaves = leaves
        self.fixed = fixed
        self.held = set(fixed.values())
        self.nodes = [_Node()]
        self.states = 0
        self.known: dict[Place, list[Place] | None] = {}
        dice = random.Random(0)  # sums of marks tell unequal contents apart at once
        marks = [dice.getrandbits(60) for _ in range(max(row, default=0) + 1)]
        self.sums = [0]
        for form in row:
            self.sums.append(self.sums[-1] + marks[form])
        for at, leaf in enumerate(leaves):
            self._add(at, leaf, marks[leaf.form])
        for node in self.nodes:
            node.chains = list(_chains(node.children))

    def _add(self, at: int, leaf: Leaf, mark: int) -> None:
        node = self.nodes[0]
        way = [node]
        for name in leaf.path:
            if name not in node.children:
                node.children[name] = len(self.nodes)
                self.nodes.append(_Node())
            node = self.nodes[node.children[name]]
            way.append(node)
        node.children[f" {at}"] = len(self.nodes)  # what a scope holds itself, in any order
        self.nodes.append(_Node(at))
        way.append(self.nodes[-1])
        for one in way:
            one.size += one.leaf is None
            one.mark += mark

    def places(self) -> dict[int, set[int]]:
        """Return the places that each leaf has in any walk; {} where there is none."""
        found: dict[int, set[int]] = defaultdict(set)
        todo = [(0, 0)]
        if self._ways(*todo[0]) is None:
            return {}
        seen = set(todo)
        for node, start in todo:  # grows
            leaf = self.nodes[node].leaf
            if leaf is not None:
                found[leaf].add(start)
            for place in self._ways(node, start) or ():
                if place not in seen:
                    seen.add(place)
                    todo.append(place)
        return found

    def _ways(self, number: int, start: int) -> list[Place] | None:
        """Return the places of children in walks that begin here; None where there are none."""
        place = number, start
        if place not in self.known:
            node = self.nodes[number]
            end = start + node.size
            if end >= len(self.sums) or self.sums[end] - self.sums[start] != node.mark:
                self.known[place] = None
            elif node.leaf is not None:
                self.known[place] = [] if self._may_stand(node.leaf, start) else None
            else:
                self.known[place] = self._set_out(node, start)
        return self.known[place]

    def _may_stand(self, leaf: int, start: int) -> bool:
        if leaf in self.fixed or start in self.held:
            return self.fixed.get(leaf) == start
        return self.leaves[leaf].form == self.row[start]

    def _set_out(self, node: _Node, start: int) -> list[Place] | None:
        """Set out the children of a scope one after the other, in every order that fits."""
        chains = node.chains
        if len(chains) > MOST_CHAINS:
            raise _TooMany
        first: State = (0,) * len(chains)
        steps: dict[State, list[tuple[State, Place]]] = {}
        todo = [(first, start)]
        reached = {first}
        for state, at in todo:  # grows
            self.states += 1
            if self.states > MOST_STATES:
                raise _TooMany
            steps[state] = []
            for k, child, done in self._next(state, chains):
                if self._ways(child, at) is None:
                    continue
                onward = (*state[:k], done, *state[k + 1 :])
                steps[state].append((onward, (child, at)))
                if onward not in reached:
                    reached.add(onward)
                    todo.append((onward, at + self.nodes[child].size))
        full = list(map(len, chains))
        ends = {state for state in reached if list(map(abs, state)) == full}
        if not ends:
            return None
        used: dict[Place, None] = {}
        for state, _ in reversed(todo):  # later states first
            for onward, place in steps[state]:
                if onward in ends:
                    ends.add(state)
                    used[place] = None
        return list(used)

    def _next(
        self, state: State, chains: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield (chain, its next member, members then set out) for each chain that goes on."""
        for k, done in enumerate(state):
            chain = chains[k]
            if 0 <= done < len(chain):
                yield k, chain[done], done + 1
            if self.turning and len(chain) > 1 and -len(chain) < done <= 0:
                yield k, chain[done - 1], done - 1


def _chains(children: Mapping[str, int]) -> Iterator[list[int]]:
    """Yield the children in rows of one word, by their numbers; what has none is the first.

    Branches that stand beside each other and levels have no order, whatever their numbers.
    """
    rows: dict[str, list[tuple[list[tuple[int, str]], int]]] = defaultdict(list)
    for name, node in children.items():
        words = words_of(NUMBERS.sub(" ", name))
        beside = bool(words) and words[-1] in UNORDERED
        word = name if beside or name[:1] == " " else NUMBERS.sub("#", name)
        rows[word].append(([(int(n), letter) for n, letter in NUMBERS.findall(name)], node))
    for word in [word for word in rows if f"{word}_#" in rows]:  # conv, conv_1, conv_2
        rows[f"{word}_#"] += rows.pop(word)
    for row in rows.values():
        yield [node for _, node in sorted(row)]

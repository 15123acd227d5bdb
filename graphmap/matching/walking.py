"""All walks through a tree of scopes that fit a sequence of modules and its own scopes.

A walk sets out the leaves of a tree in a row. The leaves of a scope stand beside each other, and of
siblings that one word numbers the lower comes first. No scope may cut through one of the sequence:
they lie inside each other or apart, as clusters of compatible trees do (Bryant, A classification of
consensus methods for phylogenetics, 2003). Exact dynamic programming over (scope, first place).
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from graphmap.matching.tokens import MARK, words_of
from graphmap.matching.vocabulary import PARALLEL, RISING

__all__ = [
    "NUMBERS",
    "SEPARATORS",
    "SHORT",
    "Order",
    "Path",
    "TooManyError",
    "Walk",
    "order_of",
    "pieces_of",
    "word_of",
]

MOST_STATES = 20_000  # of all scopes; beyond, nothing is told
SHORTEST = 3  # layers in a row of which the ends may be a shortcut
LAYER = 2  # modules of a layer: a kernel and its norm
MOST_CHAINS = 12  # siblings of one scope that are in no order with each other

# a number and a letter behind it that counts on (3a, 3b, 4a), but no size such as 3x3
NUMBERS = re.compile(
    r"(?<![0-9][xX])([0-9]+)(?![0-9]*(?:[xX][0-9]|D(?![a-zA-Z])))([a-z](?![A-Za-z0-9]))?"
)
DIMENSIONS = re.compile(r"(?i)(conv|convolution|pool|norm)_?[0-9]_?d(?![a-z])")
SEPARATORS = re.compile(r"[/.]")
WORD_ENDS = re.compile(r"(?<=[A-Za-z0-9])_+(?=[A-Za-z])")

# Words of ways beside the main one, so that a counter over both has no natural order.
SHORT = frozenset({"shortcut", "downsample", "residual", "proj", "match"})

Path = tuple[str, ...]
Place = tuple[int, int]  # node, position at which it begins
State = tuple[int, ...]  # of a scope: how many members of each chain are set out, < 0 from its end
Order = tuple[tuple[int, str], ...]  # numbers in a name, in their order


def pieces_of(path: str, words: bool = False) -> Path:
    """Return the scopes of a path; a number inside of a name ends one too.

    words: every word does, as in `block1_expand_conv` beside `block1_expand_bn`.

    >>> pieces_of("net/conv2_block1_1_conv"), pieces_of("Mixed_3b/Conv2d_0a_1x1")
    (('net', 'conv2', '_block1', '_1', '_conv'), ('Mixed_3b', 'Conv_0a', '_1x1'))
    >>> pieces_of("stem_conv", words=True)
    ('stem_', 'conv')
    """
    if words:
        path = WORD_ENDS.sub("_/", path)  # `l_`, which is no first of `l_1`
    found: list[str] = []
    for part in SEPARATORS.split(DIMENSIONS.sub(r"\1", path)):
        start = 0
        for number in NUMBERS.finditer(part):
            if number.end() < len(part):
                found.append(part[start : number.end()])
                start = number.end()
        found.append(part[start:])
    return tuple(found)


class _Node:
    """A scope or a module. chains: children that follow each other, by node number.

    name: where it bears no number, so that its children may be what it counts.
    """

    def __init__(self, leaf: int | None = None, name: str = "") -> None:
        self.leaf = leaf
        self.name = name
        self.children: dict[str, int] = {}
        self.chains: list[list[int]] = []
        self.size = 1 if leaf is not None else 0
        self.mark = 0


class TooManyError(Exception):
    """More states than are looked at."""


class Walk:
    """One sequence of kinds and one tree.

    leaves: path and kind of each. fixed: {leaf: its place} of what is known. runs: scopes of the
    sequence, which no scope cuts. chains: puts children in rows that have an order. turning:
    numbers may also count down, as levels do. loose: the first and the last layer that a number
    counts may stand anywhere, as shortcuts do. most: states of all scopes that are looked at.
    """

    def __init__(
        self,
        row: Sequence[int],
        leaves: Sequence[tuple[Path, int]],
        fixed: Mapping[int, int],
        runs: Sequence[tuple[int, int]] = (),
        *,
        chains: Callable[[Mapping[str, int]], Iterable[list[int]]] | None = None,
        turning: bool = False,
        loose: bool = False,
        most: int = MOST_STATES,
    ) -> None:
        self.turning = turning
        self.most = most
        self.row = row
        self.forms = [form for _, form in leaves]
        self.fixed = fixed
        self.held = set(fixed.values())
        self.runs = runs
        self.nodes = [_Node()]
        self.states = 0
        self.known: dict[Place, list[Place] | None] = {}
        self.cut: dict[tuple[int, int], bool] = {}
        dice = random.Random(0)  # sums of marks tell unequal contents apart at once
        marks = [dice.getrandbits(60) for _ in range(max(row, default=0) + 1)]
        self.sums = [0]
        for form in row:
            self.sums.append(self.sums[-1] + marks[form])
        for at, (path, form) in enumerate(leaves):
            self._add(at, path, marks[form])
        for node in self.nodes:
            node.chains = list((chains or _chains)(node.children))
            if loose:
                node.chains = [part for chain in node.chains for part in self._loosened(chain)]

    def _loosened(self, chain: list[int]) -> list[list[int]]:
        """Cut off the ends of a row of layers: a shortcut is counted first or last."""
        if len(chain) < SHORTEST or any(self.nodes[child].size > LAYER for child in chain):
            return [chain]
        return [chain[:1], chain[1:-1], chain[-1:]]

    def _add(self, at: int, path: Path, mark: int) -> None:
        node = self.nodes[0]
        way = [node]
        for name in path:
            if name not in node.children:
                node.children[name] = len(self.nodes)
                self.nodes.append(_Node(name="" if NUMBERS.search(name) else name))
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

    def doubted(self, alone: Mapping[int, int], paths: Sequence[Path]) -> set[int]:
        """Return the leaves below like siblings whose numbers tell no order.

        paths: of the sequence. alone: {leaf: its place}. A way beside the main one makes the place
        of all siblings like it doubtful.
        """
        found: set[int] = set()
        for node in self.nodes:
            names = {child: name for name, child in node.children.items()}
            for chain in node.chains:
                alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
                for child in chain:
                    inside = self._leaves(child)
                    alike[tuple(sorted(self.forms[leaf] for leaf in inside))].append(child)
                words = words_of(NUMBERS.sub(" ", names[chain[0]])) or words_of(node.name)
                rows = [chain] if RISING in words else list(alike.values())
                for row in rows:
                    found.update(self._doubted(row, words, alone, paths))
        return found

    def _doubted(
        self,
        row: Sequence[int],
        words: tuple[str, ...],
        alone: Mapping[int, int],
        paths: Sequence[Path],
    ) -> Iterator[int]:
        """Yield the leaves below like siblings, in the order of their numbers, that have none."""
        inside = [[leaf for leaf in self._leaves(child) if leaf in alone] for child in row]
        inside = [leaves for leaves in inside if leaves]
        ways = [paths[min(alone[leaf] for leaf in leaves)] for leaves in inside]
        for at, (one, other) in enumerate(pairwise(ways)):
            if not _is_ordered(words, one, other):
                yield from (*inside[at], *inside[at + 1])
        own = set().union(*ways) - set(ways[0]).intersection(*ways) if ways else set()
        if not SHORT.isdisjoint(_words(own)):
            for leaves in inside:
                yield from leaves

    def _leaves(self, number: int) -> list[int]:
        node = self.nodes[number]
        if node.leaf is not None:
            return [node.leaf]
        return [leaf for child in node.children.values() for leaf in self._leaves(child)]

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
                cut = node.size > 1 and self._cuts(start, end)
                self.known[place] = None if cut else self._set_out(node, start)
        return self.known[place]

    def _cuts(self, start: int, end: int) -> bool:
        """Whether a scope of the code begins or ends inside, and lies partly outside."""
        key = start, end
        if key not in self.cut:
            self.cut[key] = any(
                (first < start < last < end) or (start < first < end < last)
                for first, last in self.runs
            )
        return self.cut[key]

    def _may_stand(self, leaf: int, start: int) -> bool:
        if leaf in self.fixed or start in self.held:
            return self.fixed.get(leaf) == start
        return self.forms[leaf] == self.row[start]

    def _set_out(self, node: _Node, start: int) -> list[Place] | None:
        """Set out the children of a scope one after the other, in every order that fits."""
        chains = node.chains
        if len(chains) > MOST_CHAINS:
            raise TooManyError
        first: State = (0,) * len(chains)
        steps: dict[State, list[tuple[State, Place]]] = {}
        todo = [(first, start)]
        reached = {first}
        for state, at in todo:  # grows
            self.states += 1
            if self.states > self.most:
                raise TooManyError
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


def _is_ordered(words: tuple[str, ...], one: Path, other: Path) -> bool:
    """Whether two modules of the code come one after the other as two numbers of a word do.

    What runs beside each other has no order but that of its own numbers, and levels of the way up
    may be counted from either end.
    """
    differ = [(a, b) for a, b in zip(one, other, strict=False) if a != b] or [("", "")]
    steps = [
        order_of(a) < order_of(b)
        for a, b in differ
        if MARK in word_of(a) and word_of(a) == word_of(b)
    ]
    if RISING in words and words != _counted(one, other):
        return False
    if steps:
        return any(steps)
    sides = _words(one), _words(other)
    own = {*(sides[0] ^ sides[1]), *words[-1:]}
    if "output" not in sides[1] - sides[0] and not PARALLEL.isdisjoint(own):
        return False
    return not any(len(word) == 1 for word in own)


def _counted(one: Path, other: Path) -> tuple[str, ...]:
    """Return the words of what is counted where two paths part: `up.0` counts what `up0` does."""
    at = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    words = words_of(NUMBERS.sub(" ", one[at]))
    return words if words or not at else words_of(one[at - 1])


def _words(pieces: Iterable[str]) -> set[str]:
    """Return the words of the pieces of a path that bear no number of their own."""
    return {w for piece in pieces if not NUMBERS.search(piece) for w in words_of(piece)}


def word_of(name: str) -> str:
    """Return a name with a mark for every number."""
    return NUMBERS.sub(MARK, name)


def order_of(name: str) -> Order:
    """Return the numbers in a name, with letters that count on behind them."""
    return tuple((int(number), letter) for number, letter in NUMBERS.findall(name))


def _chains(children: Mapping[str, int]) -> Iterator[list[int]]:
    """Yield the children in rows of one word, by their numbers; `x` is the first of `x_1`."""
    rows: dict[str, list[tuple[Order, int]]] = defaultdict(list)
    known = {NUMBERS.sub("#", name) for name in children}
    for name, node in children.items():
        word = name if name[:1] == " " else NUMBERS.sub("#", name)
        if MARK not in word and word + "_" + MARK in known:
            word += "_" + MARK
        rows[word].append((order_of(name), node))
    for row in rows.values():
        yield [node for _, node in sorted(row)]

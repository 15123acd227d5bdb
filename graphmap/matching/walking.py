"""Two trees of scopes laid on one another where no shape is known.

EXPECTED lists its modules in the order in which the code makes them, and its scopes are runs of
that list. The other side's names tell a tree, and of siblings that one word numbers the lower came
first. So the kinds of the modules must be a walk through that tree in which no scope of one side
cuts through a scope of the other: scopes lie inside each other or apart, as clusters of compatible
trees do (Bryant, A classification of consensus methods for phylogenetics, 2003). A module that has
one place in all such walks is settled. Exact dynamic programming over (scope, first place).

With shapes `arrangement.py` asks the same of sizes.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.decide import Found
from graphmap.matching.groups import Group
from graphmap.matching.kinds import kind_of
from graphmap.matching.tokens import MARK, Names, last_segment, scope_of, words_of
from graphmap.matching.vocabulary import PARALLEL
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = ["walk_scopes"]

BITS = 14.0
FEWEST = 12  # modules of a walk
COVERED = 0.9  # share of the modules of either side that take part
AGREED = 3  # scopes of both sides that hold the same modules, which make two trees one
LONE = 3  # links from which repetition vouches for a pair of groups
MOST_STATES = 200_000  # of all scopes; beyond, nothing is told
DEEPEST = 64  # scopes within scopes
MOST_CHAINS = 12  # siblings of one scope that are in no order with each other
MOST_MODULES = 1_000

# a number and a letter behind it that counts on (3a, 3b, 4a), but no size such as 3x3
NUMBERS = re.compile(r"(?<![0-9][xX])([0-9]+)(?![0-9]*[xX][0-9])([a-z](?![A-Za-z0-9]))?")
DIMENSIONS = re.compile(r"(?i)(conv|convolution|pool|norm)_?[0-9]_?d(?![a-z])")
SEPARATORS = re.compile(r"[/.]")

Path = tuple[str, ...]
Place = tuple[int, int]  # node, position at which it begins
State = tuple[int, ...]  # of a scope: how many members of each chain are set out
Order = tuple[tuple[int, str], ...]  # numbers in a name, in their order


class Module(NamedTuple):
    """Tensors of one scope that one template makes. tensors: {kind letter: positions}."""

    path: Path
    tensors: Mapping[str, tuple[int, ...]]


def walk_scopes(run: Run) -> None:
    """Link open modules that have one place in all walks that fit; without shapes only."""
    if not run.ordered or any(v.shape is not None for v in (*run.wanted[:1], *run.pool[:1])):
        return
    sides = (
        _modules(run.whole[0], run.wanted_names),
        _modules(run.whole[1], run.pool_names),
    )
    links = run.result.links
    ours = {v.name: at for at, v in enumerate(run.wanted)}
    theirs = {v.name: at for at, v in enumerate(run.pool)}
    settled = {ours[k.expected.name]: theirs[k.actual.name] for k in links}
    often = Counter(id(k.evidence) for k in links)  # links of a group share their reasons
    firm = {ours[k.expected.name] for k in links if often[id(k.evidence)] >= LONE}
    pairs = _lay(*sides, settled) or _lay(*sides, {e: settled[e] for e in sorted(firm)})
    rows = [row for e, a in pairs for row in _inside(sides[0][e], sides[1][a])]
    moved = {e for e, a in rows if settled.get(e, a) != a}
    moved |= {e for e, a in settled.items() if a in {there for here, there in rows if here != e}}
    if moved & firm:
        return
    names = {run.wanted[at].name for at in moved}
    run.result.links = [k for k in links if k.expected.name not in names]
    evidence = (
        Evidence("creation", BITS, "its only place in the order of the code, as scopes allow"),
    )
    for e, a in rows:
        if e not in settled or e in moved:
            run.result.links.append(Found(run.wanted[e], run.pool[a], BITS, BITS, evidence))


def _modules(groups: Sequence[Group], names: Names) -> list[Module]:
    """Return the modules of a side in the order of their positions."""
    found: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for group in groups:
        letter = "B" if group.kind.letter == "E" else group.kind.letter
        wrapped = last_segment(group.template).rstrip("_" + MARK)
        for _, position in group.members:
            name = _filled(*names[position])
            while not last_segment(name).startswith(wrapped):
                name = scope_of(name)
            # a tensor whose name tells no kind is a module of its own
            path = name if letter == "?" else scope_of(name)
            kind, rest = kind_of(last_segment(name), None)
            if kind.letter == "?":
                rest = group.module
            found[path, rest][letter].append(position)
    made = [Module(_pieces(path), _as_stored(tensors)) for (path, _), tensors in found.items()]
    return sorted(made, key=lambda m: min(p for row in m.tensors.values() for p in row))


def _as_stored(tensors: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Return what a module holds, whatever the other layers of its template are.

    Layers that are only numbered have one template, and `weight` is a kernel or a scale.
    """
    rows = {letter: tuple(row) for letter, row in tensors.items()}
    wrong, right = ("M", "G") if "V" in rows else ("G", "M")
    if wrong in rows and right not in rows and ("V" in rows or "B" not in rows):
        rows[right] = rows.pop(wrong)
    return rows


def _filled(text: str, numbers: tuple[int, ...]) -> str:
    rest = iter(numbers)
    return "".join(str(next(rest)) if letter == MARK else letter for letter in text)


def _pieces(path: str) -> Path:
    """Return the scopes of a path; a number inside of a name ends one too.

    >>> _pieces("net/conv2_block1_1_conv"), _pieces("Mixed_3b/Conv2d_0a_1x1")
    (('net', 'conv2', '_block1', '_1', '_conv'), ('Mixed_3b', 'Conv_0a', '_1x1'))
    """
    found: list[str] = []
    for part in SEPARATORS.split(DIMENSIONS.sub(r"\1", path)):
        start = 0
        for number in NUMBERS.finditer(part):
            if number.end() < len(part):
                found.append(part[start : number.end()])
                start = number.end()
        found.append(part[start:])
    return tuple(found)


def _lay(
    expected: Sequence[Module], actual: Sequence[Module], settled: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Return (expected module, actual one) of one place only, by their indices."""
    signatures = _signatures(expected, actual)
    counts = [Counter(side) for side in signatures]
    both = {s for s, n in counts[0].items() if s and counts[1][s] == n}
    kept = [[at for at, s in enumerate(side) if s in both] for side in signatures]
    sizes = [sum(1 for s in side if s) for side in signatures]
    if not FEWEST <= len(kept[0]) <= MOST_MODULES or len(kept[0]) < COVERED * max(sizes):
        return []
    numbers = {s: at for at, s in enumerate(sorted(both))}
    row = [numbers[signatures[0][at]] for at in kept[0]]
    forms = [numbers[signatures[1][at]] for at in kept[1]]
    paths = [expected[at].path for at in kept[0]]
    ways = [actual[at].path for at in kept[1]]
    if max(map(len, ways)) > DEEPEST:
        return []
    fixed = _fixed(expected, actual, kept, settled)
    if fixed is None:
        return []
    leaves = list(zip(ways, forms, strict=True))
    try:
        for runs in (_runs(paths), _runs(paths, counted=True), []):
            walk = _Walk(row, leaves, fixed, runs)
            found = walk.places()
            if found:
                break
    except _TooMany:
        return []
    alone = {leaf: next(iter(places)) for leaf, places in found.items() if len(places) == 1}
    takers = Counter(place for places in found.values() for place in places)
    alone = {leaf: place for leaf, place in alone.items() if takers[place] == 1}
    if _agreed(alone, paths, ways) < AGREED:
        return []
    doubted = walk.doubted(alone, paths)
    return [(kept[0][p], kept[1][leaf]) for leaf, p in alone.items() if leaf not in doubted]


def _signatures(
    expected: Sequence[Module], actual: Sequence[Module]
) -> tuple[list[tuple[tuple[str, int], ...]], ...]:
    """Return the kinds in the modules of both sides, but those that one side has nowhere."""
    kinds = [
        {letter for module in side for letter in module.tensors} for side in (expected, actual)
    ]
    common = kinds[0] & kinds[1]
    return tuple(
        [
            tuple(sorted((k, len(row)) for k, row in module.tensors.items() if k in common))
            for module in side
        ]
        for side in (expected, actual)
    )


def _fixed(
    expected: Sequence[Module],
    actual: Sequence[Module],
    kept: Sequence[Sequence[int]],
    settled: Mapping[int, int],
) -> dict[int, int] | None:
    """Return {actual leaf: its place} as far as it is known; None where links part a module."""
    homes = [
        {p: at for at, module in enumerate(side) for row in module.tensors.values() for p in row}
        for side in (expected, actual)
    ]
    back = [{at: place for place, at in enumerate(side)} for side in kept]
    fixed: dict[int, int] = {}
    for e, a in settled.items():
        place, leaf = back[0].get(homes[0][e]), back[1].get(homes[1][a])
        if place is None or leaf is None:
            continue
        if fixed.setdefault(leaf, place) != place:
            return None
    return fixed if len(set(fixed.values())) == len(fixed) else None


def _runs(paths: Sequence[Path], counted: bool = False) -> list[tuple[int, int]]:
    """Return (first, end) of the scopes of the code that hold two modules or more in a row.

    counted: only of those that bear a number.
    """
    spans: dict[Path, list[int]] = defaultdict(list)
    for at, path in enumerate(paths):
        for depth in range(1, len(path) + 1):
            spans[path[:depth]].append(at)
    found = {
        (row[0], row[-1] + 1)
        for scope, row in spans.items()
        if 1 < len(row) < len(paths) and row[-1] - row[0] == len(row) - 1
        if not counted or NUMBERS.search(scope[-1])
    }
    return sorted(found)


def _agreed(alone: Mapping[int, int], paths: Sequence[Path], ways: Sequence[Path]) -> int:
    """Count the scopes of several modules, and not all, that are the same on both sides."""
    runs = set(_runs(paths))
    spans: dict[Path, list[int]] = defaultdict(list)
    holds: Counter[Path] = Counter()
    for leaf, way in enumerate(ways):
        for depth in range(1, len(way) + 1):
            holds[way[:depth]] += 1
            if leaf in alone:
                spans[way[:depth]].append(alone[leaf])
    agreed = {
        (min(row), max(row) + 1)
        for scope, row in spans.items()
        if len(row) == holds[scope] and (min(row), max(row) + 1) in runs
    }
    return len(agreed)


def _inside(mine: Module, theirs: Module) -> list[tuple[int, int]]:
    """Pair the tensors of two modules that no other tensor in them is like."""
    return [
        (row[0], theirs.tensors[letter][0])
        for letter, row in mine.tensors.items()
        if len(row) == len(theirs.tensors.get(letter, ())) == 1
    ]


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


class _Walk:
    """One sequence of kinds and one tree; runs: scopes of the sequence, which no scope cuts."""

    def __init__(
        self,
        row: Sequence[int],
        leaves: Sequence[tuple[Path, int]],
        fixed: Mapping[int, int],
        runs: Sequence[tuple[int, int]],
    ) -> None:
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
            node.chains = list(_chains(node.children))

    def _add(self, at: int, path: Path, mark: int) -> None:
        node = self.nodes[0]
        way = [node]
        for name in path:
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

    def doubted(self, alone: Mapping[int, int], paths: Sequence[Path]) -> set[int]:
        """Return the leaves below siblings whose numbers tell no order.

        Branches that run beside each other have the order of their numbers only where the code
        numbers its own so; what is equal and has words of such branches has none.
        """
        found: set[int] = set()
        for node in self.nodes:
            names = {child: name for name, child in node.children.items()}
            for chain in node.chains:
                inside = [self._leaves(child) for child in chain]
                firsts = [min((alone[x] for x in row if x in alone), default=-1) for row in inside]
                forms = [sorted(self.forms[x] for x in row) for row in inside]
                words = words_of(NUMBERS.sub(" ", names[chain[0]]))
                beside = bool(words) and words[-1] in PARALLEL
                for at in range(1, len(chain)):
                    if forms[at] != forms[at - 1] or min(firsts[at - 1 : at + 1]) < 0:
                        continue
                    one, other = paths[firsts[at - 1]], paths[firsts[at]]
                    if not _count_on(one, other) and (beside or _are_beside(one, other)):
                        found.update(inside[at - 1], inside[at])
        return found

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
            raise _TooMany
        first: State = (0,) * len(chains)
        last: State = tuple(map(len, chains))
        steps: dict[State, list[tuple[State, Place]]] = {}
        todo = [(first, start)]
        reached = {first}
        for state, at in todo:  # grows
            self.states += 1
            if self.states > MOST_STATES:
                raise _TooMany
            steps[state] = []
            for k, done in enumerate(state):
                if done == len(chains[k]):
                    continue
                child = chains[k][done]
                if self._ways(child, at) is None:
                    continue
                onward = (*state[:k], done + 1, *state[k + 1 :])
                steps[state].append((onward, (child, at)))
                if onward not in reached:
                    reached.add(onward)
                    todo.append((onward, at + self.nodes[child].size))
        if last not in reached:
            return None
        ends = {last}
        used: dict[Place, None] = {}
        for state, _ in reversed(todo):  # later states first
            for onward, place in steps[state]:
                if onward in ends:
                    ends.add(state)
                    used[place] = None
        return list(used)


def _count_on(one: Path, other: Path) -> bool:
    """Whether the first piece in which two paths differ is one word with a higher number."""
    differ = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), ("", ""))
    return NUMBERS.sub("#", differ[0]) == NUMBERS.sub("#", differ[1]) and _order(
        differ[0]
    ) < _order(differ[1])


def _are_beside(one: Path, other: Path) -> bool:
    """Whether each of two paths has a word of its own that branches beside each other have."""
    sides = [set(words_of("/".join(path).replace("/", " "))) for path in (one, other)]
    own = sides[0] - sides[1], sides[1] - sides[0]
    return all(any(word in PARALLEL or len(word) == 1 for word in side) for side in own)


def _order(name: str) -> Order:
    return tuple((int(number), letter) for number, letter in NUMBERS.findall(name))


def _chains(children: Mapping[str, int]) -> Iterator[list[int]]:
    """Yield the children in rows of one word, by their numbers; `x` is the first of `x_1`."""
    rows: dict[str, list[tuple[Order, int]]] = defaultdict(list)
    known = {NUMBERS.sub("#", name) for name in children}
    for name, node in children.items():
        word = name if name[:1] == " " else NUMBERS.sub("#", name)
        if MARK not in word and word + "_" + MARK in known:
            word += "_" + MARK
        rows[word].append((_order(name), node))
    for row in rows.values():
        yield [node for _, node in sorted(row)]

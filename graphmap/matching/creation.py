"""Creation order as evidence: modules that are only numbered, against modules in order of code.

`layer_with_weights-7` and `conv2d_7` say nothing but their number. EXPECTED lists its modules in
the order in which the code makes them, and the two orders can be compared: as sequences of modules,
each with the kinds and shapes of its tensors. Insertions are allowed. Decided is by posterior, the
share of all alignments that a pair stands in, and only where the sequences tell enough to trust it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations
from typing import NamedTuple

from graphmap.matching.groups import Group, Roles
from graphmap.matching.sequence import Key, Run, Signature, align_runs
from graphmap.matching.tokens import MARK, Names, Template, filled, scope_of, words_of
from graphmap.matching.vocabulary import PARALLEL

__all__ = ["Item", "Paired", "align_creation", "align_sides"]

LONGEST_RUN = 12  # expected modules that one stored module may hold
MOST_CELLS = 4_000_000  # of the table of alignments
TOLD = 12.0  # bits that the sequences must tell
CLEAR = 60.0  # bits from which an unbroken order also tells equal neighbours apart
COVERED = 0.7  # share of the modules of one side that must find a place
POSTERIOR = 0.98
APART = -7.0  # log odds of stored modules left out between others, once for those in a row
MOST_BITS = 12.0
ZIPPED_BITS = 12.0  # of a pair at one place of two counters equally long
FEWEST = 4  # modules that make a sequence
MOST_SCOPES = 3  # with counters of their own, that one order is compared with


class Item(NamedTuple):
    """A variable of one side: its position, its name taken apart, kind letter and shape label."""

    position: int
    name: Template
    key: Key


class Paired(NamedTuple):
    """A pair of positions that the order tells; bits: log2 odds; of: modules that were aligned."""

    expected: int
    actual: int
    bits: float
    of: int


class _Module(NamedTuple):
    path: str
    items: tuple[Item, ...]

    @property
    def signature(self) -> Signature:
        return tuple(sorted(item.key for item in self.items))


def align_sides(
    groups: tuple[Sequence[Group], Sequence[Group]],
    expected_names: Names,
    actual_names: Names,
    roles: Roles,
) -> list[Paired]:
    """Return the pairs of positions that the order of creation tells, of all groups of two sides.

    Shapes are compared as they are, else with the axes of one side reversed, else regardless of
    order: the first of these under which the sequences agree. roles: of the actual side.
    """
    shaped = all(any(g.shapes[0] is not None for g in side) for side in groups)
    for turn in (_straight, _reversed, _unordered) if shaped else (_straight,):
        expected = _items(
            groups[0], expected_names, _unordered if turn is _unordered else _straight
        )
        actual = _items(groups[1], actual_names, turn)
        found = align_creation(expected, actual, roles.counters, shaped)
        if found:
            return found
    return []


Label = tuple[int, ...] | None


def _straight(sizes: tuple[int, ...]) -> Label:
    return sizes


def _reversed(sizes: tuple[int, ...]) -> Label:
    return sizes[::-1]


def _unordered(sizes: tuple[int, ...]) -> Label:
    return tuple(sorted(sizes))


def _items(
    groups: Sequence[Group], names: Names, turn: Callable[[tuple[int, ...]], Label]
) -> list[Item]:
    found = []
    for group in groups:
        letter = "B" if group.kind.letter == "E" else group.kind.letter
        for (_, position), shape in zip(group.members, group.shapes, strict=True):
            sizes = None if shape is None else tuple(n for n in shape if n is not None and n != 1)
            label = None if sizes is None else turn(sizes)
            found.append(Item(position, names[position], (letter, label)))
    return sorted(found)


def align_creation(
    expected: Sequence[Item],
    actual: Sequence[Item],
    counters: Mapping[str, set[int]],
    shaped: bool,
) -> list[Paired]:
    """Return pairs that the order of creation tells.

    expected: in the order of the code. counters: templates of the actual side whose index is
    TensorFlow's own, and which index. shaped: shapes are known on both sides.
    """
    modules = _modules(expected)
    found: list[Paired] = []
    for units in _numbered(actual).values():
        found += _pair_up(modules, units, LONGEST_RUN, [])
    counted = _counted(actual, counters)
    for families in counted.values():
        told: list[_Family] = []
        quiet = []
        complete = False  # a counter of which nothing that is expected stays open
        for units in families.values():
            fitting = _of_structure(modules, units)
            rows: list[Paired] = []
            if len(units) >= FEWEST:
                rows = _pair_up(fitting, units, 1, modules)
            if rows:
                told.append(_Family(fitting, units))
                found += rows
                items = sum(len(module.items) for module in fitting)
                complete |= len(fitting) == len(units) or len(rows) == items
            else:
                quiet.append(_Family(fitting, units))
        whole = not shaped and _is_whole(modules, [*told, *quiet])
        if whole or complete:
            for family in quiet:
                if len(family.modules) == len(family.units):
                    found += _zip_family(family, modules)
    return found or _in_a_row(modules, counted)


def _in_a_row(
    modules: Sequence[_Module], counted: Mapping[str, Mapping[str, list[_Module]]]
) -> list[Paired]:
    """Align scopes that each have a counter of their own, one behind the other, with one order.

    A counted module may hold several expected ones (a convolution with its norm inside). Only where
    nothing is left over on either side, and the shapes allow one order of the scopes.
    """
    families = [units for words in counted.values() for units in words.values()]
    items = sum(len(unit.items) for units in families for unit in units)
    if not 1 <= len(families) <= MOST_SCOPES or items != sum(len(m.items) for m in modules):
        return []
    orders = []
    for way in permutations(families):
        units = [unit for family in way for unit in family]
        found = _pair_up(modules, units, LONGEST_RUN, [], whole=True)
        if found:
            orders.append(found)
    return orders[0] if len(orders) == 1 else []


class _Family(NamedTuple):
    modules: list[_Module]
    units: list[_Module]


def _is_whole(modules: Sequence[_Module], families: Sequence[_Family]) -> bool:
    """Whether the counters of a scope share out all expected modules among them, two or more."""
    sizes = [len(f.units) for f in families]
    even = all(len(f.modules) == len(f.units) for f in families)
    return even and len(families) > 1 and max(sizes) >= FEWEST and sum(sizes) == len(modules)


def _modules(items: Sequence[Item]) -> list[_Module]:
    """Cut a sequence of variables into modules: neighbours with one path."""
    found: list[_Module] = []
    for item in items:
        path = _path_of(item.name)
        if found and found[-1].path == path:
            found[-1] = _Module(path, (*found[-1].items, item))
        else:
            found.append(_Module(path, (item,)))
    return found


def _path_of(name: Template) -> str:
    """Return a name without its last part, its indices in place."""
    return filled(Template(scope_of(name.text), name.numbers))


def _numbered(actual: Sequence[Item]) -> dict[str, list[_Module]]:
    """Return {first numbered prefix: its modules in order}, where they hold different things.

    A module inside that is numbered by the same word is a module of its own.
    """
    units: dict[str, dict[tuple[int, ...], list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in actual:
        text = item.name.text
        cut = text.find(MARK)
        if cut < 0 or text[cut - 1 : cut] == "_":
            continue
        word = text[: cut + 1].rpartition("/")[2]
        depth = 1
        parts = text[cut + 1 :].split("/")[1:]
        while depth <= len(parts) and parts[depth - 1] == word:
            depth += 1
        units[text[: cut + 1]][item.name.numbers[:depth]].append(item)
    found = {}
    for prefix, rows in units.items():
        made = [_Module(prefix, tuple(rows[key])) for key in sorted(rows)]
        if len(made) >= FEWEST and len({m.signature for m in made}) > 1:
            found[prefix] = made
    return found


def _counted(
    actual: Sequence[Item], counters: Mapping[str, set[int]]
) -> dict[str, dict[str, list[_Module]]]:
    """Return {scope: {counting word: its modules in order}} of TensorFlow's own counters."""
    units: dict[tuple[str, str], dict[int, list[Item]]] = defaultdict(lambda: defaultdict(list))
    heads = {}
    for text in counters:
        head, _, tail = text.partition("_" + MARK)
        if MARK not in tail:
            heads[text] = heads[head + tail] = head.rpartition("/")
    known = {"".join(parts) for parts in heads.values()}
    for text in {item.name.text for item in actual} - heads.keys():
        head, _, tail = text.partition("_" + MARK)
        if head in known and MARK not in tail:  # what only numbered ones hold
            heads[text] = head.rpartition("/")
    for item in actual:
        place = heads.get(item.name.text)
        if place is not None:
            numbers = item.name.numbers
            at = place[0].count(MARK)  # of the counter: a scope may bear numbers too
            scope = filled(Template(place[0], numbers[:at]))
            units[scope, place[2]][numbers[at] if len(numbers) > at else 0].append(item)
    found: dict[str, dict[str, list[_Module]]] = defaultdict(dict)
    for (scope, word), rows in sorted(units.items()):
        found[scope][word] = [_Module(word, tuple(rows[key])) for key in sorted(rows)]
    return found


def _of_structure(modules: Sequence[_Module], units: Sequence[_Module]) -> list[_Module]:
    """Return the modules that hold tensors of the same kinds and ranks as some of the units."""
    wanted = {_structure(unit) for unit in units}
    return [module for module in modules if _structure(module) in wanted]


def _structure(module: _Module) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((letter, len(label or ())) for letter, label in module.signature))


def _pair_up(
    modules: Sequence[_Module],
    units: Sequence[_Module],
    longest: int,
    order: Sequence[_Module],
    whole: bool = False,
) -> list[Paired]:
    """Align and return what is sure. order: all expected modules, where `modules` are a part.

    whole: nothing unless the order is unbroken and tells all.
    """
    if len(modules) * len(units) > MOST_CELLS or not modules:
        return []
    shares = Counter(unit.signature for unit in units)
    weight = {s: math.log(len(units) / n) for s, n in shares.items()}
    mine, theirs = [m.signature for m in modules], [u.signature for u in units]
    sure = _sure_runs(mine, theirs, weight, longest)
    told = sum(weight[units[run.unit].signature] for run in sure) / math.log(2)
    covered = sum(run.length for run in sure) >= COVERED * len(modules)
    if told < TOLD or not (covered or len(sure) >= COVERED * len(units)):
        return []
    unbroken = len(sure) == len(units) and sum(run.length for run in sure) == len(modules)
    if whole and not (unbroken and told >= CLEAR):
        return []
    left_out = set()
    for one, other in pairwise(sure):
        if units[one.unit].signature == units[other.unit].signature and _exchangeable(
            modules[one.first], modules[other.first], order, unbroken and told >= CLEAR
        ):
            left_out |= {one, other}
    found = []
    for run in sure:
        if run in left_out:
            continue
        odds = -math.log2(max(1e-9, 1 - run.posterior))
        bits = min(MOST_BITS, odds, told)
        items = [i for m in modules[run.first : run.first + run.length] for i in m.items]
        for e, a in _inside(items, units[run.unit].items):
            found.append(Paired(e, a, bits, len(sure)))
    return found


def _sure_runs(
    mine: Sequence[Signature],
    theirs: Sequence[Signature],
    weight: Mapping[Signature, float],
    longest: int,
) -> list[Run]:
    """Return the runs that are sure.

    A counter that ran on from another model leaves out its beginning. Not so where what is left out
    looks like what follows it: then a block may as well have been put in between.
    """
    if longest == 1:
        apart = align_runs(mine, theirs, weight, longest, APART)
        sure = [run for run in apart if run.posterior >= POSTERIOR]
        before = sure[0].unit - sure[0].first if sure else 0
        behind = len(theirs) - sure[-1].unit - (len(mine) - sure[-1].first) if sure else 0
        repeats = [before > 0 and mine[:before] == theirs[:before]]
        repeats.append(behind > 0 and mine[-behind:] == theirs[-behind:])
        if not any(repeats):
            return sure
    runs = align_runs(mine, theirs, weight, longest)
    return [run for run in runs if run.posterior >= POSTERIOR]


def _exchangeable(one: _Module, other: _Module, order: Sequence[_Module], clear: bool) -> bool:
    """Whether two equal modules in a row could have been made in the other order.

    Numbers count on; words do not, and branches that run beside each other have no order.
    """
    if order and order.index(other) != order.index(one) + 1:
        return False
    names = [m.items[0].name for m in (one, other)]
    if names[0].text == names[1].text:
        at = next(
            k for k, (a, b) in enumerate(zip(*(n.numbers for n in names), strict=True)) if a != b
        )
        word = words_of(names[0].text.split(MARK)[at].rpartition("/")[2])
        return bool(word) and word[-1] in PARALLEL
    if not clear:
        return True
    words = [set(words_of(name.text.replace("/", " "))) for name in names]
    differ = words[0] ^ words[1]
    return any(word in PARALLEL or len(word) == 1 for word in differ)


def _inside(mine: Sequence[Item], theirs: Sequence[Item]) -> list[tuple[int, int]]:
    """Pair the variables of one module: by kind and shape, and by words where these are equal."""
    found = []
    for key in sorted({item.key for item in mine}, key=str):
        ours = [item for item in mine if item.key == key]
        others = [item for item in theirs if item.key == key]
        if len(ours) == len(others) == 1:
            found.append((ours[0].position, others[0].position))
        elif len(ours) == len(others):
            found += _by_words(ours, others)
    return found


def _by_words(ours: Sequence[Item], others: Sequence[Item]) -> list[tuple[int, int]]:
    sides = [[set(words_of(i.name.text.replace("/", " "))) for i in row] for row in (ours, others)]
    common = [set.intersection(*side) for side in sides]
    own = [[words - shared for words in side] for side, shared in zip(sides, common, strict=True)]
    pairs = []
    for e, words in enumerate(own[0]):
        like = [a for a, others_words in enumerate(own[1]) if words & others_words]
        if len(like) == 1:
            pairs.append((ours[e].position, others[like[0]].position))
    return pairs if len({a for _, a in pairs}) == len(pairs) == len(ours) else []


def _zip_family(family: _Family, order: Sequence[_Module]) -> list[Paired]:
    """Pair equally many modules of one counter in order; neighbours without an order stay open."""
    open_ones = set()
    for at, (one, other) in enumerate(pairwise(family.modules)):
        if _exchangeable(one, other, order, clear=True):
            open_ones |= {at, at + 1}
    found = []
    for at, (module, unit) in enumerate(zip(family.modules, family.units, strict=True)):
        if at not in open_ones and module.signature == unit.signature:
            for e, a in _inside(module.items, unit.items):
                found.append(Paired(e, a, ZIPPED_BITS, len(family.units)))
    return found

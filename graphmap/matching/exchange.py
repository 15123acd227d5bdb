"""Two modules that stand once and might change places: is one way better than the other?

The modules of a scope teach each other its words, so that a choice made by a hair looks certain
once it is made. So ask again, of what two modules say by themselves: where to exchange the two
would cost next to nothing, and neither the order of stages nor a part of their scopes that could
stand nowhere else speaks for one way, both stay open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.evidence.learned import TEXT_BITS
from graphmap.matching.evidence.lexical import text_similarity
from graphmap.matching.evidence.tail import tail_evidence
from graphmap.matching.groups import Group
from graphmap.matching.layout import Label, label_of
from graphmap.matching.pairs import CLEAR, Context, Pair
from graphmap.matching.scoring import make_context, note_settled
from graphmap.matching.tokens import last_segment, scope_of
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = ["open_exchanges"]

FEWEST = 3  # links from which repetition vouches for a pair
LEAST_BITS = 6.0  # by which one way must be better
MOST = 100  # modules that hold the same; more are not compared with each other
TOLD = frozenset({"counter", "form", "order", "role", "scope", "trained"})  # beside words, siblings

Form = tuple[str, int, Label]  # kind, members and sizes of a group


class Module(NamedTuple):
    """A module that stands once: its groups of both sides; told: more than words chose it."""

    pairs: tuple[tuple[Group, Group], ...]
    told: bool

    @property
    def expected(self) -> Group:
        """Any of its groups: all have the same words."""
        return self.pairs[0][0]

    @property
    def actual(self) -> Group:
        return self.pairs[0][1]

    @property
    def forms(self) -> tuple[tuple[Form, ...], ...]:
        """What it holds, on both sides."""
        return tuple(tuple(sorted(map(_form, side))) for side in zip(*self.pairs, strict=True))


def open_exchanges(run: Run) -> bool:
    """Take back the links of modules that might as well be exchanged; whether there were any."""
    alike: dict[object, list[Module]] = defaultdict(list)
    modules = _lone_modules(run)
    for module in modules:
        alike[module.forms].append(module)
    rows = [row for one in alike.values() if len(one) <= MOST for row in _exchanges(one)]
    taken: set[str] = set()
    for module, why in _torn(modules, run.whole):
        _open(run, module, why, taken)
    if not rows and not taken:
        return False
    context = make_context(run.whole[0], run.whole[1], run.anchors)
    note_settled(run.anchors, context)
    settled = [(p.expected, p.actual) for p in run.anchors]
    for one, other in rows:
        bits = _gain(one, other, context)
        if bits >= LEAST_BITS or _is_backed(one, other, run.whole[1], settled):
            continue
        if _is_backed(other, one, run.whole[1], settled):
            continue
        for module, rival in ((one, other), (other, one)):
            why = f"{rival.expected.module} fits there as well, but for {bits:.1f} bits"
            _open(run, module, why, taken)
    if taken:
        run.result.links = [k for k in run.result.links if k.expected.name not in taken]
        run.complete = False
    return bool(taken)


def _open(run: Run, module: Module, why: str, taken: set[str]) -> None:
    for group, _ in module.pairs:
        for _, at in group.members:
            run.result.vetoes[at] = (Evidence("exchange", 0.0, why),)
            taken.add(run.wanted[at].name)


def _torn(
    modules: Sequence[Module], whole: tuple[Sequence[Group], Sequence[Group]]
) -> Iterator[tuple[Module, str]]:
    """Yield modules that words alone led away from the scope where one beside them had to go.

    That one has no counterpart where they went, and they have one where it went. What stands for
    two names (a tied table) is in no scope.
    """
    uses = Counter(module.actual.home for module in modules)
    for mine, other in ((0, 1), (1, 0)):
        there: dict[str, set[Form]] = defaultdict(set)
        for group in whole[other]:
            there[_home(group)].add(_form(group))
        scopes: dict[str, list[tuple[Module, str, str]]] = defaultdict(list)
        for module in modules:
            here, place = _home(module.pairs[0][mine]), _home(module.pairs[0][other])
            if scope_of(here) and scope_of(place) and uses[module.actual.home] == 1:
                scopes[scope_of(here)].append((module, scope_of(place), last_segment(place)))
        for row in scopes.values():
            for module, scope, leaf in row:
                for sibling, elsewhere, name in row if not module.told else ():
                    if elsewhere == scope or f"{scope}/{name}" in there:
                        continue
                    if set(module.forms[other]) <= there[f"{elsewhere}/{leaf}"]:
                        yield module, f"{sibling.expected.module}, beside it, is in {elsewhere}"
                        break


def _home(group: Group) -> str:
    return group.home.partition("|")[0]


def _lone_modules(run: Run) -> list[Module]:
    """Return the modules that stand once and are linked."""
    small = [[g for g in groups if len(g) < FEWEST] for groups in run.whole]
    if not all(small):
        return []
    homes = {run.pool[at].name: g for g in small[1] for _, at in g.members}
    links = {k.expected.name: k for k in run.result.links}
    modules: dict[tuple[str, str], list[tuple[Group, Group]]] = defaultdict(list)
    told = set()
    for group in small[0]:
        link = links.get(run.wanted[group.members[0][1]].name)
        other = None if link is None else homes.get(link.actual.name)
        if link is None or other is None or len(group) != len(other):
            continue
        key = group.module, other.home
        modules[key].append((group, other))
        if any(e.kind in TOLD and e.bits > 0 for e in link.evidence):
            told.add(key)
    return [Module(tuple(pairs), key in told) for key, pairs in modules.items()]


def _form(group: Group) -> Form:
    return group.kind.letter, len(group), label_of(group.shapes[0])


def _exchanges(modules: Sequence[Module]) -> Iterator[tuple[Module, Module]]:
    for one, other in combinations(modules, 2):
        if one.told or other.told or one.expected.module == other.expected.module:
            continue
        if one.actual.home != other.actual.home:
            yield one, other


def _gain(one: Module, other: Module, context: Context) -> float:
    """Return the bits by which two modules prefer what they have to what the other one has."""
    straight = _worth(one.expected, one.actual, context)
    straight += _worth(other.expected, other.actual, context)
    crossed = _worth(one.expected, other.actual, context)
    return straight - crossed - _worth(other.expected, one.actual, context)


def _worth(expected: Group, actual: Group, context: Context) -> float:
    """Return the bits of two modules' words, and of those that settled stacks show to go together.

    Nothing here was learned from a module that stands once.
    """
    pair = Pair(expected, actual, (), 1.0, None)
    tail = tail_evidence(pair, context)
    words = TEXT_BITS * text_similarity(pair, context) + (tail.bits if tail else 0.0)
    shown = sum(
        any(context.shown.get(word, {}).get(other, 0.0) >= CLEAR for other in actual.words)
        for word in expected.words
        if word not in actual.words and word not in context.common
    )
    return words + LEAST_BITS * shown


def _is_backed(
    module: Module,
    other: Module,
    actual: Sequence[Group],
    settled: Sequence[tuple[Group, Group]],
) -> bool:
    """Whether something settled shows what the words mean that tell a module from the other one.

    It has such words on both sides, and nothing with the words of the other module is like it.
    """
    words = {*other.expected.words, *other.actual.words}  # one that both sides use means itself
    mine, theirs = set(module.expected.words) - words, set(module.actual.words) - words
    beyond = set(other.actual.words) - set(module.actual.words)
    if not mine or not theirs:
        return False
    rivals = {_form(group) for group in actual if beyond.issubset(group.words)}
    homes = module.actual.home, other.actual.home
    return any(
        not mine.isdisjoint(one.words)
        and not theirs.isdisjoint(group.words)
        and group.home not in homes
        and _form(group) not in rivals
        for one, group in settled
    )

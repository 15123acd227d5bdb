"""Two trees of scopes laid on one another where no shape is known.

EXPECTED lists its modules in the order in which the code makes them, and its scopes are runs of
that list. The other side's names tell a tree. The kinds of the modules must be a walk through that
tree (`walking.py`); a module that has one place in all such walks is settled.

With shapes `arrangement.py` asks the same of sizes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import product, takewhile
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.decide import Found
from graphmap.matching.forms import lone_pairs
from graphmap.matching.groups import Group
from graphmap.matching.kinds import kind_of
from graphmap.matching.tokens import MARK, Names, filled, last_segment, scope_of, words_of
from graphmap.matching.vocabulary import GENERIC, ROLES
from graphmap.matching.walking import NUMBERS, Path, TooManyError, Walk, pieces_of
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = ["walk_scopes"]

BITS = 14.0
FEWEST = 12  # modules of a walk
COVERED = 0.9  # share of the modules of either side that take part
AGREED = 3  # scopes of both sides that hold the same modules, which make two trees one
LONE = 3  # links from which repetition vouches for a pair of groups
DEEPEST = 64  # scopes within scopes
MOST_MODULES = 1_000
MOST_NAMES = 10_000  # of a side that is looked at


class Module(NamedTuple):
    """Tensors of one scope that one template makes. tensors: {kind letter: positions}."""

    path: str
    tensors: Mapping[str, tuple[int, ...]]


def walk_scopes(run: Run) -> None:
    """Link open modules that have one place in all walks that fit; without shapes only."""
    links = run.result.links
    if not run.ordered or len({k.expected.name for k in links}) == len(run.wanted):
        return
    if max(len(run.wanted), len(run.pool)) > MOST_NAMES or _shaped(run):
        return
    sides = (
        _modules(run.whole[0], run.wanted_names),
        _modules(run.whole[1], run.pool_names),
    )
    ours = {v.name: at for at, v in enumerate(run.wanted)}
    theirs = {v.name: at for at, v in enumerate(run.pool)}
    settled = {ours[k.expected.name]: theirs[k.actual.name] for k in links}
    often = Counter(id(k.evidence) for k in links)  # links of a group share their reasons
    firm = {ours[k.expected.name] for k in links if often[id(k.evidence)] >= LONE}
    known = settled, {e: settled[e] for e in sorted(firm)}
    ways = product((True, False), (False, True), known)
    pairs = next(
        (found for told, words, one in ways if (found := _lay(*sides, one, words, told))), []
    )
    rows = [row for e, a in pairs for row in lone_pairs(sides[0][e].tensors, sides[1][a].tensors)]
    meant, takers = dict(rows), {a: e for e, a in rows}
    moved = {e for e, a in settled.items() if meant.get(e, a) != a or takers.get(a, e) != e}
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


def _shaped(run: Run) -> bool:
    """Whether both sides know shapes, which say more than the kinds of tensors."""
    return all(any(v.shape is not None for v in side) for side in (run.wanted, run.pool))


def _modules(groups: Sequence[Group], names: Names) -> list[Module]:
    """Return the modules of a side in the order of their positions.

    Tables and what has no kind are left out: one side keeps them beside what reads them.
    """
    found: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for group in groups:
        if group.kind.letter == "?" or group.kind.sub == "embedding":
            continue
        letter = "B" if group.kind.letter == "E" else group.kind.letter
        wrapped = last_segment(group.template).rstrip("_" + MARK)
        for _, position in group.members:
            name = filled(names[position])
            if not last_segment(name).startswith(wrapped):
                name = scope_of(name)  # a last segment that most names share says nothing
            kind, rest = kind_of(last_segment(name), None)
            part = group.module if kind.letter == "?" else rest
            found[scope_of(name), part][letter].append(position)
    made = [Module(path, _as_stored(tensors)) for (path, _), tensors in found.items()]
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


def _lay(
    expected: Sequence[Module],
    actual: Sequence[Module],
    settled: Mapping[int, int],
    words: bool,
    told: bool,
) -> list[tuple[int, int]]:
    """Return (expected module, actual one) of one place only, by their indices.

    words: a word of a name ends a scope too. told: words that both sides have as often tell modules
    of one kind apart.
    """
    signatures = _signatures(expected, actual)
    counts = [Counter(side) for side in signatures]
    both = {s for s, n in counts[0].items() if s and counts[1][s] == n}
    kept = [[at for at, s in enumerate(side) if s in both] for side in signatures]
    sizes = [sum(1 for s in side if s) for side in signatures]
    if not FEWEST <= len(kept[0]) <= MOST_MODULES or len(kept[0]) < COVERED * max(sizes):
        return []
    paths = [pieces_of(expected[at].path, words) for at in kept[0]]
    ways = [pieces_of(actual[at].path, words) for at in kept[1]]
    numbers = {s: at for at, s in enumerate(sorted(both))}
    row, forms = ([numbers[signatures[k][at]] for at in kept[k]] for k in (0, 1))
    if told:
        row, forms = _by_words((row, forms), (paths, ways))
    if max(map(len, ways)) > DEEPEST:
        return []
    fixed = _fixed(expected, actual, kept, settled)
    if fixed is None:
        return []
    leaves = list(zip(ways, forms, strict=True))
    try:
        for runs in (_runs(paths), _runs(paths, counted=True), []):
            walk = Walk(row, leaves, fixed, runs)
            found = walk.places()
            if found:
                break
    except TooManyError:
        return []
    alone = {leaf: next(iter(places)) for leaf, places in found.items() if len(places) == 1}
    takers = Counter(place for places in found.values() for place in places)
    alone = {leaf: place for leaf, place in alone.items() if takers[place] == 1}
    agreed = _agreed(alone, paths, ways)
    if len(agreed) < AGREED:
        return []
    doubted = walk.doubted(alone, paths)
    vouched = _repeated(agreed, row) - _last(paths)
    common = _common(paths)
    known = [{word for path in side for word in _words(path)} for side in (paths, ways)]
    return [
        (kept[0][place], kept[1][leaf])
        for leaf, place in alone.items()
        if leaf not in doubted
        if not _contradict(paths[place], ways[leaf], known, common)
        if place in vouched or _speak_alike(paths[place], ways[leaf], common)
    ]


def _by_words(
    forms: tuple[list[int], list[int]], paths: tuple[Sequence[Path], Sequence[Path]]
) -> tuple[list[int], list[int]]:
    """Return finer forms of both sides: word by word, as long as both have as many of each."""
    words = [[_words(path) for path in side] for side in paths]
    known = [Counter(word for own in side for word in own) for side in words]
    for word in sorted(known[0].keys() & known[1].keys(), key=lambda w: (known[0][w], w)):
        finer = [
            [2 * form + (word in own) for form, own in zip(side, having, strict=True)]
            for side, having in zip(forms, words, strict=True)
        ]
        if Counter(finer[0]) == Counter(finer[1]):
            numbers = {form: at for at, form in enumerate(sorted(set(finer[0])))}
            one, other = ([numbers[form] for form in side] for side in finer)
            forms = one, other
    return forms


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
        place, leaf = back[0].get(homes[0].get(e, -1)), back[1].get(homes[1].get(a, -1))
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


def _agreed(
    alone: Mapping[int, int], paths: Sequence[Path], ways: Sequence[Path]
) -> set[tuple[int, int]]:
    """Return the scopes of several modules, and not all, that are the same on both sides."""
    runs = set(_runs(paths))
    spans: dict[Path, list[int]] = defaultdict(list)
    holds: Counter[Path] = Counter()
    for leaf, way in enumerate(ways):
        for depth in range(1, len(way) + 1):
            holds[way[:depth]] += 1
            if leaf in alone:
                spans[way[:depth]].append(alone[leaf])
    return {
        (min(row), max(row) + 1)
        for scope, row in spans.items()
        if len(row) == holds[scope] and (min(row), max(row) + 1) in runs
    }


def _repeated(agreed: Iterable[tuple[int, int]], row: Sequence[int]) -> set[int]:
    """Return the places in scopes of which several hold the same, and what stands before them.

    A new head stands alone, and behind them.
    """
    alike: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for first, end in agreed:
        alike[tuple(row[first:end])].append((first, end))
    spans = [span for many in alike.values() if len(many) >= AGREED for span in many]
    places = {place for span in spans for place in range(*span)}
    return places | set(range(min(places, default=0)))


def _last(paths: Sequence[Path]) -> set[int]:
    """Return the places of the last scope of the code, which may be new; none if it is a layer."""
    both = zip(min(paths), max(paths), strict=False)  # what these share all share
    depth = sum(1 for _ in takewhile(lambda pieces: pieces[0] == pieces[1], both))
    tops = [path[depth] if depth < len(path) else "" for path in paths]
    words = [NUMBERS.sub(MARK, top) for top in tops]
    if len({top for top, word in zip(tops, words, strict=True) if word == words[-1]}) > 1:
        return set()
    return {place for place, top in enumerate(tops) if top == tops[-1]}


def _common(paths: Sequence[Path]) -> set[str]:
    """Return the words that more than half of the paths have."""
    times = Counter(word for path in paths for word in _words(path))
    return {word for word, having in times.items() if 2 * having > len(paths)}


def _words(path: Path) -> frozenset[str]:
    return frozenset(word for piece in path for word in words_of(NUMBERS.sub(" ", piece)))


def _contradict(one: Path, other: Path, known: Sequence[Set[str]], common: Set[str]) -> bool:
    """Whether each of two modules has a word that is met on the other side, but not in this one."""
    mine, theirs = _words(one), _words(other)
    strange = (mine - theirs - common) & known[1], (theirs - mine - common) & known[0]
    return all(strange)


def _speak_alike(one: Path, other: Path, common: Set[str]) -> bool:
    """Whether two modules have a word in common, or words of one role, that tell something."""
    mine, theirs = (_words(path) - common - GENERIC for path in (one, other))
    if not mine.isdisjoint(theirs):
        return True
    roles = [{ROLES[word] for word in words if word in ROLES} for words in (mine, theirs)]
    return not roles[0].isdisjoint(roles[1])

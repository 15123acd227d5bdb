"""Like modules of one block that might be exchanged: does anything else speak for the way chosen?

The layers of a stack teach each other their words, so that a choice made by a hair in one block
looks certain once it is made in all. So ask again of two modules that hold the same and stand near
each other in the code (leanings.py). Where what does not come from learning prefers the exchanged
way, both stay open. So does what was torn from its scope, and what has another bias.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set

from graphmap.matching.following import stem_of
from graphmap.matching.forms import Form, Signature, is_flat, targets_of
from graphmap.matching.leanings import Asked, Leanings, Pair, Paths, are_near, tails_of
from graphmap.matching.torn import torn_modules
from graphmap.matching.walking import Path, word_of

__all__ = ["doubtful_swaps"]

WINDOW = 6  # modules of one form in a row that are compared with each other
FITS = "fits there as well"


def doubtful_swaps(asked: Asked, opened: Set[int], derived: Set[int]) -> dict[int, str]:
    """Return {expected position: why} of tensors whose module might as well be another one.

    opened: positions that were opened before as what might be exchanged. derived: positions of
    what is only what others left.
    """
    homes = {
        at: row
        for at, row in targets_of(asked.expected, asked.actual, asked.settled).items()
        if not _holds(asked.expected[at], asked.tables)
    }
    targets = {at: next(iter(row)) for at, row in homes.items() if len(row) == 1}
    leanings = Leanings(asked, targets)
    found: dict[int, str] = {}
    near: dict[int, set[int]] = defaultdict(set)  # of no words that tell the two apart
    for mine, theirs in _alike(asked, targets, leanings.ways):
        words = leanings.words(mine, theirs)
        if words + leanings.rest(mine, theirs) < 0:
            found.update((m, f"{asked.expected[n].name} {FITS}") for m, n in (mine, mine[::-1]))
        if words <= 0:
            near[mine[0]].add(mine[1])
            near[mine[1]].add(mine[0])
    for at, form in enumerate(asked.expected):
        if not all(_may_be(form, asked.actual[home]) for home in homes.get(at, ())):
            found.setdefault(at, "its sizes are others than those of the module found")
        for k in near[at] if _holds(form, opened) else ():
            if _holds(asked.expected[k], derived):
                found.setdefault(k, f"{form.name} {FITS}")
    for at, why in torn_modules(asked.expected, asked.actual, targets).items():
        found.setdefault(at, why)
    for at, why in list(found.items()):
        for k in (*near[at], *_norm_of(at, targets, leanings)):
            found.setdefault(k, why)
    found = {at: why for at, why in found.items() if at in homes}
    found |= _so_elsewhere(found, targets, leanings.ways)
    return {
        p: why
        for at, why in found.items()
        for positions in asked.expected[at].tensors.values()
        for p in positions
    }


def _positions(form: Form) -> Iterator[int]:
    return (p for row in form.tensors.values() for p in row)


def _holds(form: Form, positions: Set[int]) -> bool:
    return any(p in positions for p in _positions(form))


def _alike(
    asked: Asked, targets: Mapping[int, int], ways: tuple[Paths, Paths]
) -> Iterator[tuple[Pair, Pair]]:
    """Yield two modules of one form near each other, and what they are.

    One of the two may be open: it is taken for any open one near what the other one is.
    """
    taken = set(targets.values())
    rows: list[dict[Signature, list[int]]] = [defaultdict(list), defaultdict(list)]
    for at, form in enumerate(asked.expected):
        if not _holds(form, asked.tables):
            rows[0][form.signature].append(at)
    for at, form in enumerate(asked.actual):
        rows[1][form.signature].append(at)
    alone = _alone(asked.expected, ways[0]), _alone(asked.actual, ways[1])
    place = {at: k for row in rows[1].values() for k, at in enumerate(row)}
    for row in rows[0].values():
        for k, one in enumerate(row):
            for other in row[k + 1 : k + 1 + WINDOW]:
                meant = targets.get(one), targets.get(other)
                known = meant[1] if meant[0] is None else meant[0]
                if known is None or not are_near([ways[0][one], ways[0][other]]):
                    continue
                like = rows[1][asked.actual[known].signature]
                first = max(0, place[known] - WINDOW)
                free = [a for a in like[first : place[known] + 1 + WINDOW] if a not in taken]
                for found in free if None in meant else meant[1:]:
                    if found is None or found == known or found not in like:
                        continue
                    pair = (found, known) if meant[0] is None else (known, found)
                    paths = [ways[0][one], ways[0][other]], [ways[1][t] for t in pair]
                    if not are_near(paths[1]):
                        continue
                    if None not in meant or _on_one_level(paths, (one, other), pair, alone):
                        yield (one, other), pair


def _alone(side: Sequence[Form], ways: Paths) -> set[int]:
    """Return the modules that no other one in their scope is like."""
    keys = [(way[:-1], form.signature) for way, form in zip(ways, side, strict=True)]
    count = Counter(keys)
    return {at for at, key in enumerate(keys) if count[key] == 1}


def _on_one_level(
    paths: tuple[Paths, Paths], mine: Pair, theirs: Pair, alone: tuple[set[int], set[int]]
) -> bool:
    """Whether two modules part where the other two do, or are alone in what they part in."""
    depths = [len(tails_of(side)[0]) for side in paths]
    if depths[0] == depths[1]:
        return True
    return {*mine} <= alone[0] if depths[0] > depths[1] else {*theirs} <= alone[1]


def _may_be(mine: Form, other: Form) -> bool:
    """Whether what stands once in both modules beside their kernels has the same size.

    And none is a norm, where the other one is a layer without one.
    """
    for one, two in ((mine, other), (other, mine)):
        if is_flat(one) and _is_scaled(one) and not is_flat(two) and not _is_scaled(two):
            return False
    sizes: list[dict[str, set[tuple[int, ...]]]] = [defaultdict(set), defaultdict(set)]
    for form, found in zip((mine, other), sizes, strict=True):
        for letter, size in form.tensors:
            found[letter].add(size)
    return all(
        len(own) > 1 or len(sizes[1][letter]) != 1 or own == sizes[1][letter]
        for letter, own in sizes[0].items()
        if letter in sizes[1] and letter != "M"
    )


def _is_scaled(form: Form) -> bool:
    return any(letter == "G" for letter, _ in form.tensors)


def _norm_of(at: int, targets: Mapping[int, int], leanings: Leanings) -> tuple[int, ...]:
    """Return the norm that follows a kernel in the code and is called as that on the other side."""
    norm, kernel = at + 1, targets.get(at)
    if kernel is None or norm not in targets or leanings.kernels.get(norm) != kernel:
        return ()
    theirs, beside = leanings.ways[1][targets[norm]], leanings.ways[1][kernel]
    return (norm,) if theirs[:-1] == beside or stem_of(theirs) == stem_of(beside) else ()


def _so_elsewhere(
    found: Mapping[int, str], targets: Mapping[int, int], ways: tuple[Paths, Paths]
) -> dict[int, str]:
    """Return the same modules of other blocks, where most of them are doubtful."""
    stacks: dict[tuple[Path, Path], list[int]] = defaultdict(list)
    for at, target in targets.items():
        stacks[_template(ways[0][at]), _template(ways[1][target])].append(at)
    more: dict[int, str] = {}
    for row in stacks.values():
        why = [found[at] for at in row if at in found]
        if 2 * len(why) >= len(row) > len(why) > 0:
            more.update((at, why[0]) for at in row if at not in found)
    return more


def _template(path: Path) -> Path:
    """Return a path without the numbers of the blocks around."""
    return (*map(word_of, path[:-1]), path[-1])

"""Like modules of one block that might be exchanged: does anything else speak for the way chosen?

The layers of a stack teach each other their words, so that a choice made by a hair in one block
looks certain once it is made in all. So ask again of two modules that hold the same and stand near
each other in the code: do the words that tell them apart, the order in which they are made, the
kernel that a norm follows and the layout of kernels prefer this way to the exchanged one? Where
they prefer the other one, or none speaks at all, both stay open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from graphmap.matching.forms import Form, Signature, is_flat
from graphmap.matching.layout import find_layout
from graphmap.matching.tokens import similarity, words_of
from graphmap.matching.torn import torn_modules
from graphmap.matching.vocabulary import CONTRASTS, GENERIC, NORMS, PARALLEL, RISING, STAGES
from graphmap.matching.walking import NUMBERS, SEPARATORS
from graphmap.model.graph import Dims

__all__ = ["doubtful_swaps"]

WINDOW = 6  # modules of one form in a row that are compared with each other
LAYOUT, BESIDE, ORDER, WORDS, HABIT = 3.0, 2.0, 1.5, 2.0, 2.0  # how much each says, at most
# what comes first in one kind of block, and last in another
TURNING = ({"expand", "contract"}, {"upsample", "downsample"}, {"postattention", "cross"})
MADE_SO = frozenset({"query", "key", "value"})  # beside each other, but in this order by habit
TELLING = {"self": 2, "cross": 2, "pre": 0, "post": 0, "before": 0, "after": 0}


Layouts = dict[int, dict[tuple[int, ...], Counter[str]]]  # {rank: {sizes: ...}}
Pair = tuple[int, int]
Path = tuple[str, ...]
Paths = Sequence[Path]


class Sides(NamedTuple):
    """The modules of both sides in order, the settled tensors, and all shapes by position.

    tables: expected positions of what is looked up, which no framework turns round. kernels:
    those of what a framework may turn. doubted:
    modules that were opened as what might be exchanged. derived: modules that are what was left by
    others. ordered: the expected side is in the order of the code. turned: names say that matrices
    are kept the other way round.
    """

    expected: Sequence[Form]
    actual: Sequence[Form]
    settled: Mapping[int, int]
    shapes: tuple[Sequence[Dims], Sequence[Dims]]
    tables: Set[int]
    kernels: Set[int]
    doubted: Set[int]
    derived: Set[int]
    ordered: bool
    turned: bool


def doubtful_swaps(sides: Sides) -> dict[int, str]:
    """Return {expected position: why} of tensors whose module might as well be another one."""
    homes = _homes(sides)
    targets = {at: next(iter(row)) for at, row in homes.items() if len(row) == 1}
    ways = _ways(sides.expected), _ways(sides.actual)
    votes = _layouts(sides)
    kernels = _followed(sides, targets)
    found: dict[int, str] = {}
    near: dict[int, set[int]] = defaultdict(set)  # of no words that tell the two apart
    for mine, theirs in _alike(sides, targets, ways):
        paths = [ways[0][m] for m in mine], [ways[1][t] for t in theirs]
        words = _words(*paths)
        total = words + _order(*paths, sides.ordered) + _layout(sides, mine, theirs, votes)
        total += _beside(paths[1], [kernels.get(m) for m in mine], ways[1])
        if total < 0:
            found.update({m: sides.expected[n].name for m, n in (mine, mine[::-1])})
        if words <= 0:
            near[mine[0]].add(mine[1])
            near[mine[1]].add(mine[0])
    for at, form in enumerate(sides.expected):
        if not all(_may_be(form, sides.actual[home]) for home in homes.get(at, ())):
            found.setdefault(at, "a module with another bias")
    for at, why in torn_modules(sides.expected, sides.actual, targets).items():
        found.setdefault(at, why)
    for at in sides.doubted:
        found.update(
            (k, sides.expected[at].name) for k in near[at] & sides.derived if k not in found
        )
    for at, why in list(found.items()):
        found.update((k, why) for k in near[at] if k not in found)
        norm = at + 1
        if norm in kernels and norm in targets and kernels[norm] == targets.get(at):
            beside = _stem(ways[1][targets[norm]]) == _stem(ways[1][targets[at]])
            if beside or ways[1][targets[norm]][:-1] == ways[1][targets[at]]:
                found.setdefault(norm, why)
    found = {at: why for at, why in found.items() if at in homes}
    found |= _so_elsewhere(found, targets, ways)
    return {
        p: f"{why} fits there as well"
        for at, why in found.items()
        for positions in sides.expected[at].tensors.values()
        for p in positions
    }


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


def _ways(side: Sequence[Form]) -> list[tuple[str, ...]]:
    return [tuple(SEPARATORS.split(form.name)) for form in side]


def _alike(
    sides: Sides, targets: Mapping[int, int], ways: tuple[Paths, Paths]
) -> Iterator[tuple[Pair, Pair]]:
    """Yield two modules of one form near each other, and what they are.

    One of the two may be open: it is taken for any open one near what the other one is.
    """
    taken = set(targets.values())
    rows: list[dict[Signature, list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, found in zip((sides.expected, sides.actual), rows, strict=True):
        for at, form in enumerate(side):
            places = (p for row in form.tensors.values() for p in row)
            if side is sides.actual or sides.tables.isdisjoint(places):
                found[form.signature].append(at)
    alone = _alone(sides.expected, ways[0]), _alone(sides.actual, ways[1])
    place = {at: k for row in rows[1].values() for k, at in enumerate(row)}
    for row in rows[0].values():
        for k, one in enumerate(row):
            for other in row[k + 1 : k + 1 + WINDOW]:
                meant = targets.get(one), targets.get(other)
                known = meant[0] if meant[0] is not None else meant[1]
                if known is None or not _is_near([ways[0][one], ways[0][other]]):
                    continue
                beside = rows[1][sides.actual[known].signature]
                k = place[known]
                free = (a for a in beside[max(0, k - WINDOW) : k + 1 + WINDOW] if a not in taken)
                for at in free if None in meant else meant[1:]:
                    pair = (at, known) if meant[0] is None else (known, at)
                    paths = [ways[0][one], ways[0][other]], [ways[1][t] for t in pair]
                    if pair[0] == pair[1] or not _is_near(paths[1]):
                        continue
                    if None in meant and not _on_one_level(paths, (one, other), pair, alone):
                        continue
                    if sides.actual[pair[0]].signature == sides.actual[pair[1]].signature:
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
    depths = [len(_tails(side)[0]) for side in paths]
    if depths[0] == depths[1]:
        return True
    return {*mine} <= alone[0] if depths[0] > depths[1] else {*theirs} <= alone[1]


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
    return (*(NUMBERS.sub("#", piece) for piece in path[:-1]), path[-1])


def _homes(sides: Sides) -> dict[int, set[int]]:
    """Return {expected module: the actual ones that its tensors are in}, but for tables."""
    home = {p: at for at, f in enumerate(sides.actual) for row in f.tensors.values() for p in row}
    found = {}
    for at, form in enumerate(sides.expected):
        places = [p for row in form.tensors.values() for p in row]
        homes = {home[sides.settled[p]] for p in places if sides.settled.get(p) in home}
        if homes and sides.tables.isdisjoint(places):
            found[at] = homes
    return found


def _tails(paths: Paths) -> tuple[tuple[str, ...], tuple[str, ...]]:
    one, other = paths
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return one[at:], other[at:]


def _is_near(paths: Paths) -> bool:
    """Whether two paths part in one scope and are the same below: no grid is walked otherwise."""
    one, other = _tails(paths)
    return bool(one and other) and one[1:] == other[1:]


def _own(paths: Paths) -> list[set[str]]:
    sides = [
        {w for piece in tail for w in words_of(NUMBERS.sub(" ", piece))} - NORMS - GENERIC
        for tail in _tails(paths)
    ]
    return [sides[0] - sides[1], sides[1] - sides[0]]


def _words(mine: Paths, theirs: Paths) -> float:
    ours, others = _own(mine), _own(theirs)
    same = [[a[-1:] == b[-1:] for b in _tails(theirs)] for a in _tails(mine)]
    if same[0][0] and same[1][1]:
        return WORDS
    straight = _met(ours[0], others[0]) + _met(ours[1], others[1])
    crossed = _met(ours[0], others[1]) + _met(ours[1], others[0])
    return WORDS * (straight - crossed)


def _met(one: set[str], other: set[str]) -> float:
    return max((_similar(a, b) for a in one for b in other), default=0.0)


def _similar(one: str, other: str) -> float:
    against = one != other and any({one, other} <= words for words in CONTRASTS)
    return 0.0 if against else similarity(one, other)


def _order(mine: Paths, theirs: Paths, ordered: bool) -> float:
    beside = {w for side in (mine, theirs) for own in _own(side) for w in own} & PARALLEL
    here, by = _direction(mine)
    there, kind = _direction(theirs)
    if by != "numbers" and not by == kind == "words":
        here = int(ordered)
    if beside - MADE_SO and not by == kind == "words":
        return 0.0
    return ORDER * here * there


def _direction(paths: Paths) -> tuple[int, str]:
    """Whether the first comes before (1) or behind (-1) the second, and what tells it.

    What stands where the two part tells most: `layer_0/norm_1` comes before `layer_1/norm_0`.
    """
    heads = [tail[0] if tail else "" for tail in _tails(paths)]
    words = [NUMBERS.sub("#", head) for head in heads]
    numbers = [[(int(n), letter) for n, letter in NUMBERS.findall(head)] for head in heads]
    if words[0] == words[1]:
        if RISING in words_of(words[0]) or numbers[0] == numbers[1]:
            return 0, ""
        return (1 if numbers[0] < numbers[1] else -1), "numbers"
    if f"{words[0]}_#" == words[1]:
        return 1, "numbers"
    if words[0] == f"{words[1]}_#":
        return -1, "numbers"
    own = _own([(head,) for head in heads])
    stages = [_stage(row) for row in own]
    if None in stages or stages[0] == stages[1] or any(two <= own[0] | own[1] for two in TURNING):
        return 0, ""
    return (1 if stages[0] < stages[1] else -1), "words"  # type: ignore[operator]


def _stage(words: set[str]) -> int | None:
    known = [(TELLING.get(word, 1), STAGES[word]) for word in words if word in STAGES]
    return max(known)[1] if known else None


def _kernel(form: Form) -> int | None:
    rows = [row for (_, sizes), row in form.tensors.items() if len(sizes) > 1]
    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None


def _layouts(sides: Sides) -> Layouts:
    """Count {rank: {sizes: layouts}} of the kernels that are settled."""
    found: Layouts = defaultdict(lambda: defaultdict(Counter))
    for e, a in sides.settled.items():
        one, other = _squeezed(sides.shapes[0][e]), _squeezed(sides.shapes[1][a])
        if len(one) == len(other) > 1 and len(set(one)) > 1 and e in sides.kernels:
            found[len(one)][tuple(sorted(one))][find_layout(one, other) or ""] += 1
    return found


def _squeezed(shape: Dims) -> tuple[int, ...]:
    """Return the sizes other than 1; () where one is not known."""
    if shape is None or None in shape:
        return ()
    return tuple(n for n in shape if n is not None and n != 1)


def _layout(sides: Sides, mine: Pair, theirs: Pair, votes: Layouts) -> float:
    """Say whether kernels of other sizes are kept as this way has it, or as the exchanged one."""
    ours = _kernel(sides.expected[mine[0]])
    others = [_kernel(sides.actual[t]) for t in theirs]
    if ours is None or None in others:
        return 0.0
    shape = _squeezed(sides.shapes[0][ours])
    ways = [find_layout(shape, _squeezed(sides.shapes[1][t])) for t in others if t is not None]
    if ways[0] == ways[1]:
        return 0.0
    rows = votes.get(len(shape), {}).items()
    total = Counter(way for sizes, seen in rows if sizes != tuple(sorted(shape)) for way in seen)
    counts = total[ways[0] or ""], total[ways[1] or ""]
    if counts[0] == counts[1] and len(shape) == 2:
        return HABIT if (ways[0] == "transpose") == sides.turned else -HABIT
    return LAYOUT * ((counts[0] > counts[1]) - (counts[0] < counts[1]))


def _followed(sides: Sides, targets: Mapping[int, int]) -> dict[int, int]:
    """Return {expected norm: actual module of the kernel it follows in the code}."""
    if not sides.ordered:
        return {}
    found = {}
    for at in range(1, len(sides.expected)):
        kernel = at - 1
        if (
            is_flat(sides.expected[at])
            and kernel in targets
            and _kernel(sides.expected[kernel]) is not None
        ):
            found[at] = targets[kernel]
    return found


def _beside(theirs: Paths, kernels: Sequence[int | None], ways: Paths) -> float:
    total = 0.0
    for at, kernel in enumerate(kernels):
        if kernel is not None:
            stem = _stem(ways[kernel])
            near = [_stem(path) == stem for path in theirs]
            if at:
                near.reverse()
            total += near[0] - near[1]
    return BESIDE * max(-0.5, min(1.0, total))


def _stem(path: tuple[str, ...]) -> tuple[object, ...]:
    """Return a path without what says only that it is a kernel or a norm."""
    words = [w for piece in path for w in words_of(NUMBERS.sub(r" \1\2 ", piece))]
    return tuple(w for w in words if w not in NORMS and w != "conv")

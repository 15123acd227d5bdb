"""What speaks for one way of pairing two modules with two others, and against the exchanged way.

Nothing here was learned from the pair of sides: the words that tell the two modules apart, the
order in which they are made, the kernel that a norm follows, and the layout of other kernels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from graphmap.matching.following import stem_of
from graphmap.matching.forms import Form, is_flat
from graphmap.matching.layout import find_layout
from graphmap.matching.order import stage_of
from graphmap.matching.tokens import similarity, words_of
from graphmap.matching.vocabulary import CONTRASTS, GENERIC, NORMS, PARALLEL, RISING
from graphmap.matching.walking import NUMBERS, Order, Path, order_of, word_of
from graphmap.model.graph import Dims

__all__ = ["Asked", "Leanings", "Pair", "Paths", "are_near", "tails_of"]

LAYOUT, BESIDE, ORDER, WORDS, HABIT = 3.0, 2.0, 1.5, 2.0, 2.0  # how much each says, at most
AGAINST = 0.5  # share of BESIDE that is left where it speaks against: norms may come first
MADE_SO = frozenset({"query", "key", "value"})  # beside each other, but in this order by habit
FALLING = 4  # members of a counter that fall throughout, from which it counts from the other end
LETTERS = frozenset("abcdef")  # that count at the end of a name
# what comes first in one kind of block, and last in another
TURNING = ({"expand", "contract", "upsample", "downsample"}, {"postattention", "cross"})

Pair = tuple[int, int]
Paths = Sequence[Path]
Layouts = dict[int, dict[tuple[int, ...], Counter[str]]]  # {rank: {sizes: layouts}}


class Asked(NamedTuple):
    """The modules of both sides in order, the settled tensors, and the shapes by position.

    tables: expected positions of what is looked up, which no framework turns round. kernels: those
    of what a framework may turn. ordered: the expected side is in the order of the code. turned:
    names say that matrices are kept the other way round.
    """

    expected: Sequence[Form]
    actual: Sequence[Form]
    settled: Mapping[int, int]
    shapes: tuple[Mapping[int, Dims], Mapping[int, Dims]]
    tables: Set[int]
    kernels: Set[int]
    ordered: bool
    turned: bool


class Leanings:
    """targets: {expected module: the actual one that holds its settled tensors}."""

    def __init__(self, asked: Asked, targets: Mapping[int, int]) -> None:
        self.asked = asked
        self.ways = [f.way for f in asked.expected], [f.way for f in asked.actual]
        self.layouts = _layouts(asked)
        self.kernels = _followed(asked, targets)
        self.falling = self._falling(targets)

    def words(self, mine: Pair, theirs: Pair) -> float:
        """Say whether the words that tell the two apart are met rather this way."""
        ours, others = (_own(side) for side in self._paths(mine, theirs))
        tails = [tails_of(side) for side in self._paths(mine, theirs)]
        if all(one[-1:] == other[-1:] for one, other in zip(*tails, strict=True)):
            return WORDS
        straight = _met(ours[0], others[0]) + _met(ours[1], others[1])
        crossed = _met(ours[0], others[1]) + _met(ours[1], others[0])
        return WORDS * (straight - crossed)

    def rest(self, mine: Pair, theirs: Pair) -> float:
        """Return what order, layouts and kernels say together."""
        return self._order(mine, theirs) + self._layout(mine, theirs) + self._beside(mine, theirs)

    def _paths(self, mine: Pair, theirs: Pair) -> tuple[Paths, Paths]:
        return [self.ways[0][m] for m in mine], [self.ways[1][t] for t in theirs]

    def _order(self, mine: Pair, theirs: Pair) -> float:
        paths = self._paths(mine, theirs)
        here, by = _direction(paths[0])
        there, kind = _direction(paths[1])
        if kind == "numbers" and _counter(paths[1]) in self.falling:
            return 0.0
        if by != "numbers" and not by == kind == "words":
            here = int(self.asked.ordered)
        beside = {w for side in paths for own in _own(side) for w in own} & PARALLEL
        if beside - MADE_SO and not by == kind == "words":
            return 0.0
        return ORDER * here * there

    def _falling(self, targets: Mapping[int, int]) -> set[Path]:
        """Return the counters of the actual side that fall as the code makes what they count."""
        if not self.asked.ordered:
            return set()
        rows: dict[Path, list[Order]] = defaultdict(list)
        for at in sorted(targets):
            way = self.ways[1][targets[at]]
            for depth, piece in enumerate(way):
                rank = order_of(piece)
                row = rows[(*way[:depth], word_of(piece))]
                if rank and (not row or row[-1] != rank):
                    row.append(rank)
        return {
            counter
            for counter, row in rows.items()
            if len(row) >= FALLING and row == sorted(set(row), reverse=True)
        }

    def _layout(self, mine: Pair, theirs: Pair) -> float:
        """Say whether kernels of other sizes are kept as this way has it, or the exchanged one."""
        ours = _kernel(self.asked.expected[mine[0]])
        others = [_kernel(self.asked.actual[t]) for t in theirs]
        if ours is None or None in others:
            return 0.0
        shape = _squeezed(self.asked.shapes[0][ours])
        found = [_squeezed(self.asked.shapes[1][t]) for t in others if t is not None]
        ways = [find_layout(shape, other) for other in found]
        if ways[0] == ways[1]:
            return 0.0
        rows = self.layouts.get(len(shape), {}).items()
        total = Counter(w for sizes, seen in rows if sizes != tuple(sorted(shape)) for w in seen)
        counts = total[ways[0] or ""], total[ways[1] or ""]
        if counts[0] == counts[1] and len(shape) == 2:
            return HABIT if (ways[0] == "transpose") == self.asked.turned else -HABIT
        return LAYOUT * ((counts[0] > counts[1]) - (counts[0] < counts[1]))

    def _beside(self, mine: Pair, theirs: Pair) -> float:
        """Say whether norms are called as the kernels are that they follow in the code."""
        total = 0.0
        stems = [stem_of(self.ways[1][t]) for t in theirs]
        for at, kernel in enumerate(map(self.kernels.get, mine)):
            if kernel is not None:
                near = [stem == stem_of(self.ways[1][kernel]) for stem in stems]
                total += near[at] - near[1 - at]
        return BESIDE * max(-AGAINST, min(1.0, total))


def tails_of(paths: Paths) -> tuple[Path, Path]:
    """Return two paths from where they part."""
    one, other = paths
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return one[at:], other[at:]


def are_near(paths: Paths) -> bool:
    """Whether two paths part in one scope and are the same below: no grid is walked otherwise."""
    one, other = tails_of(paths)
    return bool(one and other) and one[1:] == other[1:]


def _own(paths: Paths) -> tuple[set[str], set[str]]:
    """Return the words of each that the other one has not, but for those that tell nothing."""
    one, other = (
        {w for piece in tail for w in words_of(NUMBERS.sub(" ", piece))} - NORMS - GENERIC
        for tail in tails_of(paths)
    )
    return one - other, other - one


def _met(one: set[str], other: set[str]) -> float:
    return max((_similar(a, b) for a in one for b in other), default=0.0)


def _similar(one: str, other: str) -> float:
    against = one != other and any({one, other} <= words for words in CONTRASTS)
    return 0.0 if against else similarity(one, other)


def _direction(paths: Paths) -> tuple[int, str]:
    """Whether the first comes before (1) or behind (-1) the second, and what tells it.

    What stands where the two part tells most: `layer_0/norm_1` comes before `layer_1/norm_0`.
    """
    heads = _heads(paths)
    words = [word_of(head) for head in heads]
    if words[0] == words[1]:
        ranks = [order_of(head) for head in heads]
        if RISING in words_of(words[0]) or ranks[0] == ranks[1]:
            return 0, ""
        return (1 if ranks[0] < ranks[1] else -1), "numbers"
    if heads[0][:-1] == heads[1][:-1] and LETTERS.issuperset((heads[0][-1:], heads[1][-1:])):
        return (1 if heads[0] < heads[1] else -1), "numbers"  # conva, convb
    if f"{words[0]}_#" == words[1]:
        return 1, "numbers"
    if words[0] == f"{words[1]}_#":
        return -1, "numbers"
    own = _own([(head,) for head in heads])
    first, second = map(stage_of, own)
    if first is None or second is None or first == second:
        return 0, ""
    if any(len(words & (own[0] | own[1])) > 1 for words in TURNING):
        return 0, ""
    return (1 if first < second else -1), "words"


def _heads(paths: Paths) -> list[str]:
    return [tail[0] if tail else "" for tail in tails_of(paths)]


def _counter(paths: Paths) -> Path:
    """Return the scope and the word of what counts two modules."""
    common = len(paths[0]) - len(tails_of(paths)[0])
    return (*paths[0][:common], word_of(paths[0][common]))


def _kernel(form: Form) -> int | None:
    rows = [row for (_, sizes), row in form.tensors.items() if len(sizes) > 1]
    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None


def _layouts(asked: Asked) -> Layouts:
    """Count the layouts of the kernels that are settled."""
    found: Layouts = defaultdict(lambda: defaultdict(Counter))
    for e, a in asked.settled.items():
        one, other = _squeezed(asked.shapes[0][e]), _squeezed(asked.shapes[1][a])
        if len(one) == len(other) > 1 and len(set(one)) > 1 and e in asked.kernels:
            found[len(one)][tuple(sorted(one))][find_layout(one, other) or ""] += 1
    return found


def _squeezed(shape: Dims) -> tuple[int, ...]:
    """Return the sizes other than 1; () where one is not known."""
    if shape is None or None in shape:
        return ()
    return tuple(n for n in shape if n is not None and n != 1)


def _followed(asked: Asked, targets: Mapping[int, int]) -> dict[int, int]:
    """Return {expected norm: actual module of the kernel it follows in the code}."""
    side = asked.expected
    return {
        at: targets[at - 1]
        for at in range(1, len(side) if asked.ordered else 0)
        if at - 1 in targets and is_flat(side[at]) and _kernel(side[at - 1]) is not None
    }

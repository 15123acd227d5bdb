"""Variables -> groups: the members of one template, sorted by their indices."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from operator import eq, itemgetter
from typing import TYPE_CHECKING

from graphmap.matching.bare import Member, Templates, join_bare
from graphmap.matching.echoes import Echoes, echoed_words, without_echoes
from graphmap.matching.indices import Index, Prefixes, selecting_indices
from graphmap.matching.kinds import Kind, fits_rank, kind_of, lettered_leaves, settle
from graphmap.matching.running import rank_running
from graphmap.matching.tokens import MARK, Names, segments, words_of
from graphmap.matching.vocabulary import NORMS, ORDINALS, PLACES
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["Group", "Places", "Roles", "build_groups"]

LONE_WORD = re.compile(r"(?<![a-zA-Z])[a-zA-Z]{1,7}(?![a-zA-Z])")

Places = tuple[tuple[int, ...], ...]  # of each member of a group
_numbers, _position = itemgetter(0), itemgetter(1)


class Group:
    """Members of one template whose indices count repetitions.

    words: of the module, literal indices as "=3" or, where they select, "@0/2".
    module: template without the kind word; groups of one module are siblings. home: the same, or
    what holds a tensor whose name says no kind.
    shapes: of the members, in their order. counter: its index is TensorFlow's own, which counts
    what was made before in the session and so may be shifted. trained: a member has slots.
    blocks: for each index, {value: its rank} among all that stands under the same prefix.
    free: which indices of the template these are. fixed: (which, value) of those that select.
    uniform: all shapes are equal. unclear: members that nothing tells apart (cut names).
    """

    def __init__(
        self,
        template: str,
        module: str,
        words: tuple[str, ...],
        kind: Kind,
        members: tuple[Member, ...],
        shapes: tuple[Dims, ...],
        first: int,
        blocks: tuple[dict[int, int], ...] = (),
        free: tuple[int, ...] = (),
    ) -> None:
        self.template = template
        self.module = self.home = module
        self.words = words
        self.kind = kind
        self.members = members
        self.shapes = shapes
        self.first = first
        self.blocks = blocks
        self.free = free
        self.fixed: tuple[tuple[int, int], ...] = ()
        self.counter = False
        self.trained = False
        numbers = list(map(_numbers, members))
        self.unclear = any(map(eq, numbers, numbers[1:]))  # the members are sorted
        self.uniform = bool(shapes) and shapes.count(shapes[0]) == len(shapes)
        self._placed: dict[tuple[bool, ...], Places] = {}

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def positions(self) -> list[int]:
        """The position on its side of each member."""
        return list(map(_position, self.members))

    @cached_property
    def ranks(self) -> Places:
        """Of each member, the rank of each of its indices in the block where it stands."""
        blocks = self.blocks
        if len(blocks) == 1:  # most groups, and some have 100,000 members
            (block,) = blocks
            if len(block) == len(self) and not self.unclear:
                return _counting(len(block))  # the members are sorted, and all there
            return tuple([(block[number],) for (number,), _ in self.members])
        return tuple(
            [
                tuple([block[n] for n, block in zip(numbers, blocks, strict=True)])
                for numbers, _ in self.members
            ]
        )

    def placed(self, ranked: tuple[bool, ...]) -> Places:
        """Of each member, each of its indices, or where `ranked` its rank in its block."""
        if all(ranked):
            return self.ranks
        if ranked not in self._placed and not any(ranked):
            self._placed[ranked] = tuple(map(_numbers, self.members))
        if ranked not in self._placed:
            self._placed[ranked] = tuple(
                [
                    tuple(
                        [
                            block[n] if rank else n
                            for n, block, rank in zip(numbers, self.blocks, ranked, strict=True)
                        ]
                    )
                    for numbers, _ in self.members
                ]
            )
        return self._placed[ranked]


@lru_cache(maxsize=8)
def _counting(size: int) -> Places:
    """Return (0,), (1,), ...: once for all groups of this size."""
    return tuple([(at,) for at in range(size)])


class Roles:
    """What the indices and wrappers of a whole side mean.

    prefixes: of each index. counters: {template: which of its indices TensorFlow counted}.
    echoed: {wrapper: those of its words that a scope within means}.
    """

    def __init__(self) -> None:
        self.prefixes: Prefixes = {}
        self.counters: dict[str, set[int]] = {}
        self.echoed: Echoes = {}


def build_groups(
    variables: Sequence[Variable],
    names: Names,
    positions: Sequence[int],
    fine: bool,
    known: Roles | None = None,
    renumbered: Mapping[str, Mapping[int, int]] | None = None,
    split: Collection[str] = (),
) -> list[Group]:
    """Group the variables at `positions` of a side; `names` are theirs, taken apart.

    known: what the indices of the whole side mean; leftovers would tell less. Filled if empty.
    renumbered: {prefix that ends in an index: {value: what it is on the other side}}.

    fine: an index with a few values below which nothing but a leaf stands (conv1, conv2 of each
    block) names different things; otherwise it counts. split: templates where it does in any case.
    """
    templates = _without_wrapper(_templates(names, positions))
    _count_words(templates)
    counters = join_bare(templates, known.counters if known else {})
    rank_running(templates)
    _renumber(templates, renumbered or {})
    lettered = lettered_leaves(templates)
    selecting = selecting_indices(templates, known.prefixes if known else {})
    if known is not None and not known.prefixes:
        known.prefixes, known.counters = selecting, counters
        known.echoed = echoed_words({text: len(members) for text, members in templates.items()})
    echoed = known.echoed if known else {}
    groups: list[Group] = []
    for text in sorted(templates):
        made = _split(
            text, templates[text], selecting, fine, variables, text in split, lettered.get(text)
        )
        for group in made:
            group.counter = not counters.get(text, set()).isdisjoint(group.free)
            group.words = without_echoes(group.words, text, echoed) if echoed else group.words
        groups.extend(made)
    _settle_kinds(groups)
    return groups


def _templates(names: Names, positions: Sequence[int]) -> Templates:
    """Return {template: its members among the positions, which ascend}, by first position."""
    if len(positions) == len(names):
        rows = {text: list(members) for text, members in names.members.items()}
        return defaultdict(list, rows)
    chosen = set(positions)
    rows = {
        text: [member for member in members if member[1] in chosen]
        for text, members in names.members.items()
    }
    first = sorted((members[0][1], text) for text, members in rows.items() if members)
    return defaultdict(list, {text: rows[text] for _, text in first})


def _without_wrapper(templates: Templates) -> Templates:
    """Drop a last segment that most names share, such as that of exported moving averages."""
    leaves: Counter[str] = Counter()
    for text, members in templates.items():
        leaves[text.rpartition("/")[2]] += len(members)
    leaf, count = max(leaves.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    many = count > 4 and 2 * count > sum(leaves.values())
    if not many or MARK in leaf or kind_of(leaf, None)[0].letter != "?":
        return templates
    kept: Templates = defaultdict(list)
    for text, members in templates.items():
        kept[text.removesuffix("/" + leaf)].extend(members)
    return kept


def _count_words(templates: Templates) -> None:
    """Letters, Roman numerals and number words become indices where a run of them stands."""
    contexts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    known = {word for run in ORDINALS for word in run}
    for text in templates:
        for found in LONE_WORD.finditer(text):
            if found.group().lower() in known and found.group() != text:
                key = (text[: found.start()], text[found.end() :])
                contexts[key][found.group().lower()] = text
    runs: dict[str, list[tuple[dict[str, int], set[str]]]] = defaultdict(list)
    for (head, _), words in sorted(contexts.items()):
        for run in ORDINALS:
            values = sorted(run[word] for word in words if word in run)
            if len(values) > 1 and values == list(range(len(values))):
                runs[head].append((run, {word for word in words if word in run}))
                break
    for (head, tail), words in sorted(contexts.items()):
        # what only some of those counted hold (a bias) is counted as they are
        for run, counted in runs.get(head, ()):
            if counted.isdisjoint(words) or not counted.issuperset(w for w in words if w in run):
                continue
            at = head.count(MARK)
            for word in sorted(words):
                if word in run and words[word] in templates:
                    for numbers, position in templates.pop(words[word]):
                        joined = (*numbers[:at], run[word], *numbers[at:])
                        templates[head + MARK + tail].append((joined, position))
            break


def _renumber(templates: Templates, renumbered: Mapping[str, Mapping[int, int]]) -> None:
    for text, members in templates.items() if renumbered else ():
        for at, found in enumerate(re.finditer(MARK, text)):
            new = renumbered.get(text[: found.end()])
            if new is not None:
                members[:] = [
                    (
                        (*numbers[:at], new.get(numbers[at], numbers[at]), *numbers[at + 1 :]),
                        position,
                    )
                    for numbers, position in members
                ]


def _split(
    text: str,
    members: list[Member],
    selecting: Prefixes,
    fine: bool,
    variables: Sequence[Variable],
    apart: bool,
    lettered: tuple[Kind, str] | None,
) -> list[Group]:
    cuts = [found.end() for found in re.finditer(MARK, text)]
    indices = [selecting[text[:cut]] for cut in cuts]
    literal: list[int] = []
    for at, index in enumerate(indices):
        if (
            _is_constant(members, at)
            or index.role == "select"
            or (index.role == "inner" and apart)
            or (index.role in ("inner", "turns") and fine and _is_repeated(members, at))
        ):
            literal.append(at)
    turning = [at for at, i in enumerate(indices) if i.role == "turns" and at not in literal]
    parts: dict[tuple[tuple[int, int], ...], list[Member]] = defaultdict(list)
    if not literal and not turning:
        parts[()] = members
    for numbers, position in members if literal or turning else ():
        key = [(at, numbers[at]) for at in literal]
        key += [_turn(at, numbers[at], indices[at]) for at in turning]
        parts[tuple(sorted(key, key=_place))].append((numbers, position))
    made = []
    for part in sorted(parts):
        tokens = {at: _literal(value, indices[at]) for at, value in part if at >= 0}
        blocks = [index.ranks for index in indices]
        turns = [(-1 - at, turn) for at, turn in part if at < 0]
        for at, turn in turns:
            blocks[at] = indices[at].ranks_in_turn(turn)
        group = _make_group(text, tokens, parts[part], variables, blocks, lettered)
        group.fixed = tuple((at, value) for at, value in part if at >= 0)
        if turns:
            mark = "".join(f"~{turn}" for _, turn in turns)
            group.module, group.home = group.module + mark, group.home + mark
        made.append(group)
    return made


def _place(part: tuple[int, int]) -> int:
    return part[0] if part[0] >= 0 else -1 - part[0]


def _turn(at: int, value: int, index: Index) -> tuple[int, int]:
    """Return (-1 - at, what is counted in turn), or (at, value) of what stands there once."""
    turn = index.turns[value]
    alone = sum(other == turn for other in index.turns.values()) == 1
    return (at, value) if alone else (-1 - at, turn)


def _is_constant(members: Sequence[Member], at: int) -> bool:
    first = members[0][0][at]
    return all(numbers[at] == first for numbers, _ in members)


def _is_repeated(members: Sequence[Member], at: int) -> bool:
    """Whether every value of an index stands in two members or more."""
    return min(Counter([numbers[at] for numbers, _ in members]).values()) > 1


def _literal(value: int, index: Index) -> str:
    ranks = index.ranks
    return f"={value}" if len(ranks) == 1 else f"@{ranks[value]}/{len(ranks)}"


def _make_group(
    text: str,
    tokens: dict[int, str],
    members: list[Member],
    variables: Sequence[Variable],
    ranks: Sequence[dict[int, int]],
    lettered: tuple[Kind, str] | None,
) -> Group:
    width = text.count(MARK)
    free = [at for at in range(width) if at not in tokens]
    if len(free) > 1:  # of those that say the same the first one is kept
        same = {tuple([numbers[at] for numbers, _ in members]): at for at in reversed(free)}
        free = sorted(same.values())
    if len(free) < width:
        members = [(tuple([numbers[at] for at in free]), position) for numbers, position in members]
    kept = sorted(sorted(members, key=_position), key=_numbers)  # far faster than by both at once
    positions = list(map(_position, kept))
    shapes = tuple([variables[position].shape for position in positions])
    blocks = tuple(ranks[at] for at in free)
    parts = segments(text) or (text,)
    rank = None if shapes[0] is None else len(shapes[0])
    kind, rest = kind_of(parts[-1], rank)
    if lettered is not None and kind.letter == "?" and fits_rank(lettered[0], rank):
        kind, rest = lettered
    path = [*parts[:-1], rest] if rest else list(parts[:-1])
    if kind.letter == "?" and len(parts) > 1:  # W/conv/0: the kind stands first
        leading, rest = kind_of(parts[0], rank)
        if leading.letter != "?" and not rest:
            kind, path = leading, list(parts[1:])
    words: list[str] = []
    at = 0
    for part in path:
        for word in words_of(part):
            if word == MARK:
                if at in tokens:
                    words.append(tokens[at])
                at += 1
            else:
                words.append(word)
    literals = "|" + ",".join(tokens.values())
    module = "/".join(path) + literals
    first = min(positions)
    group = Group(text, module, tuple(words), kind, tuple(kept), shapes, first, blocks, tuple(free))
    if kind.letter == "?" and len(parts) > 1:
        group.home = "/".join(parts[:-1]) + literals
    return group


def _settle_kinds(groups: list[Group]) -> None:
    letters: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        letters[group.module].add(group.kind.letter)
    for group in groups:
        group.kind = settle(group.kind, frozenset(letters[group.module]), _is_norm(group))


def _is_norm(group: Group) -> bool:
    """Whether the last word that is no place says so: `norm1`, `layernorm_before`."""
    named = [word for word in group.words if word[0] not in "=@" and word not in PLACES]
    return bool(named) and (named[-1] in NORMS or named[-1].endswith("norm"))

"""Variables -> groups: the members of one template, sorted by their indices."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from graphmap.matching.bare import Member, Templates, join_bare
from graphmap.matching.kinds import Kind, fits_rank, kind_of, lettered_leaves, settle
from graphmap.matching.tokens import MARK, Names, segments, words_of
from graphmap.matching.vocabulary import NORMS, ORDINALS, PLACES
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["Group", "Places", "Roles", "build_groups"]

MOST_SPLITS = 8  # values of an index that may name different things instead of counting
COUNTING_SHARE = 0.6  # of the contents that the values of a counting index have in common
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
        self.unclear = len(set(map(_numbers, members))) < len(members)
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


# {prefix that ends in an index: ("select" | "inner" | "count", {value: rank})}
Prefixes = dict[str, tuple[str, dict[int, int]]]


class Roles:
    """What the indices of a whole side mean.

    prefixes: of each index. counters: {template: which of its indices TensorFlow counted}.
    """

    def __init__(self) -> None:
        self.prefixes: Prefixes = {}
        self.counters: dict[str, set[int]] = {}


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
    _renumber(templates, renumbered or {})
    lettered = lettered_leaves(templates)
    selecting = _selecting(templates, known.prefixes if known else {})
    if known is not None and not known.prefixes:
        known.prefixes, known.counters = selecting, counters
    groups: list[Group] = []
    for text in sorted(templates):
        made = _split(
            text, templates[text], selecting, fine, variables, text in split, lettered.get(text)
        )
        for group in made:
            group.counter = not counters.get(text, set()).isdisjoint(group.free)
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
    for (head, tail), words in sorted(contexts.items()):
        for run in ORDINALS:
            values = sorted(run[word] for word in words if word in run)
            if len(values) < 2 or values != list(range(len(values))):
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


def _selecting(templates: Templates, known: Prefixes) -> Prefixes:
    """Return {prefix that ends in an index: ("select" | "inner" | "count", {value: rank})}.

    known: those that a whole side told already.
    """
    contents: dict[str, list[tuple[str, set[int]]]] = defaultdict(list)
    for text, members in templates.items():
        for at, found in enumerate(re.finditer(MARK, text)):
            cut = found.end()
            if text[:cut] not in known:
                having = {numbers[at] for numbers, _ in members}
                contents[text[:cut]].append((text[cut:], having))
    roles = dict(known)
    for prefix, rests in contents.items():
        values = sorted(set().union(*(having for _, having in rests)))
        role = _role(rests, values) if 1 < len(values) <= 2 * MOST_SPLITS else "count"
        roles[prefix] = role, {value: rank for rank, value in enumerate(values)}
    return roles


def _role(rests: Sequence[tuple[str, set[int]]], values: Sequence[int]) -> str:
    """Return what an index of a few values is. rests: what stands below it, under which values."""
    below = {value: {rest for rest, having in rests if value in having} for value in values}
    if _overlap(below) < COUNTING_SHARE:
        return "select"
    modules = {segments(rest)[:-1] for rest, having in rests if having}
    if len(values) <= MOST_SPLITS and len(modules) == 1 and not _has_index(modules):
        return "inner"
    return "count"


def _has_index(modules: set[tuple[str, ...]]) -> bool:
    return any(MARK in part for module in modules for part in module)


def _overlap(below: dict[int, set[str]]) -> float:
    """Mean share of the smaller of two neighbouring contents that the larger one has too.

    What is like nothing else (an attention between blocks) parts no neighbours.
    """
    shared = Counter(rest for contents in below.values() for rest in contents)
    ordered = [below[at] for at in sorted(below) if any(shared[rest] > 1 for rest in below[at])]
    shares = [len(a & b) / min(len(a), len(b)) for a, b in pairwise(ordered)]
    return sum(shares) / len(shares) if shares else 0.0


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
    literal: list[int] = []
    for at, cut in enumerate(cuts):
        role = selecting[text[:cut]][0]
        if (
            _is_constant(members, at)
            or role == "select"
            or (role == "inner" and (apart or (fine and _is_repeated(members, at))))
        ):
            literal.append(at)
    parts: dict[tuple[int, ...], list[Member]] = defaultdict(list)
    if not literal:
        parts[()] = members
    for numbers, position in members if literal else ():
        parts[tuple([numbers[at] for at in literal])].append((numbers, position))
    made = []
    for values in sorted(parts):
        tokens = {
            at: _literal(value, *selecting[text[: cuts[at]]])
            for at, value in zip(literal, values, strict=True)
        }
        group = _make_group(text, tokens, parts[values], variables, selecting, lettered)
        group.fixed = tuple(zip(literal, values, strict=True))
        made.append(group)
    return made


def _is_constant(members: Sequence[Member], at: int) -> bool:
    first = members[0][0][at]
    return all(numbers[at] == first for numbers, _ in members)


def _is_repeated(members: Sequence[Member], at: int) -> bool:
    """Whether every value of an index stands in two members or more."""
    return min(Counter([numbers[at] for numbers, _ in members]).values()) > 1


def _literal(value: int, role: str, ranks: dict[int, int]) -> str:
    return f"={value}" if len(ranks) == 1 else f"@{ranks[value]}/{len(ranks)}"


def _make_group(
    text: str,
    tokens: dict[int, str],
    members: list[Member],
    variables: Sequence[Variable],
    selecting: Prefixes,
    lettered: tuple[Kind, str] | None,
) -> Group:
    width = text.count(MARK)
    free: list[int] = []
    columns: list[list[int]] = []
    for at in range(width):
        if at in tokens:
            continue
        column = [numbers[at] for numbers, _ in members]
        if column not in columns:
            free.append(at)
            columns.append(column)
    if len(free) < width:
        members = [(tuple([numbers[at] for at in free]), position) for numbers, position in members]
    kept = sorted(sorted(members, key=_position), key=_numbers)  # far faster than by both at once
    positions = list(map(_position, kept))
    shapes = tuple([variables[position].shape for position in positions])
    cuts = [found.end() for found in re.finditer(MARK, text)]
    blocks = tuple(selecting[text[: cuts[at]]][1] for at in free)
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

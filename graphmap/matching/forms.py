"""Modules told apart by what they hold, where the two sides hold the same numbers of elements.

Where both sides have equally many elements in all, they are one model, whatever its names; some of
its modules may be kept in more or fewer pieces. A form (kinds and sizes of a module's tensors) that
stands once on each side is then settled by that alone. Of several alike, the one that stands beside
settled modules is meant that stands beside their counterparts on the other side, and the last one
of a form is what is left. Forms that do not stand equally often are left alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from graphmap.matching.groups import Group
from graphmap.matching.kinds import kind_of
from graphmap.matching.tokens import Names, filled, scope_of
from graphmap.matching.walking import SEPARATORS, Path

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = [
    "Form",
    "Row",
    "Signature",
    "common_signatures",
    "fit_forms",
    "homes_of",
    "inside",
    "is_averaged",
    "is_flat",
    "lone_pairs",
    "misplaced_norms",
    "modules_of",
    "neighbours",
    "paired_forms",
    "rows_of",
    "strays",
    "targets_of",
]

PIECES = re.compile(r"[/._\-\s]+")

FEW = 4  # times as many norms that agree, from which those that do not are exceptions

Kind = TypeVar("Kind")  # by which the tensors of a module are told apart
Key = tuple[str, tuple[int, ...]]  # kind letter, sorted sizes other than 1
Pieces = tuple[str, ...]
Row = tuple[Group, int, "Dims"]  # a tensor: its group, its position, its shape
Signature = tuple[tuple[Key, int], ...]  # kinds and sizes, and how many of each
Module = tuple[str, str, tuple[int, ...]]  # path, template, indices


class Form(NamedTuple):
    """A module: its name, and its tensors as {kind and sizes: positions}."""

    name: str
    tensors: Mapping[Key, tuple[int, ...]]

    @property
    def path(self) -> Pieces:
        """The pieces of its name."""
        return tuple(piece for piece in PIECES.split(self.name) if piece)

    @property
    def way(self) -> Path:
        """The scopes around it, and its own name."""
        return tuple(SEPARATORS.split(self.name))

    @property
    def signature(self) -> Signature:
        """What the module holds: its kinds and sizes, and how many of each."""
        return tuple(sorted((key, len(positions)) for key, positions in self.tensors.items()))


def rows_of(groups: Iterable[Group]) -> Iterator[Row]:
    """Yield all tensors of groups."""
    for group in groups:
        for (_, position), shape in zip(group.members, group.shapes, strict=True):
            yield group, position, shape


def modules_of(rows: Iterable[Row], names: Names) -> list[Form]:
    """Return the modules of a side in the order of their positions; [] where a shape is unknown."""
    found: dict[Module, dict[Key, list[int]]] = defaultdict(lambda: defaultdict(list))
    for group, position, shape in rows:
        if shape is None or None in shape:
            return []
        letter = "B" if group.kind.letter == "E" else group.kind.letter
        sizes = tuple(sorted(n for n in shape if n is not None and n != 1))
        kind = "M" if len(sizes) > 1 else letter  # a table may have a name that tells no kind
        name = filled(names[position])
        # a tensor whose name tells no kind is a module of its own
        path = name if letter == "?" else scope_of(name)
        if letter in "UV" and kind_of(path[len(scope_of(path)) :], 1)[0].letter == letter:
            path = scope_of(path)  # `norm/mean_ema/average`
        module = path, group.module.partition("|")[0], names.numbers[position]
        found[module][kind, sizes].append(position)
    _join_biases(found)
    made = [
        Form(
            path,
            {_kind_in(tensors, key): tuple(positions) for key, positions in tensors.items()},
        )
        for (path, _, _), tensors in found.items()
    ]
    return sorted(made, key=lambda form: min(p for row in form.tensors.values() for p in row))


def _join_biases(found: dict[Module, dict[Key, list[int]]]) -> None:
    """Give a lone bias to the only kernel of its scope: `bias` beside `depthwise_kernel`."""
    beside: dict[tuple[str, tuple[int, ...]], list[Module]] = defaultdict(list)
    for module in found:
        beside[module[0], module[2]].append(module)
    for row in beside.values():
        if len(row) == 2:
            bias, kernel = sorted(row)
            flat = all(letter == "B" for letter, _ in found[bias])
            if flat and kernel[1].startswith(f"{bias[1]}/") and len(found[kernel]) == 1:
                for key, positions in found.pop(bias).items():
                    found[kernel][key] = positions


def _kind_in(module: Collection[Key], key: Key) -> Key:
    """Return what a tensor is beside others: the `weight` of a norm is its scale."""
    letter, sizes = key
    if letter == "M" and len(sizes) < 2 and ("U", sizes) in module and ("G", sizes) not in module:
        return "G", sizes
    return key


def fit_forms(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Return pairs of positions that the forms of modules settle; none in unlike models.

    settled: {expected position: actual one} of what is known; what it joins in other pieces tells
    nothing of the modules beside.
    """
    if _elements(expected) != _elements(actual):
        expected = _one_model(expected, actual, settled.keys())
        actual = _one_model(actual, expected, settled.values())
    if not expected or not actual or _elements(expected) != _elements(actual):
        return []
    paired = paired_forms(expected, actual, settled)
    if len(set(paired.values())) < len(paired):
        return []
    known = len(paired)
    while True:
        fresh = _left_over(expected, actual, paired) or _beside(expected, actual, paired)
        if not fresh:
            break
        paired |= fresh
    return [
        pair
        for at, target in list(paired.items())[known:]
        for pair in inside(expected[at], actual[target])
    ]


def strays(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> set[int]:
    """Return expected positions that are settled outside the module of their kernel.

    Though that holds a tensor of their kind and size, or the kernel of where they went comes from
    a module that does.
    """
    found: set[int] = set()
    back = {other: mine for mine, other in settled.items()}
    for one, other, links in ((expected, actual, settled), (actual, expected, back)):
        homes = homes_of(other)
        for form in one:
            kernels = [p for (_, sizes), row in form.tensors.items() if len(sizes) > 1 for p in row]
            targets = {homes[links[p]] for p in kernels if links.get(p) in homes}
            if len(targets) != 1:
                continue
            (home,) = targets
            for key, row in form.tensors.items():
                if len(key[1]) < 2 and key in other[home].tensors:
                    found.update(
                        p if links is settled else back[p]
                        for p in row
                        if homes.get(links.get(p, -1), home) != home
                    )
    return found


def misplaced_norms(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> set[int]:
    """Return expected positions of norms that are settled away from the kernel they follow.

    expected: in the order of the code, where a norm with moving averages follows its kernel; the
    names of the other side have one such norm beside that. Nothing where most disagree, as where
    norms stand before their kernels, nor where few do: those are listed in another order.
    """
    targets = targets_of(expected, actual, settled)
    averaged = [at for at, form in enumerate(actual) if is_averaged(form)]
    near = neighbours(actual, averaged)
    agreed, found = 0, list[int]()
    for one, norm in pairwise(range(len(expected))):
        kernels, norms = targets.get(one, set()), targets.get(norm, set())
        if not (len(kernels) == len(norms) == 1 and is_averaged(expected[norm])):
            continue
        (kernel,), (meant,) = kernels, norms
        beside = near[kernel]
        if is_flat(expected[one]) or len(beside) != 1:
            continue
        (other,) = beside
        agreed += other == meant
        if other != meant and actual[other].signature == actual[meant].signature:
            found.append(norm)
    if not agreed / FEW <= len(found) <= 2 * agreed:
        return set()
    return {p for norm in found for row in expected[norm].tensors.values() for p in row}


def is_averaged(form: Form) -> bool:
    """Whether it is a norm with moving averages."""
    return is_flat(form) and any(letter == "V" for letter, _ in form.tensors)


def common_signatures(
    expected: Sequence[Form], actual: Sequence[Form]
) -> tuple[list[Signature], list[Signature]]:
    """Return what the modules of both sides hold, without kinds of which one side has nothing."""
    kinds = [{letter for form in side for letter, _ in form.tensors} for side in (expected, actual)]
    common = kinds[0] & kinds[1]
    mine, theirs = (
        [tuple(part for part in form.signature if part[0][0] in common) for form in side]
        for side in (expected, actual)
    )
    return mine, theirs


def is_flat(form: Form) -> bool:
    """Whether it holds no kernel."""
    return all(len(sizes) < 2 for _, sizes in form.tensors)


def homes_of(side: Sequence[Form]) -> dict[int, int]:
    """Return {position of a tensor: index of its form}."""
    return {p: at for at, form in enumerate(side) for row in form.tensors.values() for p in row}


def paired_forms(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> dict[int, int]:
    """Return {expected form: actual one} of equal forms that the settled tensors connect."""
    return {
        at: target
        for at, targets in targets_of(expected, actual, settled).items()
        for target in targets
        if len(targets) == 1 and actual[target].signature == expected[at].signature
    }


def targets_of(
    expected: Sequence[Form], actual: Sequence[Form], settled: Mapping[int, int]
) -> dict[int, set[int]]:
    """Return {expected form: the actual ones that hold what its settled tensors are}."""
    home = homes_of(actual)
    found: dict[int, set[int]] = defaultdict(set)
    for at, form in enumerate(expected):
        for row in form.tensors.values():
            found[at].update(home[settled[p]] for p in row if settled.get(p) in home)
    return {at: targets for at, targets in found.items() if targets}


def _one_model(
    side: Sequence[Form], other: Sequence[Form], settled: Iterable[int]
) -> Sequence[Form]:
    """Return the scope of a side that holds all that is settled and as many elements as the other.

    A file may hold more models than one: a target network, the averages of all weights. The whole
    side where there is no such scope.
    """
    known = set(settled)
    paths = [f.path for f in side if any(p in known for row in f.tensors.values() for p in row)]
    wanted = _elements(other)
    for depth in range(min(map(len, paths), default=0), 0, -1):
        scope = paths[0][:depth]
        if all(path[:depth] == scope for path in paths):
            inside = [form for form in side if form.path[:depth] == scope]
            if _elements(inside) == wanted:
                return inside
    return side


def _elements(side: Sequence[Form]) -> int:
    return sum(
        len(positions) * math.prod(sizes)
        for form in side
        for (_, sizes), positions in form.tensors.items()
    )


def _open_ones(
    expected: Sequence[Form], actual: Sequence[Form], paired: Mapping[int, int]
) -> list[tuple[list[int], list[int]]]:
    """Return the open modules of both sides, form by form, of forms that both have as often."""
    classes: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    taken = set(paired.values())
    for at, form in enumerate(expected):
        if at not in paired:
            classes[form.signature][0].append(at)
    for at, form in enumerate(actual):
        if at not in taken:
            classes[form.signature][1].append(at)
    return [sides for sides in classes.values() if len(sides[0]) == len(sides[1])]


def _left_over(
    expected: Sequence[Form], actual: Sequence[Form], paired: Mapping[int, int]
) -> dict[int, int]:
    rows = _open_ones(expected, actual, paired)
    return {mine[0]: theirs[0] for mine, theirs in rows if len(mine) == 1}


def _beside(
    expected: Sequence[Form], actual: Sequence[Form], paired: Mapping[int, int]
) -> dict[int, int]:
    """Return the open modules of one form that alone stand beside the same settled ones."""
    back = {target: at for at, target in paired.items()}
    near = neighbours(expected, paired), neighbours(actual, back)
    found: dict[int, int] = {}
    for mine, theirs in _open_ones(expected, actual, paired):
        fitting = {
            at: [t for t in theirs if near[1][t] & {paired[n] for n in near[0][at]}] for at in mine
        }
        takers = Counter(t for row in fitting.values() for t in row)
        found.update((at, row[0]) for at, row in fitting.items() if len(row) == 1 == takers[row[0]])
    return found


def neighbours(side: Sequence[Form], settled: Iterable[int]) -> list[frozenset[int]]:
    """Return of each module the settled ones in the smallest scope around it that holds any."""
    below: dict[Pieces, set[int]] = defaultdict(set)
    for at in settled:
        path = side[at].path
        for depth in range(1, len(path) + 1):
            below[path[:depth]].add(at)
    found = []
    for form in side:
        scopes = (form.path[:depth] for depth in range(len(form.path), 0, -1))
        found.append(frozenset(next((below[s] for s in scopes if s in below), ())))
    return found


def inside(mine: Form, theirs: Form) -> list[tuple[int, int]]:
    """Pair the tensors of two modules that no other tensor in them is like."""
    return lone_pairs(mine.tensors, theirs.tensors)


def lone_pairs(
    mine: Mapping[Kind, tuple[int, ...]], theirs: Mapping[Kind, tuple[int, ...]]
) -> list[tuple[int, int]]:
    """Pair the positions of what stands once under the same key on both sides."""
    return [
        (positions[0], theirs[key][0])
        for key, positions in mine.items()
        if len(positions) == len(theirs.get(key, ())) == 1
    ]

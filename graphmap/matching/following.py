"""Norms that go with one kernel each: where the kernel is known, so is its norm.

A norm with moving averages stands right behind its kernel in the code (or right before it, where a
block begins with a norm), below it (`conv/bn`), or bears its name (`conv1`, `bn1`; `expand`,
`expand_bn`; numbers 0 and 1 of a sequence). Where all norms of a side are shared out to kernels of
fitting sizes in one of these ways, that tells which norm is meant whatever it is called elsewhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from graphmap.matching.forms import Form, is_averaged, is_flat
from graphmap.matching.tokens import words_of
from graphmap.matching.vocabulary import NORMS
from graphmap.matching.walking import NUMBERS, Order, Path, order_of, word_of

__all__ = ["followed_norms", "stem_of"]

COVERED = 0.9  # share of the norms that must have a kernel
FEWEST = 3  # norms that make a habit

Owners = dict[int, int]  # {kernel module: its norm}
Counted = dict[str, list[tuple[Order, int]]]  # {word: numbers and module of what it counts}


def followed_norms(
    expected: Sequence[Form], actual: Sequence[Form], ordered: bool
) -> tuple[Owners, Owners] | None:
    """Return {kernel: norm} of both sides; None where that cannot be told of one of them."""
    mine = _by_names(expected) or (_by_place(expected) if ordered else {}) or _by_rank(expected)
    theirs = _by_names(actual) or _by_rank(actual)
    return (mine, theirs) if mine and theirs else None


def _by_names(side: Sequence[Form]) -> Owners:
    """Return the norms below their kernels, or with their words and numbers."""
    paths = [form.way for form in side]
    norms = [at for at, form in enumerate(side) if is_averaged(form)]
    kernels = [at for at, form in enumerate(side) if not is_flat(form)]
    if len(norms) < FEWEST:
        return {}
    below = {paths[at]: at for at in kernels}
    stems: dict[Path, list[int]] = defaultdict(list)
    for at in kernels:
        stems[stem_of(paths[at])].append(at)
    found: Owners = {}
    covered = 0
    for norm in norms:
        path = paths[norm]
        owner = below.get(path[:-1])
        if owner is None and path[-1].isdigit():
            owner = below.get((*path[:-1], str(int(path[-1]) - 1)))
        if owner is None:
            near = stems.get(stem_of(path), [])
            owner = near[0] if len(near) == 1 and "_#" not in word_of(path[-1]) else None
        if owner is None:
            continue
        if owner in found or not _fits(side[owner], side[norm]):
            return {}
        found[owner] = norm
        covered += 1
    return found if covered >= COVERED * len(norms) else {}


def _by_rank(side: Sequence[Form]) -> Owners:
    """Return the norms that are counted beside their kernels: `conv2d_7`, `batchnorm_7`.

    In every scope that counts norms just one word must count as many kernels, all of fitting sizes.
    """
    rows: dict[Path, tuple[Counted, Counted]] = {}
    norms = 0
    for at, form in enumerate(side):
        path = form.way
        word = NUMBERS.sub("", path[-1]).rstrip("_")
        flat = is_flat(form)
        if not flat or is_averaged(form):
            norms += flat
            kinds = rows.setdefault(path[:-1], (defaultdict(list), defaultdict(list)))
            kinds[flat][word].append((order_of(path[-1]), at))
    found: Owners = {}
    for kernels, counted in rows.values():
        if not counted:
            continue
        if len(counted) != 1:
            return {}
        (theirs,) = (sorted(row) for row in counted.values())
        ways = [
            [(kernel, norm) for (_, kernel), (_, norm) in zip(sorted(row), theirs, strict=True)]
            for row in kernels.values()
            if len(row) == len(theirs)
        ]
        ways = [way for way in ways if all(_fits(side[k], side[n]) for k, n in way)]
        if len(ways) != 1:
            return {}
        found.update(ways[0])
    return found if len(found) >= max(FEWEST, COVERED * norms) else {}


def _by_place(side: Sequence[Form]) -> Owners:
    """Return the norms that stand next to their kernels in the code."""
    norms = [at for at, form in enumerate(side) if is_averaged(form)]
    if len(norms) < FEWEST:
        return {}
    before = _norms_first(side)
    if before is None:
        return {}
    found: Owners = {}
    for norm in norms:
        owner = norm + 1 if before else norm - 1
        if 0 <= owner < len(side) and not is_flat(side[owner]) and _fits(side[owner], side[norm]):
            if not _named(side[norm]) <= _named(side[owner]):
                return {}  # listed in another order than made
            found[owner] = norm
    return found if len(found) >= COVERED * len(norms) else {}


def _norms_first(side: Sequence[Form]) -> bool | None:
    """Whether blocks begin with a norm; None where they differ, or there are none."""
    blocks: dict[Path, list[int]] = defaultdict(list)
    for at, form in enumerate(side):
        blocks[form.way[:-1]].append(at)
    begins = Counter(
        is_flat(side[row[0]])
        for path, row in blocks.items()
        if path and len(row) > 1 and any(is_averaged(side[at]) for at in row)
    )
    if len(begins) == 2 or not begins:
        return None
    return next(iter(begins))


def _fits(kernel: Form, norm: Form) -> bool:
    sizes = {n for _, row in kernel.tensors for n in row if len(row) > 1}
    return any(set(row) <= sizes for _, row in norm.tensors)


def stem_of(path: Path) -> Path:
    """Return the words and numbers of a path, without those that say kernel or norm."""
    words = [w for piece in path for w in words_of(NUMBERS.sub(r" \1\2 ", piece))]
    return tuple(w for w in words if w not in NORMS and w != "conv")


def _named(form: Form) -> set[str]:
    return {w for w in stem_of(form.way) if not w[0].isdigit()}

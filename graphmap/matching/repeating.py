"""One stored layer for all layers of a stack: weights that are shared across layers.

Some models run one layer many times (Lan et al., ALBERT, ICLR 2020; Dehghani et al., Universal
Transformers, ICLR 2019). Code that keeps a layer for each time asks for many, the file has one. A
model of one layer would be asked for in the same way; but nobody grows one layer into a deep stack
without copying it (Gong et al., Efficient training of BERT by progressively stacking, ICML 2019).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.decide import Found
from graphmap.matching.layout import shapes_fit
from graphmap.matching.tokens import MARK, Names, last_segment, prefixes, words_of
from graphmap.matching.vocabulary import PARALLEL
from graphmap.model.namemap import Evidence

if TYPE_CHECKING:
    from graphmap.matching.levels import Run

__all__ = ["repeat_layer"]

DEEP = 6  # layers from which a stack is no small model that grew
FULL = 8  # tensors of a layer; a head or a branch holds fewer
MOST_OF_ALL = 0.5  # least share of the expected names that stand in the stack
BITS = 12.0

Inside = tuple[str, tuple[int, ...]]  # what a name has beside one of its indices
Layers = Mapping[int, Mapping[Inside, int]]  # {number of a layer: {what it holds: position}}


class Stack(NamedTuple):
    """All layers under one prefix, which ends in the index that counts them."""

    head: str
    layers: Layers


def repeat_layer(run: Run) -> None:
    """Link all layers of a stack to the only one that is stored under the same name.

    Or to the only scope without a number that holds what a layer does, under the same names.
    """
    if 2 * len(run.pool) > len(run.wanted):
        return
    stored = {stack.head: stack.layers for stack in _stacks(run.pool_names)}
    for head, layers in _stacks(run.wanted_names):
        rows = list(layers.values())
        alone = list(stored.get(head, {}).values()) or _scopes_like(rows[0], run.pool_names)
        members = sum(map(len, rows))
        if len(rows) < DEEP or len(alone) != 1 or len(alone[0]) < FULL:
            continue
        if any(row.keys() != alone[0].keys() for row in rows):
            continue
        if members < MOST_OF_ALL * len(run.wanted) or not PARALLEL.isdisjoint(
            words_of(last_segment(head))
        ):
            continue
        _link_all(run, layers, alone[0], f"one stored layer for all {len(rows)} of {head}")


def _scopes_like(row: Mapping[Inside, int], names: Names) -> list[Mapping[Inside, int]]:
    """Return what the scopes without a number hold that have just the names of a layer."""
    ends = [text for text, others in row if not others]
    if len(ends) < len(row) or not ends:
        return []
    heads = [t[: -len(ends[0])] for t in names.members if MARK not in t and t.endswith(ends[0])]
    found: list[Mapping[Inside, int]] = []
    for head in heads:
        inside = [t[len(head) :] for t in names.members if t.startswith(f"{head}/")]
        if set(inside) == set(ends):
            found.append({(end, ()): names.members[head + end][0][1] for end in ends})
    return found


def _link_all(run: Run, layers: Layers, alone: Mapping[Inside, int], why: str) -> None:
    links = {k.expected.name: k for k in run.result.links}
    evidence = (Evidence("tied", BITS, why),)
    for row in layers.values():
        for inside, at in row.items():
            mine, other = run.wanted[at], run.pool[alone[inside]]
            if mine.name not in links and shapes_fit(mine.shape, other.shape):
                kernel = len(mine.shape or ()) > 1
                run.result.links.append(Found(mine, other, BITS, BITS, evidence, kernel))


def _stacks(names: Names) -> Iterator[Stack]:
    found: dict[str, dict[int, dict[Inside, int]]] = defaultdict(lambda: defaultdict(dict))
    for text, members in names.members.items():
        for at, head in enumerate(prefixes(text)) if MARK in text else ():
            for numbers, position in members:
                rest = text[len(head) :], (*numbers[:at], *numbers[at + 1 :])
                found[head][numbers[at]][rest] = position
    for head, layers in found.items():
        yield Stack(head, layers)

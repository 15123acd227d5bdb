"""Decisions on links that are certain, which most are: many at once, column by column."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.layout import find_layout
from graphmap.model.namemap import Candidate, Decision
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.decide import Found

__all__ = ["Weighed", "decide_certain"]

_name, _shape, _key, _node = map(itemgetter, (0, 1, 6, 9))  # of a Variable
_actual, _reasons, _kernel, _told = map(itemgetter, (1, 4, 5, 7))  # of a Found
_confidence, _margin = map(itemgetter, (1, 2))  # of a Weighed


class Weighed(NamedTuple):
    """What the bits of a link are worth.

    sure: its probability; confidence, margin: as they are written. certain: no rival is shown.
    """

    sure: float
    confidence: float
    margin: float
    certain: bool


def decide_certain(
    variables: Sequence[Variable],
    links: Sequence[Found],
    worth: Sequence[Weighed],
    turned: bool,
    tied: Container[str],
) -> Iterator[Decision]:
    """Yield the decision on each variable: matched with what its link says, without a rival.

    worth: of each link. turned: the two sides keep kernels the other way round. tied: the actual
    names to which several links lead.
    """
    meant = list(map(_actual, links))
    actual, shapes = list(map(_name, meant)), list(map(_shape, variables))
    kernels = map(_kernel, links) if turned else repeat(False)
    found = map(find_layout, shapes, map(_shape, meant), kernels)
    layouts = [told or layout or "same" for told, layout in zip(map(_told, links), found)]  # noqa: B905
    if tied:
        layouts = [
            "tied" if layout == "same" and name in tied else layout
            for layout, name in zip(layouts, actual, strict=True)
        ]
    nodes = [v.node or v.name for v in meant] if any(map(_node, meant)) else actual
    sure = list(map(_confidence, worth))
    candidates = map(partial(tuple.__new__, Candidate), zip(actual, sure, strict=True))
    rows = zip(
        map(_name, variables), repeat("matched"), shapes, actual,
        map(str.__add__, nodes, repeat(":0")), map(_key, meant), sure, map(_margin, worth),
        layouts, repeat(()), map(_reasons, links), zip(candidates, strict=True),
    )  # fmt: skip
    return map(partial(tuple.__new__, Decision), rows)

"""Bare names that begin a count: `dense` is the first of a kind, `dense_1` the second."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from graphmap.matching.tokens import MARK

__all__ = ["Member", "Templates", "join_bare"]

Member = tuple[tuple[int, ...], int]  # its indices, its position on its side
Templates = dict[str, list[Member]]


def join_bare(templates: Templates, known: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Make `dense` and `dense_1` one template `dense_#`, with 0 for the first.

    A layer of a counted layer has both numbers: `bidirectional_1/forward_1` beside
    `bidirectional/forward`. known: templates that are so on the whole side. Returns {template that
    was joined: which of its indices count so}.
    """
    joined = defaultdict(set, {text: set(indices) for text, indices in known.items()})
    for text in sorted({*templates, *known}, key=lambda text: (text.count(MARK), text)):
        places = [found.start() for found in re.finditer("_" + MARK, text)]
        for way in [[place] for place in places] + ([places] if len(places) > 1 else []):
            bare = text
            for place in reversed(way):
                bare = bare[:place] + bare[place + 2 :]
            if bare not in templates or bare == text or not (templates[text] or text in known):
                continue
            at = [text.count(MARK, 0, place) for place in way]
            if not all(_begins_later(numbers, at) for numbers, _ in templates[text]):
                continue  # it would be `dense_0` twice: what has no number is something else
            joined[text].update(at)
            templates[text].extend(
                (_with_zeros(numbers, at), position) for numbers, position in templates.pop(bare)
            )
    return joined


def _begins_later(numbers: Sequence[int], at: Sequence[int]) -> bool:
    """Whether the numbers at some places are one and the same, and not 0."""
    own = {numbers[k] for k in at}
    return len(own) == 1 and 0 not in own


def _with_zeros(numbers: Sequence[int], at: Sequence[int]) -> tuple[int, ...]:
    whole = list(numbers)
    for place in at:
        whole.insert(place, 0)
    return tuple(whole)

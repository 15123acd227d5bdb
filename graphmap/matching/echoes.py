"""A wrapper's words that one of the scopes within has as well, and others have not.

`vision_text_model/vision/...` beside `vision_text_model/text/...`: every name has both words, so
that neither would tell the towers apart. The inner scope means them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from graphmap.matching.tokens import MARK, segments, words_of
from graphmap.matching.vocabulary import GENERIC

__all__ = ["Echoes", "echoed_words", "without_echoes"]

Echoes = Mapping[tuple[str, ...], frozenset[str]]  # {path of a wrapper: words}

LEAST_SHARE = 4  # a wrapper holds at least one name in so many
NEARLY_ALL = 0.9  # of what stands in its scope: beside another scope its words tell the two apart


def echoed_words(sizes: Mapping[str, int]) -> Echoes:
    """Return {path of a wrapper: words of its last segment that only inner scopes mean}.

    sizes: {template: how many names it has}.
    """
    under: dict[tuple[str, ...], int] = defaultdict(int)
    inner: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for text, count in sizes.items():
        parts = tuple(segments(text))
        under[()] += count
        for at in range(1, len(parts) - 1):
            if MARK in parts[at - 1]:
                break
            under[parts[:at]] += count
            inner[parts[:at]].add(parts[at])
    found = {}
    for path, scopes in inner.items():
        least = max(under[()] / LEAST_SHARE, NEARLY_ALL * under[path[:-1]])
        words = _told_within(path[-1], scopes) if under[path] >= least else None
        if words:
            found[path] = words
    return found


def _told_within(wrapper: str, scopes: Iterable[str]) -> frozenset[str]:
    """Return the words of a wrapper that some of the scopes within have and others have not."""
    rows = [set(words_of(scope)) for scope in scopes]
    mine = set(words_of(wrapper)) - GENERIC
    return frozenset(w for w in mine if 0 < sum(w in row for row in rows) < len(rows))


def without_echoes(words: tuple[str, ...], text: str, echoed: Echoes) -> tuple[str, ...]:
    """Return a module's words without those that its wrappers only echo; text: its template."""
    parts = tuple(segments(text))
    kept: list[str] = []
    at = 0
    for depth, part in enumerate(parts[:-1], 1):
        own = words_of(part)
        if words[at : at + len(own)] != own:
            break  # past an index, where no wrapper stands
        dropped = echoed.get(parts[:depth], frozenset())
        kept.extend(word for word in own if word not in dropped)
        at += len(own)
    return (*kept, *words[at:])

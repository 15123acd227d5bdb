"""Naming a few examples of many, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["examples"]

_NAMED = 5
_LONG = 60  # characters of one name that are shown


def examples(names: Sequence[str]) -> str:
    """Return the first names of many, and how many more there are.

    >>> examples(["a", "b"]), examples(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(_short, names[:_NAMED])) + more


def _short(name: str) -> str:
    return name if len(name) <= _LONG else f"{name[:_LONG]}..."

"""Saying much in few sentences: examples of many names, the first of many warnings."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["capped", "examples"]

_NAMED = 5
_WARNINGS = 100  # of one file, each told by itself
_LONG = 60  # characters of one name that are shown


def capped(warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the first warnings of many, and one that counts the rest.

    >>> len(capped(["damaged"] * 3)), capped(["damaged"] * 120)[-1]
    (3, '20 more entries are damaged')
    """
    rest = len(warnings) - _WARNINGS
    more = (f"{rest} more entries are damaged",) if rest > 0 else ()
    return (*warnings[:_WARNINGS], *more)


def examples(names: Sequence[str]) -> str:
    """Return the first names of many, and how many more there are.

    >>> examples(["a", "b"]), examples(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(_short, names[:_NAMED])) + more


def _short(name: str) -> str:
    return name if len(name) <= _LONG else f"{name[:_LONG]}..."

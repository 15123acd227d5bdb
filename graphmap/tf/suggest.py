"""What to say about names that come close to one that is not there."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "same_ending"]


def same_ending(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are `name` under some scope.

    >>> same_ending("W", ["my_model/W", "my_model/W_1", "W/Adam"])
    ['my_model/W']
    """
    return [other for other in names if other.endswith(f"/{name}")]


def did_you_mean(candidates: tuple[str, ...]) -> str:
    """Return the sentence that offers them, or says that nothing comes close."""
    if not candidates:
        return "Nothing in it comes close."
    return f"Did you mean {', '.join(candidates)}?"

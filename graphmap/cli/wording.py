"""Domain values as short words, for tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphmap.cli.console import escape

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["count", "hyperparameter", "shape_text", "size_text"]


@lru_cache(maxsize=4096)  # a model has few shapes, and 100,000 variables
def shape_text(dims: Dims) -> str:
    """Return a shape as listings write it.

    >>> shape_text((3, None)), shape_text(()), shape_text(None)
    ('[3,?]', '[]', '?')
    """
    if dims is None:
        return "?"
    return "[" + ",".join(["?" if size is None else str(size) for size in dims]) + "]"


def size_text(size: int | None) -> str:
    """Return a number of bytes for people.

    >>> size_text(96), size_text(1536), size_text(5 * 2**20), size_text(None)
    ('96 B', '1.5 KB', '5.0 MB', '')
    """
    if size is None:
        return ""
    if size < 1024:
        return f"{size} B"
    amount, units = size / 1024, ["KB", "MB", "GB", "TB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.1f} {units[0]}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "slot"), count(1200, "weight")
    ('1 slot', '1,200 weights')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def hyperparameter(name: str, value: Any) -> str:
    """Return `name=value`, or where the value comes from.

    >>> hyperparameter("beta1", 0.9)
    'beta1=0.9'
    >>> hyperparameter("learning_rate", {"tensor": "lr:0", "source": "placeholder"})
    'learning_rate=lr:0 (placeholder)'
    """
    if isinstance(value, Mapping):
        return f"{name}={escape(str(value.get('tensor')))} ({value.get('source')})"
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={escape(str(value))}"

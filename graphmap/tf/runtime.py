"""The one door to TensorFlow: imported on first use, never when graphmap is imported."""

from __future__ import annotations

from typing import Any

from graphmap.errors import MissingDependencyError

__all__ = ["clean_name", "tensorflow"]


def tensorflow() -> Any:
    """Return the `tensorflow` module; raises MissingDependencyError where it is not installed."""
    try:
        import tensorflow
    except ImportError as cause:
        raise MissingDependencyError(
            f"TensorFlow cannot be imported ({cause})",
            where="graphmap.tf",
            remedy="pip install 'graphmap[tf]'",
        ) from cause
    return tensorflow


def clean_name(name: str) -> str:
    """Return a name as the stored graph writes it: no control mark, no blanks at its ends.

    >>> clean_name(" ^model/W ")
    'model/W'
    """
    return name.strip().removeprefix("^")

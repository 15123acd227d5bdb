"""Regular expressions that users type."""

from __future__ import annotations

import re

from graphmap.errors import UsageError

__all__ = ["compile_pattern"]


def compile_pattern(pattern: str, where: str) -> re.Pattern[str]:
    """Return a compiled pattern; raises UsageError for what is none. where: a flag or a name.

    >>> compile_pattern("conv[0-9]", "--only conv[0-9]").search("net/conv2") is not None
    True
    """
    try:
        return re.compile(pattern)
    except re.error as cause:
        raise UsageError(
            f"is no regular expression ({cause})",
            where=where,
            remedy="Escape what is meant literally, such as \\. or \\(.",
        ) from cause

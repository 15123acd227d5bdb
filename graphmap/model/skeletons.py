"""Names -> skeletons, every digit as `#`: of 100,000 names few differ in more than digits.

What has to be asked of all names, whether one lies below another or ends in a certain word, is
asked of their skeletons instead. A skeleton keeps the length, and what is true of two names, that
one begins with the other or that they end alike, is true of their skeletons too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from graphmap.chunks import chunks

__all__ = ["DIGIT", "distinct_skeletons", "is_nested", "skeletons"]

DIGIT = "#"
MOST = 2_000  # skeletons; more than that cost as much as the names themselves
_MARKED = bytes.maketrans(b"0123456789", 10 * DIGIT.encode())


def skeletons(names: Sequence[str]) -> list[str] | None:
    """Return the skeleton of each name; None where one is not ASCII, or has a `#` or a line feed.

    >>> skeletons(["layer_12/w", "layer_7/w", "b"]), skeletons(["a#"])
    (['layer_##/w', 'layer_#/w', 'b'], None)
    """
    text = "\n".join(names)
    if DIGIT in text or not text.isascii() or text.count("\n") != len(names) - 1:
        return None
    return text.encode("ascii").translate(_MARKED).decode("ascii").split("\n")


def distinct_skeletons(names: Sequence[str]) -> Collection[str] | None:
    """Return the skeletons that differ; None where there are none, or too many to be of help."""
    found: set[str] = set()
    for chunk in chunks(names):
        rows = skeletons(chunk)
        if rows is None:
            return None
        found.update(rows)
        if len(found) > MOST:
            return None
    return found or None


def is_nested(found: Collection[str]) -> bool:
    """Whether a name may lie below another, `w` and `w/Adam`, as far as skeletons tell.

    >>> is_nested({"w", "w/Adam"}), is_nested({"w", "v/w"})
    (True, False)
    """
    for one in found:
        parent = one.rpartition("/")[0]
        while parent:
            if parent in found:
                return True
            parent = parent.rpartition("/")[0]
    return False

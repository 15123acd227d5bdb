"""Minimum, maximum, mean and NaN count of stored values, read one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.api.artifact import Artifact
from graphmap.model.variable import Variable
from graphmap.patterns import compile_pattern

if TYPE_CHECKING:
    import numpy

__all__ = ["Stats", "value_stats"]

_PIECE = 1 << 20  # elements that are converted at once; the value itself is not copied


class Stats(NamedTuple):
    """What the elements of a value are like.

    minimum, maximum: of all that is no NaN, mean of all that is finite; None where there is
    no such element, and for strings and complex numbers, which have no order.
    nan, inf: how many elements are neither.
    """

    minimum: float | int | None
    maximum: float | int | None
    mean: float | None
    nan: int
    inf: int


def value_stats(
    artifact: Artifact, variables: Sequence[Variable], pattern: str
) -> dict[str, Stats]:
    """Return the statistics of each variable whose name `pattern` is found in, by name.

    Only their values are read; raises MissingDataError, CorruptArtifactError. Variables that have
    no value are left out.
    """
    found = compile_pattern(pattern, f"--stats {pattern}").search
    readable = set(artifact.tensors())
    asked = [v.name for v in variables if found(v.name) and v.name in readable]
    return {name: _stats(artifact.read(name)) for name in asked}


def _stats(value: numpy.ndarray) -> Stats:
    import numpy

    low, high, total, finite, nan, inf = math.inf, -math.inf, 0.0, 0, 0, 0
    if value.dtype.kind == "O":
        return Stats(None, None, None, 0, 0)
    if value.dtype.kind in "iu" and value.size:  # exact, past 2^53 too
        mean = sum(float(piece.sum()) for piece in _pieces(value)) / value.size
        return Stats(int(value.min()), int(value.max()), mean, 0, 0)
    is_complex = value.dtype.kind == "c"
    for piece in _pieces(value):
        is_nan, is_inf = numpy.isnan(piece), numpy.isinf(piece)
        nan += int(is_nan.sum())
        inf += int(is_inf.sum())
        ordered = piece[~is_nan]
        if ordered.size and not is_complex:
            low, high = min(low, float(ordered.min())), max(high, float(ordered.max()))
            kept = ordered[~numpy.isinf(ordered)]
            total += float(kept.sum())
            finite += kept.size
    has_any = low <= high
    return Stats(
        low if has_any else None,
        high if has_any else None,
        total / finite if finite else None,
        nan,
        inf,
    )


def _pieces(value: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """Yield the elements as float64 or complex128, a few at a time."""
    flat = value.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        yield piece.astype("complex128" if value.dtype.kind == "c" else "float64")

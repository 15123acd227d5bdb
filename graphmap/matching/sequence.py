"""Two sequences of modules, aligned with gaps: the posterior of every pair.

Forward and backward sums over all alignments, as in profile alignment of biological sequences
(Durbin et al., Biological sequence analysis, chapter 4), in logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Weights = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

__all__ = ["Key", "Run", "Signature", "align_runs"]

GAP = -4.0  # log odds of a module that only one side has

Key = tuple[str, tuple[int, ...] | None]  # kind letter and sizes of a tensor
Signature = tuple[Key, ...]  # of a module: sorted


class Run(NamedTuple):
    """Expected modules first .. first + length - 1 stand for stored module `unit`."""

    first: int
    length: int
    unit: int
    posterior: float


def align_runs(
    modules: Sequence[Signature],
    units: Sequence[Signature],
    weight: Mapping[Signature, float],
    longest: int,
    opening: float = 0.0,
) -> list[Run]:
    """Forward and backward over all alignments; returns the likeliest run of every unit.

    opening: log odds to be added where stored units are left out between others, not in front or
    behind.

    forward: float64[modules + 1, units + 1], log weight of all alignments of the first i and j.
    backward: the same of the rest, where no stored unit was left out just before.
    """
    import numpy as np

    numbers = {signature: at for at, signature in enumerate(weight)}
    stored = np.array([numbers[unit] for unit in units])
    gains = np.array([weight[unit] for unit in units])
    rows = [_runs_at(modules, i, longest, numbers) for i in range(len(modules))]
    arriving: list[list[tuple[int, int]]] = [[] for _ in range(len(modules) + 1)]
    for i, row in enumerate(rows):
        for length, number in row:
            arriving[i + length].append((i, number))
    last = len(modules)
    steps = GAP * np.arange(len(units) + 1, dtype=np.float64)
    forward = np.full((last + 1, len(units) + 1), -np.inf)
    forward[0] = steps
    for i in range(1, last + 1):
        row = forward[i - 1] + GAP
        for start, number in arriving[i]:
            gain = np.where(stored == number, forward[start, :-1] + gains, -np.inf)
            row[1:] = np.logaddexp(row[1:], gain)
        forward[i] = _leaving_out(row, steps, 0.0 if i == last else opening)
    backward = np.full_like(forward, -np.inf)
    backward[-1] = steps[::-1]
    for i in range(last - 1, -1, -1):
        row = backward[i + 1] + GAP
        for length, number in rows[i]:
            gain = np.where(stored == number, backward[i + length, 1:] + gains, -np.inf)
            row[:-1] = np.logaddexp(row[:-1], gain)
        backward[i] = _leaving_out(row[::-1], steps, opening)[::-1]
    return _best_runs(forward, backward, rows, stored, gains)


def _leaving_out(row: Weights, steps: Weights, opening: float) -> Weights:
    """Return log weights where any number of stored units may be left out before each place.

    row: where none was. steps: of leaving out 0, 1, 2 ... units. opening: of the first beside.
    """
    import numpy as np

    left_out = np.logaddexp.accumulate(row - steps) + steps
    beside = np.concatenate(([-np.inf], left_out[:-1] + GAP + opening))
    return np.logaddexp(row, beside)


def _runs_at(
    modules: Sequence[Signature], first: int, longest: int, numbers: Mapping[Signature, int]
) -> list[tuple[int, int]]:
    """Return (length, number of the signature) of the runs that begin here and that a unit has."""
    found = []
    keys: list[Key] = []
    for length in range(1, min(longest, len(modules) - first) + 1):
        keys += modules[first + length - 1]
        number = numbers.get(tuple(sorted(keys)))
        if number is not None:
            found.append((length, number))
    return found


def _best_runs(
    forward: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    backward: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    rows: Sequence[Sequence[tuple[int, int]]],
    stored: np.ndarray[tuple[int], np.dtype[np.int64]],
    gains: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[Run]:
    import numpy as np

    whole = forward[-1, -1]
    best: dict[int, Run] = {}
    for i, row in enumerate(rows):
        for length, number in row:
            weights = forward[i, :-1] + gains + backward[i + length, 1:] - whole
            for unit in np.nonzero((stored == number) & (weights > math.log(0.5)))[0]:
                best[int(unit)] = Run(i, length, int(unit), float(np.exp(weights[unit])))
    return [best[unit] for unit in sorted(best)]

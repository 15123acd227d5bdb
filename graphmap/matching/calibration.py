"""How often what has such odds is right: the table that turns the matcher's bits into probability.

The matcher's bits add up evidence that is not independent, so they say too much. The table says
what share of links with such bits was right, and was made by scripts/calibrate: isotonic
regression over open cases, corrupted ones and fresh batches, no case counting for more than 100
names (ADR-0021).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from graphmap.matching.knots import KNOTS

__all__ = ["calibrated", "calibrated_open"]

LEAST_BITS = -20.0


def calibrated(bits: float, knowledge: str) -> float:
    """Return the share of links with these log2 odds that is right, in (0, 1).

    knowledge: what both sides tell: "graph", "shapes" or "names".
    """
    return _share(bits, KNOTS[knowledge])


def calibrated_open(confidence: float, knowledge: str) -> float:
    """Return how often the best candidate of a name left without a link is right.

    confidence: its share among the candidates, in [0, 1]. knowledge: as for `calibrated`.
    """
    if confidence <= 0.0 or confidence >= 1.0:
        bits = math.copysign(-LEAST_BITS, confidence - 0.5)
    else:
        bits = math.log2(confidence / (1.0 - confidence))
    return _share(bits, KNOTS[f"open {knowledge}"])


def _share(bits: float, knots: Sequence[tuple[float, float]]) -> float:
    """Interpolate between (bits, share) knots; flat before the first and past the last."""
    at = bisect_right(knots, (bits, 2.0))
    if at == 0:
        return knots[0][1]
    if at == len(knots):
        return knots[-1][1]
    (low, left), (high, right) = knots[at - 1], knots[at]
    return left + (right - left) * (bits - low) / (high - low)

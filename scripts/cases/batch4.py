"""Batch 4: other families than batches 1 to 3."""

from __future__ import annotations

from cases.names_d import WIRED
from cases.names_d2 import WIRED as TWINS
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED + TWINS)

"""Batch 5: other families than batches 1 to 3; two programs for one model in most cases."""

from __future__ import annotations

from cases.names_e1 import E1
from cases.names_e2 import E2
from cases.sides import ported_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from ported_cases(E1)
    yield from ported_cases(E2)

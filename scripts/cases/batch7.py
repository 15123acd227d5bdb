"""Batch 7: other families than batches 1 to 5: images, graphs and series.

Needs, beside what docs/fresh_cases.md names: tf-slim, tf2cv, torchvision, torch-geometric.
"""

from __future__ import annotations

from cases.converters_g import converter_cases
from cases.libraries import published_cases
from cases.names_g1 import PUBLISHED
from cases.names_g2 import G1
from cases.names_g3 import G2, G3
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(G1 + G2)
    yield from ported_cases(G3)
    yield from published_cases(PUBLISHED)
    yield from converter_cases()

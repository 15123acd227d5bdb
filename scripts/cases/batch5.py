"""Batch 5: other families than batches 1 to 3; two programs for one model in most cases."""

from __future__ import annotations

from cases.huggingface import huggingface_cases
from cases.keras_hub_ports import port_cases
from cases.names_e1 import E1
from cases.names_e2 import E2
from cases.names_e3 import E3
from cases.names_e4 import E4, PAIRS, PORTS
from cases.sides import ported_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from ported_cases((*E1, *E2, *E3, *E4))
    yield from huggingface_cases(PAIRS)
    yield from port_cases(PORTS)

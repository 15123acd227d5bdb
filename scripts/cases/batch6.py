"""Batch 6: text, speech, recommendation and reinforcement of families not in batches 1 to 5."""

from __future__ import annotations

from cases.huggingface import huggingface_cases
from cases.names_f1 import WIRED
from cases.names_f2 import WIRED as AGENTS
from cases.pairs_f import ORIGINALS, PAIRS
from cases.tf1_checkpoints import original_cases
from cases.vocoders_f import univnet_case
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED + AGENTS)
    yield from huggingface_cases(PAIRS)
    yield from original_cases(ORIGINALS)
    yield "c_univnet_table", univnet_case

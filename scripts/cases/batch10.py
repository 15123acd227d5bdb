"""Batch 10: kinds and mixture of the bench, other families."""

from __future__ import annotations

from cases.converters_j import PAIRS, converter_j_cases
from cases.huggingface import huggingface_cases
from cases.keras3_j import keras3_cases
from cases.objects_j import object_j_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from huggingface_cases(PAIRS)
    yield from converter_j_cases()
    yield from object_j_cases()
    yield from keras3_cases()

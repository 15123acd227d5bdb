"""Batch 10: kinds and mixture of the bench, other families.

Needs, beside what docs/fresh_cases.md names: keras-cv-attention-models, bert4keras,
tf-models-official and immutabledict (all without their dependencies); and in $NEWER_TRANSFORMERS a
folder with transformers 4.57 and its tokenizers.
"""

from __future__ import annotations

from cases.converters_j import converter_j_cases
from cases.keras3_j import keras3_cases
from cases.keras_graphs import keras_cases
from cases.libraries_i import twins_cases
from cases.names_j1 import APPS, TWINS
from cases.names_j2 import WIRED
from cases.names_j3 import PORTED, other_j_cases
from cases.names_j3 import WIRED as WIRED3
from cases.objects_j import object_j_cases
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from converter_j_cases()
    yield from object_j_cases()
    yield from keras3_cases()
    yield from twins_cases(TWINS)
    yield from keras_cases(APPS)
    yield from wired_cases(WIRED + WIRED3)
    yield from ported_cases(PORTED)
    yield from other_j_cases()

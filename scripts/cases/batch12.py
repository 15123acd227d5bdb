"""Batch 12: kinds and mixture of the bench, other families.

Needs, beside what docs/fresh_cases.md names: keras-cv-attention-models, tf-models-official,
immutabledict and kagglesdk (all without their dependencies); and in $NEWER_TRANSFORMERS a folder
with transformers 4.57 and its tokenizers.
"""

from __future__ import annotations

from cases.converters_l import converter_l_cases
from cases.keras_graphs import keras_cases
from cases.libraries_i import twins_cases
from cases.names_l1 import APPS, TWINS, coat
from cases.names_l2 import PORTED as TEXT
from cases.names_l3 import PORTED, WIRED
from cases.objects_l import object_l_cases
from cases.scale_l import scale_l_cases
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from converter_l_cases()
    yield from object_l_cases()
    yield "l_coat_lite", coat
    yield from twins_cases(TWINS)
    yield from keras_cases(APPS)
    yield from wired_cases(WIRED)
    yield from ported_cases(TEXT + PORTED)
    yield from scale_l_cases()

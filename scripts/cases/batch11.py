"""Batch 11: kinds and mixture of the bench, other families.

Needs, beside what docs/fresh_cases.md names: keras-cv-attention-models, tf-models-official,
immutabledict, kagglesdk, facenet-sandberg, facenet-pytorch, torchcrepe and clip-anytorch (all
without their dependencies); and in $NEWER_TRANSFORMERS a folder with transformers 4.57 and its
tokenizers.
"""

from __future__ import annotations

from cases.converters_k import converter_k_cases
from cases.keras_graphs import keras_cases
from cases.libraries import published_cases
from cases.libraries_i import twins_cases
from cases.names_k1 import APPS, PUBLISHED, TWINS
from cases.objects_k import object_k_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from converter_k_cases()
    yield from object_k_cases()
    yield from published_cases(PUBLISHED)
    yield from twins_cases(TWINS)
    yield from keras_cases(APPS)

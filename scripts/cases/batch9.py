"""Batch 9: transformers from M to Z, vision from N to Z, as published libraries name them.

Needs, beside what docs/fresh_cases.md names: keras-cv-attention-models, diffusers, yolox,
bert4keras, retina-face, keras-unet-collection (all without their dependencies);
and in $NEWER_TRANSFORMERS a folder with transformers 4.57 and its tokenizers.
"""

from __future__ import annotations

from cases.apps_i import APPS, object_cases
from cases.converters_i import converter_cases
from cases.converters_i2 import torch_cases
from cases.huggingface import huggingface_cases
from cases.keras_graphs import keras_cases
from cases.libraries_i import twins_cases
from cases.names_i1 import TWINS
from cases.names_i2 import PORTED, WIRED
from cases.names_i3 import WIRED3
from cases.pairs_i import PAIRS, other_cases
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from converter_cases()
    yield from torch_cases()
    yield from huggingface_cases(PAIRS)
    yield from other_cases()
    yield from twins_cases(TWINS)
    yield from keras_cases(APPS)
    yield from object_cases()
    yield from wired_cases(WIRED + WIRED3)
    yield from ported_cases(PORTED)

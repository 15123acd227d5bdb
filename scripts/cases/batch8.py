"""Batch 8: kinds and mixture of the bench, other families: text A to L, vision A to M.

Needs, beside what docs/fresh_cases.md names: bert4keras, keras-cv-attention-models, tf-slim;
for c_longt5_t5x and c_beit_flax jax and flax, loaded before TensorFlow: a run of their own
(--only "longt5|beit").
"""

from __future__ import annotations

from cases.hub_twins import twin_cases
from cases.keras_graphs import keras_cases
from cases.names_h import APPS, PORTED, PUBLISHED, WIRED, second_only
from cases.originals_h import original_h_cases
from cases.published import twice_cases
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from wired_cases(WIRED)
    yield from ported_cases(PORTED)
    yield from original_h_cases()
    yield from twin_cases()
    yield "k_2nd_inceptionresnetv2", second_only
    yield from keras_cases(APPS)
    yield from twice_cases(PUBLISHED)

"""Batch 11: kinds and mixture of the bench, other families.

Needs, beside what docs/fresh_cases.md names: keras-cv-attention-models, tf-models-official,
immutabledict, kagglesdk, facenet-sandberg, facenet-pytorch, torchcrepe, clip-anytorch, deepctr,
deepctr-torch, enformer-pytorch and einops (all without their dependencies); and in
$NEWER_TRANSFORMERS a folder with transformers 4.57 and its tokenizers.
"""

from __future__ import annotations

from cases.converters_k import converter_k_cases
from cases.enformer_k import PORTED as GENOMES
from cases.hub_twins import twin_cases
from cases.keras_graphs import keras_cases
from cases.libraries import published_cases
from cases.libraries_i import twins_cases
from cases.names_k1 import APPS, PUBLISHED, TWINS
from cases.names_k2 import PORTED, WIRED
from cases.names_k3 import PORTED as TEXT
from cases.names_k3 import WIRED as WIRED3
from cases.names_k4 import PHI3, other_k_cases
from cases.objects_k import object_k_cases
from cases.recommend_k import PORTED as RECOMMENDED
from cases.sides import ported_cases
from cases.wired import wired_cases


def cases():
    """Yield (id, maker) of every case of the batch."""
    yield from converter_k_cases()
    yield from object_k_cases()
    yield from twin_cases((PHI3,))
    yield from published_cases(PUBLISHED)
    yield from twins_cases(TWINS)
    yield from keras_cases(APPS)
    yield from wired_cases(WIRED + WIRED3)
    yield from ported_cases(PORTED + TEXT + RECOMMENDED + GENOMES)
    yield from other_k_cases()

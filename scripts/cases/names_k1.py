"""Vision and sound of the eleventh batch, as published libraries hold them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest import mock

from cases.keras_graphs import App
from cases.libraries import Library, Published, keras_library, slim_library, torch_library
from cases.libraries_i import Twins
from cases.names_g1 import _slim
from cases.names_i1 import kecam, timm
from cases.packages_k import alone

LARGE, FACE, SOUND = (1, 224, 224, 3), (1, 160, 160, 3), (1, 1024, 1, 1)


def facenet(image: Any, train: bool) -> Any:
    """Inception-ResNet v1 of facenet, which is written for TensorFlow 1 and its contrib."""
    import tensorflow as tf
    from tensorflow.python.framework import ops, tensor

    slim = _slim()
    ops.Tensor = tensor.Tensor  # where older releases had it, as slim's norms ask
    contrib = ModuleType("tensorflow.contrib")
    contrib.slim = slim  # type: ignore[attr-defined]
    module: Any = alone(
        "facenet_sandberg.models.inception_resnet_v1",
        tensorflow__contrib=contrib,
        tensorflow__contrib__slim=slim,
    )
    module.tf = tf.compat.v1
    out, _ = module.inference(image, 1.0, phase_train=train, bottleneck_layer_size=512)
    return out


def facenet_torch() -> Any:
    """The same of facenet-pytorch, without its last normalization to length one."""
    from facenet_pytorch.models import inception_resnet_v1 as module

    class Embedding(module.InceptionResnetV1):
        def forward(self, x: Any) -> Any:
            with mock.patch.object(module.F, "normalize", lambda y, **_: y):
                return super().forward(x)

    return Embedding()


def crepe() -> Any:
    """The pitch tracker CREPE (tiny) as its authors' Keras code makes it."""
    from tf_keras import Model, layers

    x = inputs = layers.Input((1024, 1, 1), name="input")
    for i, width in enumerate((32, 4, 4, 4, 8, 16), 1):
        size, stride = (64, 1) if i > 1 else (512, 4)
        x = layers.Conv2D(
            width * 4, (size, 1), (stride, 1), "same", activation="relu", name=f"conv{i}"
        )(x)
        x = layers.BatchNormalization(name=f"conv{i}-BN")(x)
        x = layers.MaxPool2D((2, 1), name=f"conv{i}-maxpool")(x)
    x = layers.Flatten(name="flatten")(layers.Permute((2, 1, 3), name="transpose")(x))
    return Model(inputs, layers.Dense(360, "sigmoid", name="classifier")(x))


def torchcrepe() -> Any:
    """The same of torchcrepe."""
    for part in ("librosa", "resampy", "scipy", "scipy.io", "scipy.signal", "tqdm", "torchaudio"):
        sys.modules.setdefault(part, mock.MagicMock())
    import torchcrepe as library

    return library.Crepe("tiny")


def flat(_: Any, x: Any) -> Any:
    """Take the axes of width one away."""
    return x[:, 0, :, 0]


def volo() -> Any:
    """Return keras_cv_attention_models' VOLO, small."""
    from keras_cv_attention_models import volo as library

    return library.VOLO(
        num_blocks=[2, 2, 2],
        embed_dims=[24, 48, 48],
        num_heads=[2, 4, 4],
        mlp_ratios=[2, 2, 2],
        stem_hidden_dim=16,
        input_shape=(64, 64, 3),
        num_classes=7,
        pretrained=None,
    )


def halonet(counts: tuple[int, ...], classes: int) -> Callable[[], Any]:
    """Return a maker of keras_cv_attention_models' HaloNet, small."""

    def make() -> Any:
        from keras_cv_attention_models import halonet as library

        return library.HaloNet(
            num_blocks=list(counts),
            stem_width=8,
            input_shape=(64, 64, 3),
            num_classes=classes,
            pretrained=None,
            classifier_activation=None,
        )

    return make


def side(make: Callable[[], Any], shape: tuple[int, ...], **options: Any) -> Library:
    """Return keras_library's side."""
    return keras_library(make, shape, options.get("train", True), options.get("scope", ""))


WRAPPED = "the export's scope is around the model, Adam's slots are beside it"
PUBLISHED = (
    Published(
        "l_facenet_slim_to_pt",
        "facenet",
        "tf1_to_pt",
        "names",
        lambda: slim_library(facenet, FACE, True),
        lambda: torch_library(facenet_torch, FACE),
        FACE,
        "facenet's Inception-ResNet v1 on slim and facenet-pytorch's",
        notes="slim's norms have no scale: the scales asked for have no counterpart",
    ),
    Published(
        "l_crepe_to_pt",
        "crepe",
        "keras_to_pt",
        "names",
        lambda: side(crepe, SOUND),
        lambda: torch_library(torchcrepe, SOUND, flat),
        SOUND,
        "CREPE (tiny) in Keras and torchcrepe's",
    ),
)
TWINS = (
    Twins(
        "l_repvit",
        "repvit",
        "keras_to_pt",
        "names",
        kecam("repvit.RepViT", LARGE, num_blocks=[3, 2, 4, 2], train=True),
        timm("repvit_m0_9", LARGE, distillation=False, depth=(2, 1, 3, 2)),
        LARGE,
        "keras_cv_attention_models' RepViT and timm's repvit_m0_9, both with fewer blocks",
    ),
)
APPS = (
    App("k_wrap_volo", "volo", volo, "wrap:export/image_encoder", "names", "Adam", notes=WRAPPED),
    App(
        "k_2nd_halonet",
        "halonet",
        halonet((1, 2, 2, 1), 7),
        "second",
        "graph",
        first=halonet((1, 1, 1, 1), 3),
        notes="the first net of the session has fewer blocks and another head; names that both "
        "have are the first one's",
    ),
)

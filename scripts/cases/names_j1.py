"""Vision of the tenth batch: timm beside keras_cv_attention_models, and tf-models' RevNet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest import mock

from cases.keras_graphs import App
from cases.libraries_i import Twins
from cases.names_i1 import kecam, timm

LARGE = (1, 224, 224, 3)
TWINS = (
    Twins(
        "l_hiera",
        "hiera",
        "pt_to_keras",
        "names",
        timm("hiera_tiny_224", LARGE),
        kecam("hiera.HieraTiny", LARGE),
        LARGE,
        "timm's hiera_tiny_224 and keras_cv_attention_models' HieraTiny",
        notes="flat blocks.0..11 beside stacks of blocks",
    ),
    Twins(
        "l_efficientvit_b0",
        "efficientvit-mit",
        "keras_to_pt",
        "names",
        kecam("efficientvit.EfficientViT_B0", LARGE, train=True),
        timm("efficientvit_b0", LARGE),
        LARGE,
        "keras_cv_attention_models' EfficientViT_B0 and timm's efficientvit_b0",
    ),
)


def official(module: str) -> Any:
    """Import a module of tf-models-official's vision alone, not all that its packages import."""
    import official as root

    for name in ("vision", "vision.modeling", "vision.modeling.backbones", "core"):
        package = ModuleType(f"official.{name}")
        package.__path__ = [f"{at}/{name.replace('.', '/')}" for at in root.__path__]
        sys.modules.setdefault(f"official.{name}", package)
    return import_module(f"official.vision.modeling.{module}")


def revnet(blocks: tuple[tuple[Any, ...], ...], classes: int) -> Callable[[], Any]:
    """Return a maker of tf-models' reversible residual net; its layers have default names."""

    def make() -> Any:
        import tf_keras

        backbones = official("backbones.revnet")
        specs = tf_keras.layers.InputSpec(shape=[2, 32, 32, 3])
        with mock.patch.dict(backbones.REVNET_SPECS, {38: list(blocks)}):
            trunk = backbones.RevNet(model_id=38, input_specs=specs)
        inputs = tf_keras.Input((32, 32, 3), batch_size=2)
        ends = trunk(inputs)
        x = tf_keras.layers.GlobalAveragePooling2D()(ends[max(ends)])
        return tf_keras.Model(inputs, tf_keras.layers.Dense(classes)(x))

    return make


def hornet() -> Any:
    """Return keras_cv_attention_models' HorNetTiny, small."""
    from keras_cv_attention_models import hornet as library

    return library.HorNet(
        num_blocks=[2, 2, 4, 2],
        embed_dim=16,
        input_shape=(64, 64, 3),
        num_classes=7,
        pretrained=None,
        classifier_activation=None,
    )


APPS = (
    App(
        "k_2nd_revnet",
        "revnet",
        revnet(
            (
                ("residual", 16, 2),
                ("residual", 16, 3),
                ("residual", 32, 2),
                ("residual", 32, 2),
            ),
            7,
        ),
        "second",
        "graph",
        first=revnet((("residual", 16, 2), ("residual", 16, 1)), 3),
    ),
    App("k_wrap_hornet", "hornet", hornet, "wrap:v0/image_tower", "names", "Adam"),
)

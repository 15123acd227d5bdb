"""Architectures that two published libraries hold: torchvision or timm beside slim or tf2cv."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from cases.libraries import Library, Published, keras_library, slim_library, torch_library

SMALL = (1, 224, 224, 3)


def vision(name: str, shape: tuple[int, ...] = SMALL, prepare: Any = None, **options: Any) -> Any:
    """Return a maker of the side of torchvision.models.NAME."""

    def make() -> Any:
        import torchvision

        return getattr(torchvision.models, name)(weights=None, num_classes=7, **options)

    return lambda: torch_library(make, shape, prepare)


def timm(name: str, shape: tuple[int, ...] = SMALL) -> Callable[[], Library]:
    """Return a maker of the side of timm's NAME."""

    def make() -> Any:
        import timm as library

        return library.create_model(name, pretrained=False, num_classes=7)

    return lambda: torch_library(make, shape)


def tf2cv(name: str, shape: tuple[int, ...] = SMALL, train: bool = False, scope: str = "") -> Any:
    """Return a maker of the side of tf2cv's NAME."""

    def make() -> Any:
        from tf2cv.model_provider import get_model

        return get_model(name, pretrained=False, classes=7, in_size=shape[1:3])

    return lambda: keras_library(make, shape, train, scope)


def slim_googlenet(image: Any, train: bool) -> Any:
    """Inception v1 of tf_slim."""
    slim = _slim()
    from tf_slim.nets import inception_v1

    with slim.arg_scope(inception_v1.inception_v1_arg_scope()):
        out, _ = inception_v1.inception_v1(image, 7, is_training=train)
    return out


def padded_stem(module: Any, x: Any) -> Any:
    """Pad as TensorFlow's SAME does for an even input; the module's own padding is taken off."""
    import torch

    module.conv1.conv.padding = (0, 0)
    return torch.nn.functional.pad(x, (2, 3, 2, 3))


def _slim() -> Any:
    """Return tf_slim; it looks for TF1's layers where older releases of Keras had them."""
    from tf_keras.src import legacy_tf_layers

    for part in ("", ".base", ".convolutional", ".core", ".normalization", ".pooling"):
        module = importlib.import_module(f"{legacy_tf_layers.__name__}{part}")
        sys.modules.setdefault(f"tf_keras.legacy_tf_layers{part}", module)
    import tf_slim

    return tf_slim


PUBLISHED = (
    Published(
        "l_googlenet_slim_to_torchvision",
        "googlenet",
        "tf1_to_pt",
        "names",
        lambda: slim_library(slim_googlenet, SMALL, True),
        vision(
            "googlenet",
            SMALL,
            padded_stem,
            aux_logits=False,
            transform_input=False,
            init_weights=False,
        ),
        SMALL,
        "tf_slim's inception_v1 and torchvision's googlenet",
        notes="slim's norms have no scale: the scales asked for have no counterpart",
    ),
    Published(
        "l_squeezenet",
        "squeezenet",
        "keras_to_pt",
        "names",
        tf2cv("squeezenet_v1_1", train=True, scope="classifier_net"),
        vision("squeezenet1_1"),
        SMALL,
        "tf2cv's squeezenet_v1_1 and torchvision's squeezenet1_1",
    ),
    Published(
        "l_shufflenetv2",
        "shufflenetv2",
        "pt_to_keras",
        "names",
        vision("shufflenet_v2_x0_5"),
        tf2cv("shufflenetv2_wd2"),
        SMALL,
        "torchvision's shufflenet_v2_x0_5 and tf2cv's shufflenetv2_wd2",
    ),
    Published(
        "l_dla34",
        "dla",
        "keras_to_pt",
        "names",
        tf2cv("dla34", train=True),
        timm("dla34"),
        SMALL,
        "tf2cv's dla34 and timm's dla34",
    ),
    Published(
        "l_selecsls42",
        "selecsls",
        "pt_to_keras",
        "names",
        timm("selecsls42"),
        tf2cv("selecsls42"),
        SMALL,
        "timm's selecsls42 and tf2cv's selecsls42",
    ),
)

"""Architectures that two published libraries hold: timm beside keras_cv_attention_models."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from cases.libraries import Library
from cases.libraries_i import Twins, Words, keras_side, torch_side


def timm(name: str, shape: tuple[int, ...], words: Words = (), **options: Any) -> Any:
    """Return a maker of the side of timm's NAME."""

    def make() -> Any:
        import timm as library

        return library.create_model(name, pretrained=False, num_classes=7, **options)

    return lambda: torch_side(make, shape, words)


def kecam(
    name: str,
    shape: tuple[int, ...],
    words: Words = (),
    train: bool = False,
    scope: str = "",
    **options: Any,
) -> Callable[[], Library]:
    """Return a maker of the side of keras_cv_attention_models' MODULE.NAME."""

    def make() -> Any:
        module, _, maker = name.rpartition(".")
        library = import_module(f"keras_cv_attention_models.{module}")
        given = {"pretrained": None, "num_classes": 7, "classifier_activation": None, **options}
        given = {key: value for key, value in given.items() if value != "drop"}
        return getattr(library, maker)(input_shape=shape[1:], **given)

    return lambda: keras_side(make, shape, words, train, scope)


def yolox(shape: tuple[int, ...]) -> Callable[[], Library]:
    """Return a maker of the side of Megvii's own YOLOX-tiny, as its experiment makes it."""

    def make() -> Any:
        import sys
        from types import ModuleType
        from unittest import mock

        import torch

        sys.modules.setdefault("loguru", mock.MagicMock())
        tools = ModuleType("yolox.utils")
        tools.bboxes_iou = None  # type: ignore[attr-defined]
        tools.configure_module = lambda: None  # type: ignore[attr-defined]
        tools.meshgrid = torch.meshgrid  # type: ignore[attr-defined]
        sys.modules.setdefault("yolox.utils", tools)
        from yolox import models

        wide = [256, 512, 1024]
        parts = (
            models.YOLOPAFPN(0.33, 0.375, in_channels=wide),
            models.YOLOXHead(7, 0.375, in_channels=wide),
        )
        model = models.YOLOX(*parts)
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eps = 1e-3
        model.head.decode_in_inference = False
        return model

    def call(module: Any, x: Any) -> Any:
        import torch

        out = module(x)  # boxes, whether there is an object, classes
        return torch.cat([out[..., :4], out[..., 5:], out[..., 4:5]], -1)

    def noted() -> Library:
        library = torch_side(make, shape, (), call)
        stems = {name.removesuffix(".conv3.conv.weight") for name, _, _ in library.rows}
        found: list[Any] = []
        late: list[Any] = []
        for unit in library.units:  # the other side runs the short way before the long one
            head = next(iter(unit.names.values())).rsplit(".", 3)
            if head[1] == "conv1" and head[0] in stems:
                late.append(unit)
                continue
            found.append(unit)
            if head[1] == "conv2" and head[0] in stems and unit.kind == "norm":
                found += late
                late = []
        library.units[:] = found + late
        return library

    return noted


def autoencoder(shape: tuple[int, ...]) -> Callable[[], Library]:
    """Return a maker of the side of diffusers' AutoencoderKL, of which the decoder is run."""

    def make() -> Any:
        import diffusers

        return diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(32, 64, 128, 128),
            layers_per_block=2,
            latent_channels=4,
        )

    return lambda: torch_side(make, shape, (), lambda m, x: m.decode(x).sample)


LARGE, SMALL, TINY = (1, 224, 224, 3), (1, 64, 64, 3), (1, 106, 106, 3)
CODES = (1, 8, 8, 4)
AFFINE = ((r"alpha$", "scale"), (r"beta$", "shift"), (r"ls1$", "first"), (r"ls2$", "second"))
CHANNEL = (
    (r"norm.*weight$", "scale"),
    (r"norm.*bias$", "shift"),
    (r"gamma_1", "first"),
    (r"gamma_2", "second"),
)
TWINS = (
    Twins(
        "l_pvt_v2",
        "pvt-v2",
        "pt_to_keras",
        "names",
        timm("pvt_v2_b0", SMALL),
        kecam("pvt.PVT_V2B0", SMALL),
        SMALL,
        "timm's pvt_v2_b0 and keras_cv_attention_models' PVT_V2B0",
    ),
    Twins(
        "l_tinynet",
        "tinynet",
        "keras_to_pt",
        "names",
        kecam("mobilenetv3_family.TinyNetE", TINY, train=True, scope="tower"),
        timm("tinynet_e", TINY),
        TINY,
        "keras_cv_attention_models' TinyNetE and timm's tinynet_e",
    ),
    Twins(
        "l_resmlp",
        "resmlp",
        "pt_to_keras",
        "names",
        timm("resmlp_12_224", LARGE, AFFINE),
        kecam("mlp_family.ResMLP12", LARGE, CHANNEL),
        LARGE,
        "timm's resmlp_12_224 and keras_cv_attention_models' ResMLP12",
    ),
    Twins(
        "l_tinyvit",
        "tinyvit",
        "pt_to_keras",
        "names",
        timm("tiny_vit_5m_224", LARGE),
        kecam("tinyvit.TinyViT_5M", LARGE),
        LARGE,
        "timm's tiny_vit_5m_224 and keras_cv_attention_models' TinyViT_5M",
    ),
    Twins(
        "l_yolox",
        "yolox",
        "pt_to_keras",
        "names",
        yolox(SMALL),
        kecam("yolox.YOLOXTiny", SMALL, classifier_activation="drop"),
        SMALL,
        "Megvii's yolox 0.3.0 (tiny) and keras_cv_attention_models' YOLOXTiny",
    ),
    Twins(
        "l_sd_decoder",
        "stable-diffusion-vae",
        "pt_to_keras",
        "names",
        autoencoder(CODES),
        kecam(
            "stable_diffusion.Decoder",
            CODES,
            hidden_channels=32,
            num_classes="drop",
            classifier_activation="drop",
        ),
        CODES,
        "diffusers' AutoencoderKL and keras_cv_attention_models' Decoder",
        notes="the encoder, of like names and shapes, stands beside the decoder that is asked for",
    ),
)

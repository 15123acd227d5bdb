"""Vision of the twelfth batch, as published libraries hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cases.case import Case
from cases.keras_graphs import App
from cases.libraries_i import Twins, twins_case
from cases.names_i1 import kecam, timm

LARGE = (1, 224, 224, 3)


def coatnet() -> Any:
    """Return keras_cv_attention_models' CoAtNet, small: two conv stages, two that attend."""
    from keras_cv_attention_models import coatnet as library

    return library.CoAtNet(
        num_blocks=[2, 2, 3, 2],
        out_channels=[16, 24, 32, 48],
        stem_width=16,
        head_dimension=8,
        input_shape=(64, 64, 3),
        num_classes=7,
        pretrained=None,
        classifier_activation=None,
    )


def vanillanet(widths: tuple[int, ...], classes: int) -> Callable[[], Any]:
    """Return a maker of keras_cv_attention_models' VanillaNet, small."""

    def make() -> Any:
        from keras_cv_attention_models import vanillanet as library

        return library.VanillaNet(
            out_channels=list(widths),
            strides=[1, 2, 2, 1, 2, 1][: len(widths)],
            stem_width=16,
            input_shape=(64, 64, 3),
            num_classes=classes,
            pretrained=None,
            classifier_activation=None,
        )

    return make


COAT = Twins(
    "l_coat_lite",
    "coat",
    "pt_to_keras",
    "names",
    timm("coat_lite_tiny", LARGE),
    kecam("coat.CoaTLiteTiny", LARGE),
    LARGE,
    "timm's coat_lite_tiny and keras_cv_attention_models' CoaTLiteTiny",
    notes="the blocks of a stage share their convolutions of positions",
)


def coat() -> Case:
    """CoaT-Lite; what several blocks share stands once in the file, as safetensors keeps it."""
    case = twins_case(COAT)
    asked = set(case.truth.values())
    return replace(case, actual=[row for row in case.actual if row[0] in asked])


TWINS = (
    Twins(
        "l_levit",
        "levit",
        "keras_to_pt",
        "names",
        kecam("levit.LeViT128S", LARGE, train=True),
        timm("levit_128s", LARGE, distilled=False),
        LARGE,
        "keras_cv_attention_models' LeViT128S and timm's levit_128s, both without distillation",
    ),
)
APPS = (
    App(
        "k_wrap_coatnet",
        "coatnet",
        coatnet,
        "wrap:serving/image_encoder",
        "names",
        "Momentum",
        notes="the export's scope is around the model, momenta are beside it",
    ),
    App(
        "k_2nd_vanillanet",
        "vanillanet",
        vanillanet((16, 16, 24, 24, 24, 32), 7),
        "second",
        "graph",
        first=vanillanet((16, 16, 24, 32), 3),
        notes="the first net of the session has fewer layers and another head",
    ),
)

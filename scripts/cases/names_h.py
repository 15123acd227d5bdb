"""The namings and pairs of the eighth batch."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from cases import wirings_h as h
from cases.case import Case
from cases.keras_graphs import App, app, keras_case
from cases.names_g1 import _slim
from cases.nets import by_default, by_rules
from cases.nets_keras import OtherOps
from cases.published import Twice, Unit, keras_side, torch_side
from cases.published_slim import slim_side
from cases.sides import Ported, tf_side
from cases.wired import Wired


def kecam(module: str, name: str, size: int, **options: Any) -> Any:
    """Return a maker of keras_cv_attention_models' NAME."""

    def make() -> Any:
        from importlib import import_module

        found = import_module(f"keras_cv_attention_models.{module}")
        return getattr(found, name)(
            input_shape=(size, size, 3),
            num_classes=7,
            pretrained=None,
            classifier_activation=None,
            **options,
        )

    return make


def keras(make: Any, size: int, train: bool = False, scope: str = "") -> Any:
    """Return a maker of the side of a Keras model."""
    return lambda: keras_side(make, (1, size, size, 3), train, scope)


def timm(name: str, size: int, **options: Any) -> Any:
    """Return a maker of the side of timm's NAME."""

    def make() -> Any:
        import timm as library

        return library.create_model(name, pretrained=False, num_classes=7, **options)

    return lambda: torch_side(make, (1, size, size, 3))


def slim_alexnet(image: Any, train: bool) -> Any:
    """AlexNet v2 of tf_slim."""
    slim = _slim()
    from tf_slim.nets import alexnet

    with slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
        out, _ = alexnet.alexnet_v2(image, 7, is_training=train)
    return out


def keras_alexnet() -> Any:
    """The same in Keras, as people write it down: no layer has a name."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Conv2D(64, 11, 4, activation="relu", input_shape=(224, 224, 3)),
            layers.MaxPooling2D(3, 2),
            layers.Conv2D(192, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(3, 2),
            *(layers.Conv2D(n, 3, padding="same", activation="relu") for n in (384, 384, 256)),
            layers.MaxPooling2D(3, 2),
            layers.Flatten(),
            *(
                layer
                for _ in range(2)
                for layer in (layers.Dense(4096, "relu"), layers.Dropout(0.5))
            ),
            layers.Dense(7),
        ]
    )


def second_only() -> Case:
    """Keep of a session of two models the second, as a Saver of its variables writes it.

    Without graphs: that of the session holds both, and nothing tells which is meant.
    """
    case = keras_case(SECOND)
    kept = set(case.truth.values())
    rows = [row for row in case.actual if row[0] in kept]
    return replace(case, actual=rows, actual_graph=None, expected_graph=None)


def shortcut_first(units: list[Unit]) -> list[Unit]:
    """Put the shortcut of each of timm's blocks before the block's own path, as kecam runs it."""
    order: dict[str, int] = {}
    keys = []
    for unit in units:
        name = next(iter(unit.leaves.values())).name
        block = ".".join(name.split(".")[:3]) if name.startswith("blocks.") else name
        keys.append((order.setdefault(block, len(order)), ".shortcut." not in name))
    ranked = sorted(range(len(units)), key=lambda at: (*keys[at], at))
    return [units[at] for at in ranked]


def _pair(
    case: str, family: str, kind: str, actual: Any, expected: Any, size: int, what: str, **more: Any
) -> Twice:
    return Twice(case, family, kind, "names", actual, expected, (1, size, size, 3), what, **more)


PUBLISHED = (
    _pair(
        "l_alexnet_slim_to_keras",
        "alexnet",
        "cross-impl",
        lambda: slim_side(slim_alexnet, (1, 224, 224, 3), ("fc6",)),
        keras(keras_alexnet, 224),
        224,
        "tf_slim's alexnet_v2 and its layers written in Keras without names",
        notes="dense layers are convolutions on one side; the first sees the whole picture",
    ),
    _pair(
        "l_lcnet_kecam_to_timm",
        "lcnet",
        "keras_to_pt",
        keras(kecam("mobilenetv3_family", "LCNet050", 64), 64, True),
        timm("lcnet_050", 64),
        64,
        "keras_cv_attention_models' LCNet050 and timm's lcnet_050",
        notes="stacks and blocks from 1 with MB_dw and MB_pw, against stages from 0",
    ),
    _pair(
        "l_fasternet_kecam_to_timm",
        "fasternet",
        "keras_to_pt",
        keras(kecam("fasternet", "FasterNetT0", 64), 64, True, "student"),
        timm("fasternet_t0", 64),
        64,
        "keras_cv_attention_models' FasterNetT0 and timm's fasternet_t0",
    ),
    _pair(
        "l_inception_next_timm_to_kecam",
        "inception-next",
        "pt_to_keras",
        timm("inception_next_tiny", 64),
        keras(kecam("inceptionnext", "InceptionNeXtTiny", 64), 64),
        64,
        "timm's inception_next_tiny and keras_cv_attention_models' InceptionNeXtTiny",
    ),
    _pair(
        "l_convformer_kecam_to_timm",
        "convformer",
        "keras_to_pt",
        keras(kecam("caformer", "ConvFormerS18", 64), 64),
        timm("convformer_s18", 64),
        64,
        "keras_cv_attention_models' ConvFormerS18 and timm's convformer_s18",
    ),
    _pair(
        "l_gmlp_timm_to_kecam",
        "gmlp",
        "pt_to_keras",
        timm("gmlp_ti16_224", 224),
        keras(kecam("mlp_family", "GMLPTiny16", 224), 224),
        224,
        "timm's gmlp_ti16_224 and keras_cv_attention_models' GMLPTiny16",
        notes="blocks from 0 on one side, from 1 on the other",
    ),
    _pair(
        "l_ghostnet_kecam_to_timm",
        "ghostnet",
        "keras_to_pt",
        keras(kecam("ghostnet", "GhostNet_050", 64), 64),
        timm("ghostnet_050", 64),
        64,
        "keras_cv_attention_models' GhostNet_050 and timm's ghostnet_050",
        reorder=shortcut_first,
        notes="the shortcut runs first on one side and last on the other",
    ),
    _pair(
        "l_fbnetv3_timm_to_kecam",
        "fbnetv3",
        "pt_to_keras",
        timm("fbnetv3_b", 64),
        keras(kecam("mobilenetv3_family", "FBNetV3B", 64), 64),
        64,
        "timm's fbnetv3_b and keras_cv_attention_models' FBNetV3B",
        notes="ten stacks against six stages of blocks",
    ),
)
SECOND = App(
    "k_2nd_inceptionresnetv2",
    "tfk-inceptionresnetv2",
    app("InceptionResNetV2", 80),
    "second",
    "names",
    notes="the file holds the second model of the session: counters go on where the first's ended",
)
APPS = (
    App(
        "k_obj_edgenext",
        "kecam-edgenext",
        kecam("edgenext", "EdgeNeXt_XX_Small", 64),
        "object",
        "graph",
    ),
    App(
        "k_wrap_gcvit",
        "kecam-gcvit",
        kecam("gcvit", "GCViT_XXTiny", 64),
        "wrap:towers/image",
        "names",
        "Momentum",
    ),
)
WIRED = (
    Wired(
        "w_moco_crossed",
        "momentum-contrast",
        "twin-structure",
        "graph",
        h.momentum_contrast,
        lambda: by_rules(
            (r"key/(\d)/norm/(.*)", r"encoder/bn\1/\2"),
            (r"query/(\d)/norm/(.*)", r"encoder_1/bn\1/\2"),
            (r"key/(.*)", r"encoder/\1"),
            (r"query/(.*)", r"encoder_1/\1"),
            (r"queue", "moco/queue"),
        ),
        lambda: by_rules(
            (r"query/(\d)/norm/(.*)", r"encoder/bn\1/\2"),
            (r"key/(\d)/norm/(.*)", r"encoder_1/bn\1/\2"),
            (r"query/(.*)", r"encoder/\1"),
            (r"key/(.*)", r"encoder_1/\1"),
            (r"queue", "queue"),
        ),
        shuffle_actual=4,
        notes="names and shapes are exact and wrong: the encoder that meets the queue tells",
    ),
    Wired(
        "w_lapgan_levels",
        "lapgan",
        "reversed-index",
        "graph",
        h.laplacian_pyramid,
        lambda: by_rules(
            (
                r"level/(\d)/(\d)/n/(.*)",
                lambda m: f"G{3 - int(m[1])}/g_bn{m[2]}/{m[3]}",
            ),
            (r"level/(\d)/(\d)/(.*)", lambda m: f"G{3 - int(m[1])}/g_h{m[2]}_conv/{m[3]}"),
            (r"first/0/(.*)", r"G4/g_h0_lin/\1"),
            (r"first/1/(.*)", r"G4/g_h1_conv/\1"),
        ),
        lambda: by_rules(
            (r"level/(\d)/(\d)/n/(.*)", r"pyramid/generator_\1/bn_\2/\3"),
            (r"level/(\d)/(\d)/(.*)", r"pyramid/generator_\1/conv_\2/\3"),
            (r"first/0/(.*)", r"pyramid/base/dense/\1"),
            (r"first/1/(.*)", r"pyramid/base/conv/\1"),
        ),
        shuffle_expected=5,
        notes="the paper counts from the finest level, the port from the coarsest",
        expected_net=OtherOps,
    ),
    Wired(
        "w_film_default",
        "film",
        "default-names-order",
        "graph",
        h.feature_wise,
        lambda: by_default("train/"),
        lambda: by_rules(
            (r"words/table", "question_encoder/word_embeddings"),
            (r"reader/(\w+)/(.*)", r"question_encoder/gru/\1/\2"),
            (r"film/(\d)/(.*)", r"film_generator/head_\1/\2"),
            (r"stem/(\d)/norm/(.*)", r"image_stem/bn_\1/\2"),
            (r"stem/(\d)/(.*)", r"image_stem/conv_\1/\2"),
            (r"block/(\d)/in/(.*)", r"res_block_\1/conv1x1/\2"),
            (r"block/(\d)/out/(.*)", r"res_block_\1/conv3x3/\2"),
            (r"classifier/(\w+)/(.*)", r"head/\1/\2"),
        ),
        optimizer="RMSProp",
        shuffle_expected=9,
        notes="made in the order of use on one side: dense and conv2d take turns in their counters",
        expected_net=OtherOps,
    ),
)
PORTED = (
    Ported(
        "w_deep_cca_unknowable",
        "deep-cca",
        "ambiguous",
        "graph",
        lambda: tf_side(
            h.views_correlate("acoustic", "articulatory"),
            by_rules(
                (r"view/a/(.*)", r"net_red/fc_\1"),
                (r"view/b/(.*)", r"net_blue/fc_\1"),
                (r"weights", "canonical/weights"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            h.views_correlate("x0", "x1"),
            by_rules(
                (r"view/a/(\d)/(.*)", r"dcca/left/layer\1/\2"),
                (r"view/b/(\d)/(.*)", r"dcca/right/layer\1/\2"),
                (r"view/a/last/(.*)", r"dcca/left/linear/\1"),
                (r"view/b/last/(.*)", r"dcca/right/linear/\1"),
                (r"weights", "dcca/direction_weights"),
            ),
            shuffle=3,
        ),
        orbit=(r"view/(a|b)/.*", ("a", "b")),
        inputs=(("x0", "acoustic"), ("x1", "articulatory")),
        swapped=(("x0", "articulatory"), ("x1", "acoustic")),
        notes="the correlation is symmetric and the inputs are unnamed: nothing tells the views",
    ),
    Ported(
        "w_gman_critics_unknowable",
        "gman",
        "ambiguous",
        "graph",
        lambda: tf_side(
            h.several_critics,
            by_rules(
                (r"generator/0/(.*)", r"gen/g_lin/\1"),
                (r"generator/1/norm/(.*)", r"gen/g_bn1/\1"),
                (r"generator/(\d)/(.*)", r"gen/g_h\1/\2"),
                (r"critic/a/(.*)", r"disc_0/d_\1"),
                (r"critic/b/(.*)", r"disc_1/d_\1"),
                (r"critic/c/(.*)", r"disc_2/d_\1"),
                (r"lambda", "gman_lambda"),
            ),
            train=True,
            optimizer="Adam",
        ),
        lambda: tf_side(
            h.several_critics,
            by_rules(
                (r"generator/0/(.*)", r"generator/project/\1"),
                (r"generator/1/norm/(.*)", r"generator/up_1/norm/\1"),
                (r"generator/(\d)/(.*)", r"generator/up_\1/\2"),
                (r"critic/a/(\w+)/(.*)", r"committee/disc_2/\1/\2"),
                (r"critic/b/(\w+)/(.*)", r"committee/disc_0/\1/\2"),
                (r"critic/c/(\w+)/(.*)", r"committee/disc_1/\1/\2"),
                (r"lambda", "committee/sharpness"),
            ),
            shuffle=8,
        ),
        orbit=(r"critic/(a|b|c)/.*", ("a", "b", "c")),
        notes="the scores are weighed by a softmax over them: any order computes the same; the "
        "numbers agree and say nothing",
    ),
)

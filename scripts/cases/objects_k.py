"""Files of other Keras programs of the eleventh batch: object graphs, and Keras 3's files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from cases.case import Case
from cases.keras3_j import weights_file
from cases.names_j1 import official
from cases.objects_j import by_objects


def detr() -> Case:
    """tf-models' DETR: a ResNet, an encoder, a decoder with queries, heads."""

    def make() -> Any:
        import sys
        from unittest import mock

        import tensorflow as tf

        sys.modules.setdefault("pycocotools", mock.MagicMock())
        resnet = official("backbones.resnet")
        specs = tf.keras.layers.InputSpec(shape=[None, None, None, 3])
        from official.projects.detr.modeling import detr as networks

        with mock.patch.dict(resnet.RESNET_SPECS, {10: TINY}):
            trunk = resnet.ResNet(10, specs, depth_multiplier=0.25)
        model = networks.DETR(trunk, "5", 7, 32, 9, 3, 3)
        model(tf.zeros((1, 64, 64, 3)))
        return model

    what = "tf-models-official's DETR"
    return by_objects("o_detr", "detr", "object_graph", make, "model", what)


def nhnet() -> Case:
    """tf-models' first stage of NHNet: a BERT, and a decoder that shares its tables."""

    def make() -> Any:
        import numpy as np
        from official.modeling.hyperparams import params_dict
        from official.projects.nhnet import configs, models

        sizes = {**configs.UNITTEST_CONFIG, "vocab_size": 97, "max_position_embeddings": 24}
        sizes |= {"num_hidden_layers": 4, "num_decoder_layers": 3}
        model = models.create_bert2bert_model(params=params_dict.ParamsDict(sizes))
        ids = np.zeros((2, 10), np.int32)
        names = ("input_ids", "input_mask", "segment_ids", "target_ids")
        model(dict.fromkeys(names, ids))
        return model

    what = "tf-models-official's Bert2Bert of NHNet"
    return by_objects("o_nhnet", "nhnet", "object_graph", make, "model", what)


TINY = [("residual", 64, 1), ("residual", 128, 1), ("residual", 256, 1), ("residual", 512, 1)]


def mobiledet() -> Case:
    """tf-models' MobileDet for CPUs, narrow; layers are numbered as they are made."""

    def make() -> Any:
        import tf_keras

        backbones = official("backbones.mobiledet")
        return backbones.MobileDet(
            "MobileDetCPU",
            filter_size_scale=0.5,
            input_specs=tf_keras.layers.InputSpec(shape=[1, 64, 64, 3]),
        )

    what = "tf-models-official's MobileDet"
    case = by_objects("k_obj_mobiledet", "mobiledet", "object-keys", make, "backbone", what)
    return second(case, make)


def second(case: Case, make: Callable[[], Any]) -> Case:
    """Ask for the second such model of a session, whose counters go on from the first one's."""
    again = make().weights
    if [tuple(w.shape) for w in again] != [shape for _, shape, _ in case.expected]:
        raise ValueError("the weights have another order the second time")
    names = [w.name.removesuffix(":0") for w in again]
    return replace(
        case,
        needs="graph",
        expected=[(n, *row[1:]) for n, row in zip(names, case.expected, strict=True)],
        truth=dict(zip(names, case.truth.values(), strict=True)),
        provenance=f"{case.provenance}; the expected model is the second of its session, aligned "
        "by weight order",
        notes="counters of the expected names are those of a session that held such a net before",
    )


def object_k_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "o_detr", detr
    yield "o_nhnet", nhnet
    yield "k_obj_mobiledet", mobiledet
    for case_id, model in MODELS.items():
        yield case_id, lambda case_id=case_id, model=model: weights_file(case_id, model)  # type: ignore[misc]


MODELS = {
    "k_k3h5_parseq": (
        "parseq",
        "M.PARSeqBackbone(M.ViTBackbone(image_shape=(32, 64, 3), patch_size=(8, 8), num_layers=4, "
        "num_heads=4, hidden_dim=24, mlp_dim=40, use_class_token=False), vocabulary_size=37, "
        "max_label_length=8, decoder_hidden_dim=24, num_decoder_layers=2, num_decoder_heads=4, "
        "decoder_mlp_dim=40)",
    ),
}

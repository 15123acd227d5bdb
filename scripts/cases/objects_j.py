"""Files of other Keras programs: bert4keras' RoFormer-v2, tf-models' encoders and backbones."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np

from cases.batch1 import TEXT
from cases.beside import beside
from cases.case import Case, Codes
from cases.names_j1 import official
from cases.pairs_i import _is_keras
from cases.tf1_checkpoints import _write


def bert4keras_models() -> Any:
    """Import bert4keras' models on tf.keras; it puts that in the place of keras."""
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_keras(name)}
    os.environ["TF_KERAS"] = "1"
    try:
        return import_module("bert4keras.models")
    finally:
        for name in list(sys.modules):
            if _is_keras(name):
                del sys.modules[name]
        sys.modules.update(held)


def roformer_v2() -> Case:
    """Zhuiyi's checkpoint of RoFormer-v2 (no offsets, norms without weights) in bert4keras."""
    import tensorflow as tf

    models = bert4keras_models()
    settings = {
        **TEXT,
        "num_hidden_layers": 12,
        "type_vocab_size": 2,
        "hidden_act": "relu",
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }
    codes = Codes()
    with tempfile.TemporaryDirectory() as folder:
        path, config = str(Path(folder) / "model.ckpt"), Path(folder) / "config.json"
        config.write_text(json.dumps(settings))
        with tf.Graph().as_default():
            session = tf.compat.v1.Session()
            tf.compat.v1.keras.backend.set_session(session)
            made = models.build_transformer_model(
                str(config), model="roformer_v2", with_mlm=True, return_keras_model=False
            )
            shapes = {}
            for layer, names in made.variable_mapping().items():
                if layer in made.layers:
                    weights = made.layers[layer].weights
                    for name, weight in zip(names, weights, strict=True):
                        shapes[name] = tuple(weight.shape.as_list())
            _write({name: codes.array(name, shape) for name, shape in shapes.items()}, path)
            made.load_weights_from_checkpoint(path)
            weights = made.model.weights
            found = dict(zip((w.op.name for w in weights), session.run(weights), strict=True))
    trace = codes.trace(found)
    case = Case(
        "b_roformer_v2_bert4keras",
        "roformer-v2",
        "tf1_to_keras",
        "names",
        [(name, shape, "float32") for name, shape in shapes.items()],
        [(name, value.shape, "float32") for name, value in found.items()],
        trace.truth,
        "bert4keras: its table of the original checkpoint run on numbered values; truth and "
        "layouts read off them",
        "dense..dense_3 are query, key, value, output by convention only",
        trace.layout,
        {},
        trace.composite,
    )
    return beside(case, "adam")


def by_objects(
    case_id: str,
    family: str,
    kind: str,
    make: Callable[[], Any],
    holder: str,
    what: str,
    **more: Any,
) -> Case:
    """Number the weights of a model, write tf.train.Checkpoint(HOLDER=model), read it back."""
    import tensorflow as tf
    import tf_keras

    tf_keras.backend.clear_session()
    model = make()
    optimizer = tf_keras.optimizers.legacy.Adam()
    with tf.name_scope("training"):
        optimizer._create_all_weights(model.trainable_variables)
    for at, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, at + 1))
    key_of: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        held = tf.train.Checkpoint(**{holder: model, "optimizer": optimizer})
        reader = tf.train.load_checkpoint(held.save(str(Path(folder) / "ckpt")))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        graph_key = "_CHECKPOINTABLE_OBJECT_GRAPH"
        graph = bytes(reader.get_tensor(graph_key))
        keys = sorted(key for key in shapes if key != graph_key)
        for key in keys:
            value = np.unique(reader.get_tensor(key)) if dtypes[key].is_floating else ()
            known = "OPTIMIZER_SLOT" not in key and not key.startswith("optimizer/")
            if known and len(value) == 1:
                if int(value[0]) in key_of:
                    raise ValueError(f"{key} and {key_of[int(value[0])]} are one")
                key_of[int(value[0])] = key
    names = [w.name.removesuffix(":0") for w in model.weights]
    kept = [at for at, w in enumerate(model.weights) if w.dtype.is_floating]
    missing = [names[at] for at in kept if at + 1 not in key_of]
    if missing:
        raise ValueError(f"{case_id}: {missing[:3]} has no key")
    return Case(
        case_id,
        family,
        kind,
        "names",
        [(key, tuple(shapes[key]), dtypes[key].name) for key in keys],
        [(names[at], tuple(model.weights[at].shape), "float32") for at in kept],
        {names[at]: key_of[at + 1] for at in kept},
        f"{what}: every weight numbered, written by tf.train.Checkpoint and read back; truth by "
        "identity",
        actual_object_graph=graph,
        **more,
    )


def sparse_mixer() -> Case:
    """tf-models' Sparse Mixer: layers that mix, layers that attend, layers with experts."""

    def make() -> Any:
        from official.nlp.modeling.networks import sparse_mixer as networks

        model = networks.SparseMixer(
            vocab_size=97,
            hidden_size=24,
            num_layers=8,
            moe_layers=(1, 3, 5),
            attention_layers=(6, 7),
            num_experts=4,
            num_attention_heads=4,
            max_sequence_length=16,
            type_vocab_size=2,
            inner_dim=40,
        )
        import tensorflow as tf

        ids = tf.zeros((2, 16), tf.int32)
        model({"input_word_ids": ids, "input_mask": ids, "input_type_ids": ids})
        return model

    what = "tf-models-official's SparseMixer"
    return by_objects("o_sparse_mixer", "sparse-mixer", "object_graph", make, "encoder", what)


def spinenet() -> Case:
    """tf-models' SpineNet: scale-permuted blocks, numbered in the order of their making."""

    def make() -> Any:
        import tf_keras

        backbones = official("backbones.spinenet")
        return backbones.SpineNet(
            input_specs=tf_keras.layers.InputSpec(shape=[1, 64, 64, 3]),
            endpoints_num_filters=16,
            filter_size_scale=0.125,
            resample_alpha=0.5,
        )

    what = "tf-models-official's SpineNet"
    case = by_objects("k_obj_spinenet", "spinenet", "object-keys", make, "backbone", what)
    again = make().weights  # the session of by_objects holds one already: counters go on
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


def object_j_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "b_roformer_v2_bert4keras", roformer_v2
    yield "o_sparse_mixer", sparse_mixer
    yield "k_obj_spinenet", spinenet

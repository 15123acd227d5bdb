"""Keras models of other packages in TF1 graphs: what keras_graphs does with them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.case import Case
from cases.keras_graphs import App, _in_graph


def retinaface() -> Any:
    """Return the face detector of the package retina-face, with the names MXNet gave."""
    sys.modules.setdefault("gdown", mock.MagicMock())
    from retinaface.model import retinaface_model

    with mock.patch.object(retinaface_model, "load_weights", lambda model: model):
        return retinaface_model.build_model()


def u2net() -> Any:
    """Return the U^2-Net of keras_unet_collection, small."""
    from keras_unet_collection import models

    return models.u2net_2d(
        (64, 64, 3),
        n_labels=1,
        filter_num_down=[8, 8, 12, 16],
        filter_num_up=[8, 8, 12, 16],
        filter_mid_num_down=[4, 4, 6, 8],
        filter_mid_num_up=[4, 4, 6, 8],
        filter_4f_num=[16, 16],
        filter_4f_mid_num=[8, 8],
    )


def vnet() -> Any:
    """Return the V-Net of keras_unet_collection, small."""
    from keras_unet_collection import models

    given = {"batch_norm": True, "pool": False, "unpool": False}
    return models.vnet_2d((32, 32, 1), [4, 8, 16, 32], 3, res_num_ini=1, res_num_max=3, **given)


APPS = (
    App("k_wrap_u2net", "u2net", u2net, "wrap:matting/teacher", "names", "Momentum"),
    App("k_ren_vnet", "v-net", vnet, "rename", "graph", "Adam"),
)


def objects() -> Case:
    """RetinaFace's weights as tf.train.Checkpoint writes them: keys of an object graph."""
    import tf_keras

    spec = App("k_obj_retinaface", "retinaface", retinaface, "object", "graph")
    tf_keras.backend.clear_session()
    model = spec.maker()
    for at, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, at + 1, np.float32))
    key_of: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        holder = tf.train.Checkpoint(model=model)
        reader = tf.train.load_checkpoint(holder.write(str(Path(folder) / "ckpt")))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        graph_key = "_CHECKPOINTABLE_OBJECT_GRAPH"
        held = bytes(reader.get_tensor(graph_key))
        keys = sorted(key for key in shapes if key != graph_key)
        for key in keys:
            value = np.unique(reader.get_tensor(key))
            if dtypes[key].is_floating and len(value) == 1:
                key_of.setdefault(int(value[0]) - 1, key)
    graph, names, expected = _in_graph(spec, False)
    if len(key_of) != len(names):
        raise ValueError(f"{spec.id}: {len(key_of)} keys of {len(names)} weights")
    return Case(
        spec.id,
        spec.family,
        "object-keys",
        spec.needs,
        [(key, tuple(shapes[key]), dtypes[key].name) for key in keys],
        expected,
        {name: key_of.get(at) for at, name in enumerate(names)},
        "retina-face; every weight of the eager model numbered, written by tf.train.Checkpoint and "
        "read back; the TF1 model of the same constructor aligned by weight order",
        expected_graph=graph.as_graph_def(),
        actual_object_graph=held,
    )


def object_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of the case."""
    yield "k_obj_retinaface", objects

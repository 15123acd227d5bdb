"""AutoInt of DeepCTR, in TensorFlow and in PyTorch, as the same authors publish both."""

from __future__ import annotations

import os
import sys
from typing import Any
from unittest import mock

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.libraries import train_on
from cases.nets import by_rules, tf1, variables_of
from cases.sides import Ported, Side, Values, sample, torch_side

FIELDS = (("user", 11), ("item", 13), ("city", 7), ("hour", 11))
NUMBERS = ("age", "price")
SIZES = {"att_layer_num": 3, "att_head_num": 2, "dnn_hidden_units": (16, 16), "dnn_use_bn": True}


def columns(module: Any) -> list[Any]:
    """Return the features of either library."""
    found = [module.SparseFeat(name, size, embedding_dim=8) for name, size in FIELDS]
    return [*found, *(module.DenseFeat(name, 1) for name in NUMBERS)]


def tensorflow_model(train: bool) -> tuple[Any, Any]:
    """Build the model in a graph of its own -> (graph, model)."""
    import tf_keras
    from deepctr import feature_column, models

    tf_keras.backend.clear_session()
    graph = tf.Graph()
    with graph.as_default():
        features = columns(feature_column)
        model = models.AutoInt(features, features, att_embedding_size=4, **SIZES)
        if train:
            train_on(model.outputs[0])
    return graph, model


def tensorflow_side() -> Side:
    """Return the training graph's side; roles are the variables' own names."""
    graph, model = tensorflow_model(True)
    names = {w.op.name: w.op.name for w in model.weights}
    shapes = {w.op.name: tuple(w.shape.as_list()) for w in model.weights}

    def run(values: Values, _: dict[str, str]) -> list[np.ndarray]:
        ready, made = tensorflow_model(False)
        with tf1.Session(graph=ready) as session, ready.as_default():
            session.run(tf1.global_variables_initializer())
            starts = {w.initializer.inputs[1]: values[w.op.name] for w in made.weights}
            session.run([w.initializer for w in made.weights], starts)
            feeds = {}
            for tensor in made.inputs:
                feeds[tensor] = sample(tensor.op.name, (3, 1), tensor.dtype.is_integer)
            return [session.run(made.outputs[0], feeds)]

    return Side(variables_of(graph), names, run, graph.as_graph_def(), shapes=shapes)


def torch_model() -> Any:
    """Return PyTorch's model, which is given one tensor a feature and norms as TensorFlow does."""
    import torch

    for part in ("sklearn", "sklearn.metrics", "tqdm"):
        sys.modules.setdefault(part, mock.MagicMock())
    from deepctr_torch import inputs, models

    class Network(models.AutoInt):
        def forward(self, *features: Any) -> Any:
            return super().forward(torch.cat([one.float() for one in features], -1))

    features = columns(inputs)
    model = Network(features, features, **SIZES)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm1d):
            part.eps = 1e-3
    return model


def counted(number: str) -> str:
    """Return Keras' suffix of a counter."""
    return f"_{number}" if int(number) else ""


LEAVES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}
ATTENTION = {"W_Query": "query", "W_key": "key", "W_Value": "value", "W_Res": "res"}
ROLES = by_rules(
    (r"embedding_dict\.(\w+)\.weight", r"sparse_emb_\1/embeddings"),
    (r"linear_model\.embedding_dict\.(\w+)\.weight", r"linear0sparse_emb_\1/embeddings"),
    (r"linear_model\.weight", "linear/linear_kernel"),
    (r"out\.bias", "prediction_layer/global_bias"),
    (r"dnn_linear\.weight", "dense/kernel"),
    (r"dnn\.linears\.(\d)\.weight", r"dnn/kernel\1"),
    (r"dnn\.linears\.(\d)\.bias", r"dnn/bias\1"),
    (
        r"dnn\.bn\.(\d)\.(\w+)",
        lambda m: f"dnn/batch_normalization{counted(m[1])}/{LEAVES.get(m[2], 'moving_variance')}",
    ),
    (
        r"int_layers\.(\d)\.(\w+)",
        lambda m: f"interacting_layer{counted(m[1])}/{ATTENTION[m[2]]}",
    ),
)
INPUTS = {
    **{name: ((3, 1), int) for name, _ in FIELDS},
    **dict.fromkeys(NUMBERS, (3, 1)),
}
PORTED = (
    Ported(
        "v_autoint_torch",
        "autoint",
        "keras_to_pt",
        "names",
        tensorflow_side,
        lambda: torch_side(torch_model, ROLES, INPUTS),
        notes="DeepCTR's AutoInt and DeepCTR-Torch's; three attentions of one shape, and tables "
        "that both a linear and a deep part have for each field",
    ),
)

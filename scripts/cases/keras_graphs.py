"""Cases from tf_keras' applications in TF1 graphs: numbers that shift, wrappers, object keys."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

from cases.case import Case, Codes, Row
from cases.nets import tf1, variables_of

FULL_NAME_FIELD = "full_name"


@dataclass(frozen=True)
class App:
    """A constructor of tf_keras.applications (or of an own functional model) and what is done.

    how: "second" (another model of the class stands first in the session), "wrap:SCOPE",
    "rename" (layers have other names), "object" (keys of a checkpoint that an eager model wrote).
    """

    id: str
    family: str
    maker: Callable[[], Any]
    how: str
    needs: str
    optimizer: str = ""
    first: Callable[[], Any] | None = None
    notes: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def app(name: str, size: int = 64, **options: Any) -> Callable[[], Any]:
    """Return a maker of tf_keras.applications.NAME without weights."""

    def make() -> Any:
        import tf_keras

        options.setdefault("classes", 7)
        return getattr(tf_keras.applications, name)(
            weights=None, input_shape=(size, size, 3), **options
        )

    return make


def unnamed_separable() -> Any:
    """Return a net of separable convolutions whose layers have default names."""
    from tf_keras import Model, layers

    x = inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(12, 3, 2, "same", use_bias=False)(x)
    for width in (12, 12, 16, 16, 16, 20):
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(width, 1, use_bias=False)(y))
        x = layers.ReLU()(layers.Add()([x, y]) if x.shape[-1] == width else y)
    x = layers.Dense(24, "relu")(layers.GlobalAveragePooling2D()(x))
    return Model(inputs, layers.Dense(7)(x))


def unnamed_small() -> Any:
    """Return a small net with default names, to stand first in a session."""
    from tf_keras import Model, layers

    x = inputs = layers.Input((32, 32, 3))
    for width in (12, 16, 20):
        x = layers.BatchNormalization()(layers.Conv2D(width, 3, 2, use_bias=False)(x))
    return Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


def _in_graph(spec: App, train: bool) -> tuple[Any, list[str], list[Row]]:
    """Build the model in a TF1 graph -> (graph, names in weight order, all variables)."""
    import tf_keras

    tf_keras.backend.clear_session()
    verb, _, scope = spec.how.partition(":")
    graph = tf.Graph()
    with graph.as_default():
        if train and verb == "second":
            (spec.first or spec.maker)()
        if train and verb == "wrap":
            with tf1.variable_scope(scope), tf1.name_scope(f"{scope}/"):
                model = spec.maker()
        elif train and verb == "rename":
            with tf.Graph().as_default():
                plain = spec.maker()
            model = _renamed(plain)
        else:
            model = spec.maker()
        if train and spec.optimizer:
            loss = tf.reduce_mean(tf.square(model.outputs[0]))
            step = tf1.train.get_or_create_global_step()
            maker = getattr(tf1.train, f"{spec.optimizer}Optimizer")
            rates = (0.1, 0.9) if spec.optimizer == "Momentum" else (0.1,)
            maker(*rates).minimize(loss, step, var_list=tf1.trainable_variables())
    names = [w.op.name for w in model.weights]
    return graph, names, variables_of(graph)


def _renamed(model: Any) -> Any:
    """Return a copy of a functional model whose layers have names that say nothing."""
    import tf_keras

    order = np.random.RandomState(7).permutation(len(model.layers))
    words = {layer.name: f"u{at:03d}" for at, layer in zip(order, model.layers, strict=True)}

    def clone(layer: Any) -> Any:
        return layer.__class__.from_config({**layer.get_config(), "name": words[layer.name]})

    return tf_keras.models.clone_model(model, clone_function=clone)


def keras_case(spec: App) -> Case:
    """Build both sides; the truth is the order of weights of one constructor."""
    if spec.how == "object":
        return _object_case(spec)
    actual_graph, actual_names, actual = _in_graph(spec, True)
    expected_graph, expected_names, expected = _in_graph(spec, False)
    truth: dict[str, str | None] = dict(zip(expected_names, actual_names, strict=True))
    same = sum(name in set(actual_names) and truth[name] != name for name in expected_names)
    return Case(
        spec.id,
        spec.family,
        spec.how.partition(":")[0],
        spec.needs,
        actual,
        expected,
        truth,
        "tf_keras, one constructor in two TF1 graphs; truth = order of its weights",
        spec.notes or f"{same} expected names stand on the actual side for another variable",
        actual_graph=actual_graph.as_graph_def(),
        expected_graph=expected_graph.as_graph_def(),
    )


def _object_case(spec: App) -> Case:
    import tf_keras

    tf_keras.backend.clear_session()
    model = spec.maker()
    codes = Codes()
    for at, weight in enumerate(model.weights):
        weight.assign(codes.array(f"weight {at}", weight.shape))
    holder = tf.train.Checkpoint(model=model)
    with tempfile.TemporaryDirectory() as folder:
        reader = tf.train.load_checkpoint(holder.write(str(Path(folder) / "ckpt")))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        graph_key = "_CHECKPOINTABLE_OBJECT_GRAPH"
        objects = bytes(reader.get_tensor(graph_key))
        keys = sorted(key for key in shapes if key != graph_key)
        trace = codes.trace({key: reader.get_tensor(key) for key in keys})
        actual = [(key, tuple(shapes[key]), dtypes[key].name) for key in keys]
    key_of = {weight: key for key, weight in trace.truth.items()}
    graph, names, expected = _in_graph(spec, False)
    truth = {name: key_of.get(f"weight {at}") for at, name in enumerate(names)}
    return Case(
        spec.id,
        spec.family,
        "object-keys",
        spec.needs,
        actual,
        expected,
        truth,
        "tf_keras; every weight of the eager model numbered, written by tf.train.Checkpoint and "
        "read back; the TF1 model of the same constructor aligned by weight order",
        spec.notes,
        expected_graph=graph.as_graph_def(),
        actual_object_graph=objects,
    )


def keras_cases(specs: tuple[App, ...]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each spec."""
    for spec in specs:
        yield spec.id, lambda spec=spec: keras_case(spec)  # type: ignore[misc]

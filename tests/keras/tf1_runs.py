"""A TF1 run of two dense layers that is saved halfway, for these tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras_runs import X, Y

MAP = {"h/kernel": "net/W", "h/bias": "net/b", "o/kernel": "net/V", "o/bias": "net/c"}
SHAPES = {"W": [4, 3], "b": [3], "V": [3, 1], "c": [1]}
OPTIMIZERS = {
    "Adam": lambda train, rate: train.AdamOptimizer(rate, beta1=0.8),
    "Momentum": lambda train, rate: train.MomentumOptimizer(rate, 0.9),
    "Nesterov": lambda train, rate: train.MomentumOptimizer(rate, 0.9, use_nesterov=True),
    "Adagrad": lambda train, rate: train.AdagradOptimizer(rate),
    "RMSProp": lambda train, rate: train.RMSPropOptimizer(rate, momentum=0.5),
    "centered": lambda train, rate: train.RMSPropOptimizer(rate, momentum=0.5, centered=True),
    "Adadelta": lambda train, rate: train.AdadeltaOptimizer(rate),
    "Ftrl": lambda train, rate: train.FtrlOptimizer(rate, l1_regularization_strength=0.001),
    "shrinkage": lambda train, rate: train.FtrlOptimizer(
        rate, l2_shrinkage_regularization_strength=0.01
    ),
}


def loss_of(tf: Any, weights: Any, step: int) -> Any:
    """The loss in plain ops, so that both sides run the same kernels."""
    x, y = X[4 * step : 4 * step + 4], Y[4 * step : 4 * step + 4]
    hidden = tf.tanh(tf.matmul(x, weights[0]) + weights[1])
    return tf.reduce_mean(tf.square(tf.matmul(hidden, weights[2]) + weights[3] - y))


def train(folder: str, name: str, is_scheduled: bool) -> dict[str, bytes]:
    """Two steps, a checkpoint, two steps; returns the weights at the end."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        weights = []
        with tf1.variable_scope("net", use_resource=True):
            for at, (word, shape) in enumerate(
                {"W": [4, 3], "b": [3], "V": [3, 1], "c": [1]}.items()
            ):
                start = np.random.RandomState(at).standard_normal(shape).astype(np.float32)
                weights.append(tf1.get_variable(word, initializer=start))
        step = tf1.train.get_or_create_global_step()
        rate = tf1.train.exponential_decay(0.05, step, 3, 0.8) if is_scheduled else 0.05
        made = OPTIMIZERS[name](tf1.train, rate)
        batch = tf1.placeholder(tf.int32, [])
        x, y = tf.constant(X)[batch : batch + 4], tf.constant(Y)[batch : batch + 4]
        hidden = tf.tanh(tf.matmul(x, weights[0]) + weights[1])
        loss = tf.reduce_mean(tf.square(tf.matmul(hidden, weights[2]) + weights[3] - y))
        op = made.minimize(loss, step)
        config = tf1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
        with tf1.Session(config=config) as session:
            session.run(tf1.global_variables_initializer())
            for at in range(4):
                if at == 2:
                    tf1.train.Saver().save(session, f"{folder}/model.ckpt")
                session.run(op, {batch: 4 * at})
            return {w.op.name: session.run(w).tobytes() for w in weights}


def build(keras: Any) -> Any:
    """The same net in Keras, under other names."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation="tanh", name="h"),
            layers.Dense(1, name="o"),
        ]
    )


def go_on(model: Any, optimizer: Any) -> dict[str, bytes]:
    """Two more steps; returns the weights by their names in TF1."""
    import tensorflow as tf

    raw = [getattr(v, "_value", v) for v in model.trainable_variables]
    for step in (2, 3):
        with tf.GradientTape() as tape:
            loss = loss_of(tf, raw, step)
        pairs = zip(tape.gradient(loss, raw), model.trainable_variables, strict=True)
        optimizer.apply_gradients(list(pairs))
    return dict(zip(MAP.values(), (v.numpy().tobytes() for v in model.weights), strict=True))

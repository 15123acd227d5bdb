"""The small model of the fixtures, the demo and the tests: written twice, as it was and as it is.

Its variables are my_model/W, my_model/b and my_model/V in the files, and W, b and V in new code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEPS_SAVED = 5
STEPS_AFTER = 5


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs and targets of one step; the same on every machine."""
    random = np.random.RandomState(step)
    x = random.standard_normal((8, 4)).astype(np.float32)
    return x, (x.sum(axis=1, keepdims=True) ** 2).astype(np.float32)


def session(graph: Any) -> Any:
    """Return a session of one thread, so that sums are added in one order."""
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    return tf.compat.v1.Session(graph=graph, config=config)


def build(scope: str = "") -> dict[str, Any]:
    """Make the model in the default graph, its variables under `scope`."""
    import contextlib

    import tensorflow as tf

    tf1 = tf.compat.v1
    x = tf1.placeholder(tf.float32, [None, 4], name="x")
    y = tf1.placeholder(tf.float32, [None, 1], name="y")
    with tf1.variable_scope(scope, use_resource=False) if scope else contextlib.nullcontext():
        initializer = tf1.glorot_uniform_initializer(seed=3)
        weights = tf1.get_variable("W", [4, 6], initializer=initializer)
        bias = tf1.get_variable("b", [6], initializer=tf1.zeros_initializer())
        head = tf1.get_variable("V", [6, 1], initializer=initializer)
        hidden = tf.tanh(tf.matmul(x, weights) + bias)
        prediction = tf.matmul(hidden, head, name="prediction")
    loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
    return {"x": x, "y": y, "loss": loss, "prediction": prediction}


def train(running: Any, step: Any, loss: Any, x: Any, y: Any, first: int) -> list[float]:
    """Run STEPS_AFTER steps from step number `first` on; returns the loss before each."""
    losses = []
    for number in range(first, first + STEPS_AFTER):
        inputs, targets = batch(number)
        feed = {x: inputs, y: targets}
        losses.append(float(running.run(loss, feed)))
        running.run(step, feed)
    return losses

"""A run of Keras 3 or tf_keras that is saved halfway, and the same model under other names."""

from __future__ import annotations

from typing import Any

import numpy as np

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((32, 4)).astype(np.float32)
Y = (X.sum(axis=1, keepdims=True) ** 2).astype(np.float32)
NAMES = ("alpha", "beta", "gamma", "head")
OTHER_NAMES = ("one", "two", "three", "four")


def build(keras: Any, names: tuple[str, ...] = NAMES) -> Any:
    """Two branches of equal shape, statistics, a head; other names turn the order of creation."""
    x = keras.Input((4,), name=f"x_{names[0]}")

    def branch(number: int) -> Any:
        act = ("tanh", "relu")[number]
        return keras.layers.Dense(3, activation=act, name=names[number])(x)

    order = (0, 1) if names == NAMES else (1, 0)
    made = {number: branch(number) for number in order}
    y = keras.layers.Concatenate(name=f"cat_{names[0]}")([made[0], made[1]])
    y = keras.layers.Dense(3, name=names[2])(y)
    y = keras.layers.BatchNormalization(name=f"bn_{names[2]}")(y)
    return keras.Model(x, keras.layers.Dense(1, name=names[3])(y), name=f"net_{names[0]}")


def fit(model: Any, half: int) -> None:
    """Two steps on one half of the data."""
    part = slice(16 * half, 16 * half + 16)
    model.fit(X[part], Y[part], batch_size=8, epochs=1, verbose=0, shuffle=False)


def bits(model: Any) -> list[bytes]:
    """Return the bytes of every weight."""
    return [weight.numpy().tobytes() for weight in model.weights]


def save(model: Any, path: str) -> str:
    """Write a container by its ending; returns what to read."""
    import tensorflow as tf

    if path.endswith(".weights.h5"):
        model.save_weights(path)
    elif path.endswith((".keras", ".h5")):
        model.save(path)
    else:
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(path)
    return path

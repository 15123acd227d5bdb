"""More models for check_keras: parts of one's own, several inputs, reuse, frozen and mixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_models import SIZE

Name = Callable[[str], str]


def _input(keras: Any, n: Name) -> Any:
    return keras.Input((SIZE,), name=n("x"))


def _head(keras: Any, n: Name, x: Any, y: Any) -> Any:
    return keras.Model(x, keras.layers.Dense(1, name=n("head"))(y), name=n("net"))


def _turn(makers: list[Callable[[], Any]], turned: bool) -> list[Any]:
    """Make things in one order or the other; they come back in the first."""
    made = {at: makers[at]() for at in sorted(range(len(makers)), reverse=turned)}
    return [made[at] for at in range(len(makers))]


def several_inputs(keras: Any, n: Name, turned: bool) -> Any:
    dense = keras.layers.Dense
    one, two = keras.Input((SIZE,), name=n("left")), keras.Input((SIZE,), name=n("right"))
    a, b = _turn([lambda: dense(6, name=n("a"))(one), lambda: dense(6, name=n("b"))(two)], turned)
    return _head(keras, n, [one, two], keras.layers.Concatenate(name=n("cat"))([a, b]))


def two_outputs(keras: Any, n: Name, turned: bool) -> Any:
    x = _input(keras, n)
    dense = keras.layers.Dense
    y = dense(6, activation="tanh", name=n("body"))(x)
    heads = [lambda: dense(1, name=n("p"))(y), lambda: dense(1, name=n("q"))(y)]
    return keras.Model(x, _turn(heads, turned), name=n("net"))


def reused_model(keras: Any, n: Name, turned: bool) -> Any:
    dense = keras.layers.Dense
    layers = [lambda: dense(6, name=n("t1")), lambda: dense(SIZE, name=n("t2"))]
    tower = keras.Sequential([keras.Input((SIZE,)), *_turn(layers, turned)], name=n("tower"))
    x = _input(keras, n)
    y = keras.layers.Add(name=n("sum"))([tower(x), tower(tower(x))])
    return _head(keras, n, x, y)


def frozen(keras: Any, n: Name, turned: bool) -> Any:
    x, layers = _input(keras, n), keras.layers
    a, f, b = _turn(
        [
            lambda: layers.Dense(SIZE, activation="tanh", name=n("a")),
            lambda: layers.Dense(SIZE, trainable=False, name=n("f")),
            lambda: layers.Dense(SIZE, name=n("b")),
        ],
        turned,
    )
    norm = layers.BatchNormalization(name=n("norm"))
    norm.trainable = False
    return _head(keras, n, x, b(norm(f(a(x)))))


def nested_twice(keras: Any, n: Name, turned: bool) -> Any:
    def wrap(word: str, inner: list[Any]) -> Any:
        dense = keras.layers.Dense(SIZE, name=n(word))
        return keras.Sequential([keras.Input((SIZE,)), dense, *inner], name=n(f"{word}_model"))

    x = _input(keras, n)
    one, two = _turn([lambda: wrap("outer", [wrap("inner", [])]), lambda: wrap("side", [])], turned)
    return _head(keras, n, x, keras.layers.Multiply(name=n("mul"))([one(x), two(x)]))


def residual(keras: Any, n: Name, turned: bool) -> Any:
    x, layers = _input(keras, n), keras.layers
    blocks = _turn(
        [lambda at=at: layers.Dense(SIZE, "relu", name=n(f"block{at}")) for at in range(3)], turned
    )
    y = x
    for at, block in enumerate(blocks):
        y = layers.Add(name=n(f"add{at}"))([y, block(y)])
        y = layers.BatchNormalization(name=n(f"norm{at}"))(y)
    return _head(keras, n, x, y)


def mixed(keras: Any, n: Name, turned: bool) -> Any:
    """Under mixed_float16 `compile` wraps the optimizer in one with a loss scale."""
    before = keras.mixed_precision.global_policy() if keras.__name__ == "tf_keras" else None
    policy = keras.config.dtype_policy() if before is None else before
    set_policy = (
        keras.config.set_dtype_policy if before is None else keras.mixed_precision.set_global_policy
    )
    set_policy("mixed_float16")
    try:
        x, dense = _input(keras, n), keras.layers.Dense
        y = dense(6, "tanh", name=n("b"))(dense(6, name=n("a"))(x))
        return keras.Model(x, dense(1, dtype="float32", name=n("head"))(y), name=n("net"))
    finally:
        set_policy(policy)


def _cells(keras: Any, n: Name, turned: bool) -> Any:
    layers = keras.layers
    x = _input(keras, n)
    y = layers.Reshape((4, SIZE // 4), name=n("r"))(x)
    cells = _turn(
        [lambda: layers.LSTMCell(3, name=n("one")), lambda: layers.GRUCell(3, name=n("two"))],
        turned,
    )
    return _head(keras, n, x, layers.RNN(cells, name=n("rnn"))(y))


def bidirectional_stack(keras: Any, n: Name, turned: bool) -> Any:
    layers = keras.layers

    def both(word: str) -> Any:
        inner = layers.GRU(3, return_sequences=True, name=n(f"{word}_gru"))
        return layers.Bidirectional(inner, name=n(word))

    x = _input(keras, n)
    one, two = _turn([lambda: both("low"), lambda: both("high")], turned)
    y = two(one(layers.Reshape((4, SIZE // 4), name=n("r"))(x)))
    return _head(keras, n, x, layers.GlobalAveragePooling1D(name=n("pool"))(y))


def _transformer(keras: Any, n: Name, turned: bool) -> Any:
    layers = keras.layers
    x = _input(keras, n)
    y = layers.Reshape((2, SIZE // 2), name=n("r"))(x)
    for at in range(2):
        attend, norm, wide = _turn(
            [
                lambda at=at: layers.MultiHeadAttention(2, 2, name=n(f"att{at}")),
                lambda at=at: layers.LayerNormalization(name=n(f"ln{at}")),
                lambda at=at: layers.Dense(SIZE // 2, "relu", name=n(f"ff{at}")),
            ],
            turned,
        )
        y = layers.Add(name=n(f"add{at}"))([y, attend(norm(y), norm(y))])
        y = wide(y)
    return _head(keras, n, x, layers.Flatten(name=n("f"))(y))


def own_layer(keras: Any, n: Name, turned: bool) -> Any:
    """A layer of somebody's own in a functional model, with weights of its own of one shape."""

    class Gate(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            for word in ("scale", "shift", "mix"):
                weight = self.add_weight(shape=(shape[-1],), initializer="ones", name=word)
                setattr(self, word, weight)

        def call(self, x: Any) -> Any:
            return x * self.scale + self.shift * self.mix

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    x = _input(keras, n)
    one, two = _turn([lambda: Gate(name=n("g1")), lambda: Gate(name=n("g2"))], turned)
    return _head(keras, n, x, two(keras.layers.Dense(SIZE, name=n("mid"))(one(x))))


def _built(keras: Any, model: Any) -> Any:
    import numpy

    model(numpy.zeros((1, SIZE), "float32"))
    return model


def renamed_parts(keras: Any, n: Name, turned: bool) -> Any:
    """A subclass whose attributes have other names too; sizes tell them apart."""
    words = ("reader", "thinker", "writer") if turned else ("encoder", "middle", "decoder")

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            for word, plain, units in zip(words, "abc", (7, 5, 1), strict=True):
                setattr(self, word, keras.layers.Dense(units, name=n(plain)))

        def call(self, x: Any) -> Any:
            for word in words:
                x = getattr(self, word)(x)
            return x

    return _built(keras, Net())


def list_of_layers(keras: Any, n: Name, turned: bool) -> Any:
    """A subclass that keeps equal layers in a list, always in one order."""

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            make = [lambda at=at: keras.layers.Dense(SIZE, name=n(f"b{at}")) for at in range(3)]
            self.blocks = _turn(make, turned)
            self.last = keras.layers.Dense(1, name=n("last"))

        def call(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x) + x
            return self.last(x)

    return _built(keras, Net())


def own_block(keras: Any, n: Name, turned: bool) -> Any:
    """A functional model of blocks of one's own, each with two layers of other sizes."""

    class Block(keras.layers.Layer):
        def __init__(self, word: str) -> None:
            super().__init__(name=n(word))
            self.wide = keras.layers.Dense(11, activation="relu", name=n(f"{word}_wide"))
            self.back = keras.layers.Dense(SIZE, name=n(f"{word}_back"))

        def call(self, x: Any) -> Any:
            return x + self.back(self.wide(x))

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    x = _input(keras, n)
    one, two = _turn([lambda: Block("one"), lambda: Block("two")], turned)
    return _head(keras, n, x, two(one(x)))


def own_train_step(keras: Any, n: Name, turned: bool) -> Any:
    """A functional subclass that trains by its own step and keeps a metric."""
    import tensorflow as tf

    class Net(keras.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            held = self.trainable_variables
            pairs = zip(tape.gradient(loss, held), held, strict=True)
            self.optimizer.apply_gradients(list(pairs))
            return {"loss": loss}

    x = _input(keras, n)
    dense = keras.layers.Dense
    one, two = _turn([lambda: dense(6, name=n("a"))(x), lambda: dense(6, name=n("b"))(x)], turned)
    y = keras.layers.Subtract(name=n("sub"))([one, two])
    return Net(x, dense(1, name=n("head"))(y), name=n("net"))


def lora(keras: Any, n: Name, turned: bool) -> Any:
    """Low-rank parts beside frozen kernels; Keras 3 only."""
    x, dense = _input(keras, n), keras.layers.Dense
    one, two = _turn([lambda: dense(6, name=n("a")), lambda: dense(6, name=n("b"))], turned)
    model = _head(keras, n, x, two(one(x)))
    for layer in (one, two):
        layer.enable_lora(2)
    return model


def spectral(keras: Any, n: Name, turned: bool) -> Any:
    layers = keras.layers
    x = _input(keras, n)

    def make(word: str) -> Any:
        return layers.SpectralNormalization(layers.Dense(SIZE, name=n(f"{word}_in")), name=n(word))

    one, two = _turn([lambda: make("s1"), lambda: make("s2")], turned)
    return _head(keras, n, x, two(one(x)))


def embedding(keras: Any, n: Name, turned: bool) -> Any:
    """Sparse gradients: rows of two tables of one shape."""
    layers = keras.layers
    x = _input(keras, n)
    rows = layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0], name=n("bins"))(x)
    one, two = _turn(
        [
            lambda: layers.Embedding(4, 3, name=n("e1"))(rows),
            lambda: layers.Embedding(4, 3, name=n("e2"))(rows),
        ],
        turned,
    )
    y = layers.Multiply(name=n("mul"))([one, two])
    return _head(keras, n, x, layers.Flatten(name=n("f"))(y))


def images(keras: Any, n: Name, turned: bool) -> Any:
    layers = keras.layers
    x = _input(keras, n)
    y = layers.Reshape((4, 2, 1), name=n("r"))(x)
    one, two = _turn(
        [
            lambda: layers.Conv2D(3, 2, padding="same", name=n("c"))(y),
            lambda: layers.Conv2DTranspose(3, 2, padding="same", name=n("ct"))(y),
        ],
        turned,
    )
    y = layers.GroupNormalization(3, name=n("gn"))(layers.Add(name=n("add"))([one, two]))
    y = layers.DepthwiseConv2D(2, name=n("dw"))(y)
    return _head(keras, n, x, layers.Flatten(name=n("f"))(y))


MORE: dict[str, Callable[..., Any]] = {
    "two inputs": several_inputs,
    "two outputs": two_outputs,
    "a model used three times": reused_model,
    "frozen layers": frozen,
    "nested twice": nested_twice,
    "residual": residual,
    "mixed precision": mixed,
    "stacked cells": _cells,
    "bidirectional GRU, stacked": bidirectional_stack,
    "transformer": _transformer,
    "layers of one's own": own_layer,
    "blocks of one's own": own_block,
    "subclassed, other attributes": renamed_parts,
    "subclassed, a list of layers": list_of_layers,
    "own train_step": own_train_step,
    "LoRA": lora,
    "spectral normalization": spectral,
    "embeddings": embedding,
    "images": images,
}

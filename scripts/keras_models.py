"""Models for check_keras: each is built under two sets of names, the second in another order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SIZE = 8  # of the input; the output is one number
Layers = Any


def functional(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    x = keras.Input((SIZE,), name=n("x"))
    make = [
        lambda: keras.layers.Dense(6, activation="tanh", name=n("a"))(x),
        lambda: keras.layers.Dense(6, activation="relu", name=n("b"))(x),
    ]
    made = {at: make[at]() for at in ((1, 0) if turned else (0, 1))}
    y = keras.layers.Concatenate(name=n("cat"))([made[0], made[1]])
    y = keras.layers.Dense(6, name=n("c"))(y)
    y = keras.layers.BatchNormalization(name=n("bn"))(y)
    return keras.Model(x, keras.layers.Dense(1, name=n("head"))(y), name=n("net"))


def _stack(*layers: Callable[[Layers, Callable[[str], str]], Any]) -> Callable[..., Any]:
    def build(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
        made = [layer(keras.layers, n) for layer in (layers[::-1] if turned else layers)]
        ordered = made[::-1] if turned else made
        return keras.Sequential([keras.Input((SIZE,), name=n("x")), *ordered], name=n("net"))

    return build


def _dense(word: str, units: int, **options: Any) -> Callable[[Layers, Callable[[str], str]], Any]:
    return lambda layers, n: layers.Dense(units, name=n(word), **options)


def nested(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    inner = _stack(_dense("i", 6), _dense("j", 6))(keras, lambda word: n(f"in_{word}"), turned)
    x = keras.Input((SIZE,), name=n("x"))
    y = inner(keras.layers.Dense(SIZE, name=n("a"))(x))
    return keras.Model(x, keras.layers.Dense(1, name=n("head"))(y), name=n("net"))


def shared(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    x = keras.Input((SIZE,), name=n("x"))
    one = keras.layers.Dense(SIZE, activation="tanh", name=n("one"))
    return keras.Model(x, keras.layers.Dense(1, name=n("head"))(one(one(x))), name=n("net"))


def subclassed(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            words = [("first", 6), ("second", 5), ("last", 1)]
            for word, units in words[::-1] if turned else words:
                setattr(self, word, keras.layers.Dense(units, name=n(word)))

        def call(self, x: Any) -> Any:
            return self.last(self.second(self.first(x)))

    model = Net()
    model(keras.ops.zeros((1, SIZE)) if hasattr(keras, "ops") else _zeros())
    return model


def equal_shapes(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            for word in ("second", "first") if turned else ("first", "second"):
                setattr(self, word, keras.layers.Dense(SIZE, name=n(word)))
            self.last = keras.layers.Dense(1, name=n("last"))

        def call(self, x: Any) -> Any:
            return self.last(self.second(self.first(x)))

    model = Net()
    model(keras.ops.zeros((1, SIZE)) if hasattr(keras, "ops") else _zeros())
    return model


def _zeros() -> Any:
    import tensorflow as tf

    return tf.zeros((1, SIZE))


def _sequence(layer: Callable[[Layers, Callable[[str], str]], Any]) -> Callable[..., Any]:
    return _stack(
        lambda layers, n: layers.Reshape((4, SIZE // 4), name=n("r")),
        layer,
        lambda layers, n: layers.Flatten(name=n("f")),
        _dense("head", 1),
    )


def attention(keras: Any, n: Callable[[str], str], turned: bool) -> Any:
    x = keras.Input((SIZE,), name=n("x"))
    y = keras.layers.Reshape((4, SIZE // 4), name=n("r"))(x)
    y = keras.layers.MultiHeadAttention(2, 3, name=n("att"))(y, y)
    y = keras.layers.Flatten(name=n("f"))(y)
    return keras.Model(x, keras.layers.Dense(1, name=n("head"))(y), name=n("net"))


MODELS: dict[str, Callable[..., Any]] = {
    "functional, two branches": functional,
    "sequential": _stack(_dense("a", 6), _dense("b", 6), _dense("head", 1)),
    "equal layers in a row": _stack(_dense("a", SIZE), _dense("b", SIZE), _dense("head", 1)),
    "nested": nested,
    "shared layer": shared,
    "subclassed": subclassed,
    "subclassed, equal shapes": equal_shapes,
    "layer norm": _stack(
        _dense("a", 6), lambda layers, n: layers.LayerNormalization(name=n("ln")), _dense("h", 1)
    ),
    "convolution": _sequence(lambda layers, n: layers.Conv1D(3, 2, name=n("conv"))),
    "separable": _sequence(lambda layers, n: layers.SeparableConv1D(3, 2, name=n("conv"))),
    "LSTM": _sequence(lambda layers, n: layers.LSTM(3, name=n("rnn"))),
    "GRU": _sequence(lambda layers, n: layers.GRU(3, name=n("rnn"))),
    "bidirectional": _sequence(
        lambda layers, n: layers.Bidirectional(layers.LSTM(3, name=n("rnn")), name=n("bi"))
    ),
    "time distributed": _sequence(
        lambda layers, n: layers.TimeDistributed(layers.Dense(3, name=n("d")), name=n("td"))
    ),
    "attention": attention,
    "PReLU": _stack(_dense("a", 6), lambda layers, n: layers.PReLU(name=n("act")), _dense("h", 1)),
    "dropout": _stack(
        _dense("a", 6),
        lambda layers, n: layers.Dropout(0.5, seed=3, name=n("drop")),
        _dense("h", 1),
    ),
}

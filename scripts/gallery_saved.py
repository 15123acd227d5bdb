"""A frozen graph and SavedModels for the gallery."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from gallery_layers import conv, dense

v1 = tf.compat.v1


def frozen(folder: Path) -> None:
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 64, 64, 3], "image")
        h = x
        for number in range(4):
            with v1.variable_scope(f"res_{number}"):
                inner = conv(h, 16, 3, "conv1", 1)
                inner = conv(inner, 16, 3, "conv2", 1, None)
                h = tf.nn.relu(inner + (h if number else conv(h, 16, 1, "shortcut", 1, None)))
        tf.nn.softmax(dense(tf.reduce_mean(h, [1, 2]), 5, "logits"), name="probabilities")
        session.run(v1.global_variables_initializer())
        made = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["probabilities"]
        )
    (folder / "frozen.pb").write_bytes(made.SerializeToString())


def saved_tf2(folder: Path) -> None:
    class Model(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            shape = [(16, 32), (32, 32), (32, 4)]
            self.kernels = [tf.Variable(tf.ones(s), name=f"kernel_{i}") for i, s in
                            enumerate(shape)]  # fmt: skip

        @tf.function
        def block(self, x, number):
            return tf.nn.relu(tf.matmul(x, self.kernels[number]))

        @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="features")])
        def predict(self, x):
            h = self.block(x, 0)
            for _ in tf.range(3):
                h = self.block(h, 1)
            if tf.reduce_sum(h) > 1.0:
                h = h / tf.norm(h)
            return {"scores": tf.nn.softmax(tf.matmul(h, self.kernels[2]))}

        @tf.function(input_signature=[tf.TensorSpec([None, 16], tf.float32, name="features")])
        def embed(self, x):
            return {"embedding": self.block(x, 0)}

    model = Model()
    tf.saved_model.save(
        model, str(folder), signatures={"serving_default": model.predict, "embed": model.embed}
    )


def keras_model(folder: Path) -> None:
    image = tf.keras.Input((32, 32, 3), name="image")
    h = image
    for number in range(3):
        h = tf.keras.layers.Conv2D(16, 3, padding="same", name=f"conv_{number}")(h)
        h = tf.keras.layers.BatchNormalization(name=f"bn_{number}")(h)
        h = tf.keras.layers.ReLU()(h)
    h = tf.keras.layers.GlobalAveragePooling2D()(h)
    tf.keras.Model(image, tf.keras.layers.Dense(10, name="head")(h)).export(str(folder))


def keras_lstm(folder: Path) -> None:
    tokens = tf.keras.Input((20,), dtype="int32", name="tokens")
    h = tf.keras.layers.Embedding(500, 32)(tokens)
    h = tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(16))(h)
    tf.keras.Model(tokens, tf.keras.layers.Dense(1, activation="sigmoid")(h)).export(str(folder))

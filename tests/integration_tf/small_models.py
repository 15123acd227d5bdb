"""A small regression model, written as a user of TensorFlow 1 would, for these tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

STEPS = 5


@dataclass
class Run:
    """What a training run left behind: its files, and what it did after they were written."""

    checkpoint: str
    losses_after: list[float]
    values_before: dict[str, np.ndarray] = field(default_factory=dict)


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(step)
    x = random.standard_normal((8, 4)).astype(np.float32)
    return x, (x.sum(axis=1, keepdims=True) ** 2).astype(np.float32)


def session_for(graph: Any) -> Any:
    """One thread and no graph rewriting: the bits depend on the mathematics only."""
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    return tf.compat.v1.Session(graph=graph, config=config)


def build(
    scope: str = "",
    resource: bool = False,
    names: tuple[str, str] = ("W", "b"),
    partitions: int = 0,
) -> dict[str, Any]:
    """Two dense layers in the default graph; returns {"x", "y", "loss", "prediction"}."""
    import contextlib

    import tensorflow as tf

    tf1 = tf.compat.v1
    tf1.set_random_seed(7)
    x = tf1.placeholder(tf.float32, [None, 4], name="x")
    y = tf1.placeholder(tf.float32, [None, 1], name="y")
    cut = tf1.fixed_size_partitioner(partitions) if partitions else None
    kernel, bias = names
    outer = tf1.variable_scope(scope, use_resource=resource) if scope else contextlib.nullcontext()
    with outer:
        options = {"use_resource": resource, "initializer": tf1.glorot_uniform_initializer(3)}
        w = tf1.get_variable(kernel, [4, 6], partitioner=cut, **options)
        b = tf1.get_variable(
            bias, [6], initializer=tf1.constant_initializer(0.1), use_resource=resource
        )
        v = tf1.get_variable(f"{kernel}_out", [6, 1], **options)
        whole = tf.convert_to_tensor(w) if partitions else w
        prediction = tf.matmul(tf.tanh(tf.matmul(x, whole) + b), v, name="prediction")
    loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
    return {"x": x, "y": y, "loss": loss, "prediction": prediction}


def steps(session: Any, model: dict[str, Any], train_op: Any, start: int) -> list[float]:
    """Evaluate the loss, then train, STEPS times, and evaluate it once more."""
    losses = []
    for step in range(start, start + STEPS):
        x, y = batch(step)
        feed = {model["x"]: x, model["y"]: y}
        losses.append(float(session.run(model["loss"], feed)))
        session.run(train_op, feed)
    losses.append(float(session.run(model["loss"], feed)))
    return losses


def train(folder: Path, optimizer: str = "Adam", **options: Any) -> Run:
    """Train, save `model.ckpt-5` with its `.meta`, and train on without stopping."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        model = build(**options)
        step = tf1.train.get_or_create_global_step()
        made = {
            "Adam": lambda: tf1.train.AdamOptimizer(0.03),
            "Momentum": lambda: tf1.train.MomentumOptimizer(0.01, 0.9),
        }[optimizer]()
        train_op = made.minimize(model["loss"], global_step=step)
        saver = tf1.train.Saver()
        with session_for(graph) as session:
            session.run(tf1.global_variables_initializer())
            steps(session, model, train_op, 0)
            path = saver.save(session, str(folder / "model.ckpt"), global_step=step)
            values = {v.op.name: session.run(v) for v in tf1.global_variables()}
            return Run(path, steps(session, model, train_op, STEPS), values)

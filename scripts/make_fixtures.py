"""Write fixtures/ with real TensorFlow, and fixtures/MANIFEST.json with script, version, sha256.

    python scripts/make_fixtures.py [FOLDER]

Each file stays under 100 KB. Run it again only when a fixture has to change: weights and file
order may differ between TensorFlow versions, and the golden outputs of the tests follow.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # one order of sums on every processor
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import demo_model
import numpy as np
import tensorflow as tf

import graphmap.tf as gmtf

tf1 = tf.compat.v1
LIMIT = 100_000  # bytes
FOLDERS = ("adam_saver", "adam_saved_model", "cnn_training", "weights_only", "partitioned",
           "object_checkpoint")  # fmt: skip


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "fixtures")
    tf1.disable_resource_variables()
    for name in FOLDERS:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    write_adam(root)
    write_names(root / "names.txt")
    write_cnn(root / "cnn_training")
    write_partitioned(root / "partitioned")
    write_object_checkpoint(root / "object_checkpoint")
    write_manifest(root)


def write_adam(root: Path) -> None:
    """A Saver checkpoint with .meta, the same weights alone, and a SavedModel by simple_save."""
    with tf.Graph().as_default() as graph:
        model = demo_model.build("my_model")
        step = tf1.train.get_or_create_global_step()
        optimizer = tf1.train.AdamOptimizer(0.01)
        train_op = optimizer.minimize(model["loss"], global_step=step, name="train_op")
        weights = tf1.train.Saver(tf1.trainable_variables(), save_relative_paths=True)
        saver = tf1.train.Saver(save_relative_paths=True)
        with demo_model.session(graph) as running:
            running.run(tf1.global_variables_initializer())
            demo_model.train(running, train_op, model["loss"], model["x"], model["y"], 0)
            saver.save(running, str(root / "adam_saver/model.ckpt"), global_step=step)
            weights.save(
                running, str(root / "weights_only/model.ckpt"), global_step=step,
                write_meta_graph=False,
            )  # fmt: skip
            shutil.rmtree(root / "adam_saved_model")
            tf1.saved_model.simple_save(
                running,
                str(root / "adam_saved_model"),
                inputs={"x": model["x"]},
                outputs={"prediction": model["prediction"]},
            )


def write_names(path: Path) -> None:
    """The names that new code asks for."""
    with tf.Graph().as_default() as graph:
        demo_model.build()
    gmtf.write_listing(graph, path)


def write_cnn(folder: Path) -> None:
    """A training graph as people wrote them in 2017; its weights are left out."""
    with tf.Graph().as_default() as graph:
        images = tf1.placeholder(tf.float32, [None, 28, 28, 1], name="images")
        labels = tf1.placeholder(tf.int64, [None], name="labels")
        keep = tf1.placeholder_with_default(1.0, [], name="keep_prob")
        net = images
        for number, filters in enumerate((8, 16), 1):
            with tf1.variable_scope(f"conv{number}", use_resource=False):
                net = convolution(net, filters)
        net = tf.reshape(net, [-1, 7 * 7 * 16], name="flatten")
        net = dense("fc1", net, 32, tf.nn.relu)
        logits = dense("logits", tf1.nn.dropout(net, keep_prob=keep), 10, None)
        with tf1.name_scope("loss"):
            errors = tf1.losses.sparse_softmax_cross_entropy(labels, logits)
            decay = 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in tf1.trainable_variables()])
            loss = tf.add(errors, decay, name="total")
        with tf1.name_scope("accuracy"):
            hits = tf.equal(tf.argmax(logits, 1), labels)
            accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
        step = tf1.train.get_or_create_global_step()
        rate = tf1.train.exponential_decay(0.01, step, 1000, 0.9, staircase=True)
        optimizer = tf1.train.MomentumOptimizer(rate, 0.9)
        pairs = [(tf.clip_by_norm(g, 5.0), v) for g, v in optimizer.compute_gradients(loss)]
        optimizer.apply_gradients(pairs, global_step=step, name="train_op")
        tf1.summary.scalar("loss", loss)
        tf1.summary.scalar("accuracy", accuracy)
        tf1.summary.merge_all()
        saver = tf1.train.Saver(save_relative_paths=True)
        with demo_model.session(graph) as running:
            running.run(tf1.global_variables_initializer())
            path = str(folder / "model.ckpt")
            saver.save(running, path, global_step=1000, strip_default_attrs=True)
    (folder / "model.ckpt-1000.data-00000-of-00001").unlink()


def convolution(net: Any, filters: int) -> Any:
    kernel = tf1.get_variable("weights", [5, 5, int(net.shape[-1]), filters])
    bias = tf1.get_variable("biases", [filters], initializer=tf1.zeros_initializer())
    net = tf.nn.relu(tf.nn.conv2d(net, kernel, 1, "SAME") + bias)
    return tf.nn.max_pool2d(net, 2, 2, "SAME")


def dense(name: str, net: Any, units: int, activation: Any) -> Any:
    with tf1.variable_scope(name, use_resource=False):
        kernel = tf1.get_variable("weights", [int(net.shape[-1]), units])
        bias = tf1.get_variable("biases", [units], initializer=tf1.zeros_initializer())
        net = tf.matmul(net, kernel) + bias
        return activation(net) if activation else net


def write_partitioned(folder: Path) -> None:
    """A variable saved in two pieces, without a graph."""
    with tf.Graph().as_default() as graph:
        tf1.get_variable(
            "emb", [6, 4], partitioner=tf1.fixed_size_partitioner(2), use_resource=False,
            initializer=tf1.glorot_uniform_initializer(seed=3),
        )  # fmt: skip
        with demo_model.session(graph) as running:
            running.run(tf1.global_variables_initializer())
            saver = tf1.train.Saver(save_relative_paths=True)
            saver.save(running, str(folder / "model.ckpt"), write_meta_graph=False)


def write_object_checkpoint(folder: Path) -> None:
    """A tf.train.Checkpoint, as Keras and TF2 code write it."""
    kernel = tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="dense/kernel")
    bias = tf.Variable(np.zeros(3, np.float32), name="dense/bias")
    tree = tf.train.Checkpoint(layer=tf.train.Checkpoint(kernel=kernel, bias=bias))
    tree.write(str(folder / "object.ckpt"))


def write_manifest(root: Path) -> None:
    files = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name != "MANIFEST.json" and "golden" not in path.parts:
            data = path.read_bytes()
            if len(data) > LIMIT:
                raise SystemExit(f"{path} has {len(data)} bytes, over {LIMIT}")
            name = path.relative_to(root).as_posix()
            files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {
        "script": "scripts/make_fixtures.py",
        "tensorflow": tf.__version__,
        "licence": "Apache-2.0",
        "files": files,
    }
    (root / "MANIFEST.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()

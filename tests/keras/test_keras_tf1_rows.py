"""Rows of tables that TF1 trained sparsely, and runs whose gradients it clipped, go on in Keras."""

from __future__ import annotations

import numpy as np
import pytest
import tf1_runs

pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
pytestmark = pytest.mark.tf


def sparse_run(folder, make, after_gradients=lambda tf, pairs: pairs):
    """Two steps on rows of a table, a row twice among them, a checkpoint, two more."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        with tf1.variable_scope("net", use_resource=True):
            table = tf1.get_variable("table", initializer=TABLE)
        step = tf1.train.get_or_create_global_step()
        rows = tf1.placeholder(tf.int32, [3])
        loss = tf.reduce_sum(tf.square(tf.gather(table, rows) - 1.0))
        optimizer = make(tf1.train)
        pairs = after_gradients(tf, optimizer.compute_gradients(loss))
        op = optimizer.apply_gradients(pairs, step)
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            for at in range(4):
                if at == 2:
                    tf1.train.Saver().save(session, f"{folder}/model.ckpt")
                session.run(op, {rows: ROWS[at]})
            return session.run(table).tobytes()


TABLE = np.random.RandomState(7).standard_normal((5, 3)).astype(np.float32)
ROWS = np.array([[0, 1, 1], [4, 2, 4], [1, 0, 1], [3, 3, 1]], np.int32)
SPARSE = {
    **tf1_runs.OPTIMIZERS,
    "GradientDescent": lambda train, rate: train.GradientDescentOptimizer(rate),
}


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
@pytest.mark.parametrize("name", sorted(SPARSE))
def test_rows_of_a_table_go_on_bit_for_bit(tmp_path, name, library):
    import tensorflow as tf

    keras = pytest.importorskip(library)
    after = sparse_run(str(tmp_path), lambda train: SPARSE[name](train, 0.05))
    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 3)])
    names = {model.weights[0].name if library == "tf_keras" else model.weights[0].path: "net/table"}
    names = {name.removesuffix(":0"): stored for name, stored in names.items()}
    gmtf.load_weights(model, tmp_path, names)
    optimizer, report = gmtf.keras_optimizer(tmp_path, model, names, exact=True)
    assert report.exact
    table = model.trainable_variables[0]
    raw = getattr(table, "_value", table)
    for at in (2, 3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(tf.gather(raw, ROWS[at]) - 1.0))
        gradient = tape.gradient(loss, raw)
        assert isinstance(gradient, tf.IndexedSlices)
        optimizer.apply_gradients([(gradient, table)])
    assert table.numpy().tobytes() == after


def test_gradients_that_the_stored_graph_changes_are_told(tmp_path):
    keras = pytest.importorskip("keras")

    def clipped(tf, pairs):
        clip, _ = tf.clip_by_global_norm([g for g, _ in pairs], 1.0)
        return list(zip(clip, [v for _, v in pairs], strict=True))

    sparse_run(str(tmp_path), lambda train: train.AdagradOptimizer(0.1), clipped)
    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 3)])
    names = {model.weights[0].path: "net/table"}
    _, report = gmtf.keras_optimizer(tmp_path, model, names, exact=True)
    assert not report.exact
    assert any("clip_by_global_norm" in sentence for sentence in report.assumed)


@pytest.mark.parametrize(("name", "differs"), [("Momentum", True), ("Adagrad", False)])
def test_stock_class_says_that_it_moves_all_rows(tmp_path, name, differs):
    keras = pytest.importorskip("keras")
    sparse_run(str(tmp_path), lambda train: SPARSE[name](train, 0.05))
    model = keras.Sequential([keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 3)])
    _, report = gmtf.keras_optimizer(tmp_path, model, {model.weights[0].path: "net/table"})
    assert any("only the rows of net/table" in note for note in report.notes) == differs

"""Renamed by us, read and run by real TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphmap

tf = pytest.importorskip("tensorflow")
v1 = tf.compat.v1
pytestmark = pytest.mark.tf


def train(prefix, *, resource=True, sharded=False, steps=2):
    """Train a little; return the values saved and the next two losses."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        x = v1.placeholder(tf.float32, [None, 3], "x")
        with v1.variable_scope("net", use_resource=resource):
            w = v1.get_variable("w", [3, 4])
            table = v1.get_variable(
                "table", [8, 4], partitioner=v1.fixed_size_partitioner(2), use_resource=resource
            )
            rows = tf.nn.embedding_lookup(table, tf.range(8))
            out = tf.cond(
                tf.reduce_sum(x) > 0, lambda: tf.matmul(x, w), lambda: tf.matmul(x, w) * 2
            )
        v1.get_variable("words", initializer=tf.constant(["a", "bc"]), trainable=False)
        loss = tf.identity(tf.reduce_mean(out**2) + tf.reduce_mean(rows**2), "loss")
        step = v1.train.get_or_create_global_step()
        op = v1.train.AdamOptimizer(0.1).minimize(loss, step, name="train")
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(sharded=sharded)
        feed = {x: np.ones((2, 3), np.float32)}
        for _ in range(steps):
            session.run(op, feed)
        saver.save(session, str(prefix))
        return [session.run([loss, op], feed)[0] for _ in range(2)]


def values(prefix):
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_dtype_map()}


def resume(prefix, names=("x:0", "loss:0", "train")):
    """Import the .meta, restore, and return the next two losses."""
    with tf.Graph().as_default() as graph, v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, str(prefix))
        x, loss = (graph.get_tensor_by_name(name) for name in names[:2])
        feed = {x: np.ones((2, 3), np.float32)}
        op = graph.get_operation_by_name(names[2])
        return [session.run([loss, op], feed)[0] for _ in range(2)]


@pytest.mark.parametrize("resource", [True, False], ids=["resource", "ref"])
@pytest.mark.parametrize("sharded", [False, True], ids=["one file", "sharded"])
def test_checkpoint_and_graph(tmp_path, resource, sharded):
    losses = train(tmp_path / "old", resource=resource, sharded=sharded)
    old = values(tmp_path / "old")
    new_names = {"model/kernel": "net/w", "model/embedding": "net/table", "texts": "words"}
    report = graphmap.rename(tmp_path / "old", new_names, tmp_path / "new")
    new = values(tmp_path / "new")
    assert report.renamed["net/table/Adam_1"] == ("model/embedding/Adam_1",)
    assert "global_step" in report.kept and len(new) == len(old)
    for name, value in old.items():
        renamed = report.renamed.get(name, (name,))[0]
        assert np.array_equal(new[renamed], value), name
    assert "net/w" not in new and new["texts"].tolist() == [b"a", b"bc"]
    assert resume(tmp_path / "new") == losses
    assert [o.kind for op in graphmap.load(tmp_path / "new").train_ops for o in op.optimizers] == [
        "Adam"
    ]


@pytest.mark.parametrize("options", [{}, {"link": True}])
def test_there_and_back(tmp_path, options):
    train(tmp_path / "old")
    graphmap.rename(tmp_path / "old", None, tmp_path / "new", prefix="a/b/", **options)
    graphmap.rename(tmp_path / "new", None, tmp_path / "back", strip="a/b/", **options)
    for suffix in (".index", ".data-00000-of-00001"):
        assert (
            Path(f"{tmp_path}/back{suffix}").read_bytes()
            == Path(f"{tmp_path}/old{suffix}").read_bytes()
        )
    assert resume(tmp_path / "back") == resume(tmp_path / "old")


def test_names_can_be_swapped(tmp_path):
    train(tmp_path / "old")
    old = values(tmp_path / "old")
    swap = {"net/w": "net/table", "net/table": "net/w"}
    graphmap.rename(f"{tmp_path}/old.index", swap, tmp_path / "new")
    new = values(tmp_path / "new")
    assert np.array_equal(new["net/w"], old["net/table"])
    assert np.array_equal(new["net/table/Adam"], old["net/w/Adam"])


@pytest.mark.parametrize("compact", [True, False])
def test_a_subset(tmp_path, compact):
    train(tmp_path / "old")
    old = values(tmp_path / "old")
    report = graphmap.rename(
        tmp_path / "old", None, tmp_path / "new", prefix="p/", only="net", no_slots=True,
        compact=compact,
    )  # fmt: skip
    new = values(tmp_path / "new")
    assert set(new) == {"p/net/w", "p/net/table"}
    assert np.array_equal(new["p/net/table"], old["net/table"])
    assert not Path(f"{tmp_path}/new.meta").exists() and "global_step" in report.dropped
    sizes = [Path(f"{tmp_path}/{n}.data-00000-of-00001").stat().st_size for n in ("new", "old")]
    assert (sizes[0] == 4 * (12 + 32)) if compact else (sizes[0] == sizes[1])


class Layer(tf.Module):
    def __init__(self, seed):
        super().__init__()
        self.kernel = tf.Variable(
            tf.random.stateless_normal([2, 3], [seed, 1]), name="dense/kernel"
        )


def layers(*names, seed=1):
    root = tf.Module()
    for at, name in enumerate(names):
        setattr(root, name, Layer(seed + at))
    return root


def test_object_checkpoint_by_path(tmp_path):
    first, second = layers("a", "b"), layers("x", "b", seed=7)
    path = tf.train.Checkpoint(model=first).write(str(tmp_path / "old"))
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    renames = {f"model/x/kernel{suffix}": f"model/a/kernel{suffix}"}
    graphmap.rename(path, renames, tmp_path / "new")
    tf.train.Checkpoint(model=second).read(str(tmp_path / "new")).assert_consumed()
    assert np.array_equal(second.x.kernel, first.a.kernel)
    assert np.array_equal(second.b.kernel, first.b.kernel)
    graphmap.rename(tmp_path / "new", {a: e for e, a in renames.items()}, tmp_path / "back")
    assert (tmp_path / "back.index").read_bytes() == (tmp_path / "old.index").read_bytes()


def test_object_checkpoint_moved_deeper(tmp_path):
    first = layers("a", "b")
    path = tf.train.Checkpoint(model=first).write(str(tmp_path / "old"))
    graphmap.rename(path, None, tmp_path / "new", prefix="outer/")
    outer = tf.Module()
    outer.model = layers("a", "b", seed=9)
    tf.train.Checkpoint(outer=outer).read(str(tmp_path / "new")).expect_partial()
    assert np.array_equal(outer.model.a.kernel, first.a.kernel)
    graphmap.rename(tmp_path / "new", None, tmp_path / "back", strip="outer/")
    assert (tmp_path / "back.index").read_bytes() == (tmp_path / "old.index").read_bytes()


@pytest.mark.parametrize("link", [True, False])
def test_object_checkpoint_by_full_name(tmp_path, link):
    root = tf.Module()
    root.w = tf.Variable([1.0, 2.0], name="net/w")
    path = tf.train.Checkpoint(root=root).write(str(tmp_path / "old"))
    assert "net/w" in [variable.name for variable in graphmap.load(path).variables]
    graphmap.rename(path, {"model/kernel": "net/w"}, tmp_path / "new", link=link)
    with tf.Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("model/kernel", [2])
        v1.train.Saver([w]).restore(session, str(tmp_path / "new"))  # by name, as TF1 code does
        assert session.run(w).tolist() == [1.0, 2.0]


class Model(tf.Module):
    def __init__(self, vocabulary):
        super().__init__()
        init = tf.lookup.TextFileInitializer(vocabulary, tf.string, 0, tf.int64, -1)
        self.table = tf.lookup.StaticHashTable(init, -1)
        self.w = tf.Variable([1.0, 2.0], name="net/w")

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def run(self, text):
        return self.w * tf.cast(self.table.lookup(text), tf.float32)


def test_saved_model_of_tf2(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    model = Model(str(tmp_path / "words.txt"))
    tf.saved_model.save(model, str(tmp_path / "old"), signatures=model.run)
    graphmap.rename(tmp_path / "old", {"outer/kernel": "net/w"}, tmp_path / "new")
    loaded = tf.saved_model.load(str(tmp_path / "new"))
    assert loaded.w.name == "outer/kernel:0" and loaded.w.numpy().tolist() == [1.0, 2.0]
    assert loaded.run("b").numpy().tolist() == [1.0, 2.0]
    assert {v.name for v in graphmap.load(tmp_path / "new").variables} >= {"outer/kernel"}


def test_saved_model_of_tf1(tmp_path):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [2], "x")
        w = v1.get_variable("net/w", initializer=[1.0, 2.0])
        y = tf.multiply(x, w, name="y")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "old"), {"x": x}, {"y": y})
    graphmap.rename(tmp_path / "old", {"model/kernel": "net/w"}, tmp_path / "new")
    with tf.Graph().as_default() as graph, v1.Session() as session:
        v1.saved_model.load(session, ["serve"], str(tmp_path / "new"))
        assert session.run("y:0", {"x:0": [3.0, 4.0]}).tolist() == [3.0, 8.0]
        assert [v.op.name for v in v1.global_variables()] == ["model/kernel"]
        graph.get_operation_by_name("model/kernel")


def test_control_flow_of_version_1(tmp_path):
    v1.disable_control_flow_v2()
    try:
        losses = train(tmp_path / "old", resource=False)
    finally:
        v1.enable_control_flow_v2()
    graphmap.rename(tmp_path / "old", None, tmp_path / "new", rules=[("net/(.*)", r"m/n/\1")])
    assert resume(tmp_path / "new") == losses

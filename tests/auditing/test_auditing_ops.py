"""Ops that do harm are found wherever they stand; those of every trained graph are notes."""

from __future__ import annotations

import pytest

import graphmap

tf = pytest.importorskip("tensorflow")
v1 = tf.compat.v1
pytestmark = pytest.mark.tf


def read():
    return tf.strings.length(tf.io.read_file("/etc/hostname"))


def in_cond():
    return tf.cond(v1.placeholder(tf.bool, [], "p"), read, lambda: 0)


def in_while():
    return tf.while_loop(lambda i: i < 3, lambda i: i + read(), [tf.constant(0)])


def in_nested():
    @tf.function
    def inner():
        return read()

    @tf.function
    def outer():
        return inner()

    return outer()


def graph_of(build):
    with tf.Graph().as_default() as graph:
        build()
    return graph


WRITERS = {
    "pb": lambda graph, path: path.write_bytes(graph.as_graph_def().SerializeToString()),
    "pbtxt": lambda graph, path: path.write_text(str(graph.as_graph_def())),
    "meta": lambda graph, path: v1.train.export_meta_graph(
        str(path), graph=graph, graph_def=graph.as_graph_def()
    ),
}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("build", [in_cond, in_while, in_nested, read])
@pytest.mark.parametrize("control_flow_v2", [True, False])
def test_read_file_is_found_everywhere(tmp_path, build, suffix, control_flow_v2):
    (v1.enable_control_flow_v2 if control_flow_v2 else v1.disable_control_flow_v2)()
    path = tmp_path / f"graph.{suffix}"
    try:
        WRITERS[suffix](graph_of(build), path)
    finally:
        v1.enable_control_flow_v2()
    assert [(f.op, f.severity) for f in graphmap.audit(path).serious] == [("ReadFile", "high")]


def saver(**options):
    v1.get_variable("w", [2])
    return v1.train.Saver(**options)


def save_elsewhere():
    w = v1.get_variable("w", [2])
    tf.raw_ops.SaveV2(prefix="/root/.ssh/x", tensor_names=["w"], shape_and_slices=[""], tensors=[w])


def restore_fixed():
    tf.raw_ops.RestoreV2(
        prefix="/data/m.ckpt", tensor_names=["w"], shape_and_slices=[""], dtypes=[tf.float32]
    )


def fixed_vocabulary():
    init = tf.lookup.TextFileInitializer("/etc/passwd", tf.string, 0, tf.int64, -1)
    tf.lookup.StaticHashTable(init, -1)


def fed_summaries():
    tf.summary.create_file_writer(v1.placeholder(tf.string, [], "where"))


def fixed_summaries():
    writer = tf.summary.create_file_writer("/tmp/events")
    tf.raw_ops.WriteScalarSummary(writer=writer._resource, step=0, tag="loss", value=1.0)


def an_assert():
    tf.debugging.assert_equal(v1.placeholder(tf.int32, []), 2)


def cache(name):
    return lambda: tf.data.Dataset.range(3).cache(name)._variant_tensor


@pytest.mark.parametrize(
    ("build", "serious"),
    [
        pytest.param(lambda: saver(), {}, id="a Saver"),
        pytest.param(lambda: saver(sharded=True), {}, id="a sharded Saver"),
        pytest.param(
            lambda: saver(write_version=v1.train.SaverDef.V1), {}, id="a Saver of V1 files"
        ),
        pytest.param(save_elsewhere, {"SaveV2": "critical"}, id="saves to a fixed path"),
        pytest.param(restore_fixed, {"RestoreV2": "high"}, id="restores from a fixed path"),
        pytest.param(
            fixed_vocabulary, {"InitializeTableFromTextFileV2": "high"}, id="vocabulary elsewhere"
        ),
        pytest.param(an_assert, {}, id="an Assert"),
        pytest.param(lambda: v1.summary.scalar("loss", 1.0), {}, id="a summary as a string"),
        pytest.param(fed_summaries, {}, id="a summary writer that is told where"),
        pytest.param(
            fixed_summaries,
            {"CreateSummaryFileWriter": "critical", "WriteScalarSummary": "critical"},
            id="a summary writer at a fixed place",
        ),
        pytest.param(cache(""), {}, id="a cache in memory"),
        pytest.param(cache("/tmp/c"), {"CacheDataset": "critical"}, id="a cache in a file"),
        pytest.param(lambda: tf.print("x"), {}, id="prints to stderr"),
        pytest.param(
            lambda: tf.print("x", output_stream="file:///tmp/x"),
            {"PrintV2": "critical"},
            id="prints into a file",
        ),
    ],
)  # fmt: skip
def test_context_decides(tmp_path, build, serious):
    path = tmp_path / "graph.meta"
    WRITERS["meta"](graph_of(build), path)
    found = {finding.op: finding.severity for finding in graphmap.audit(path).serious}
    assert found == serious


def test_an_op_that_tensorflow_does_not_know(tmp_path):
    proto = graph_of(lambda: tf.constant(1.0)).as_graph_def()
    proto.node.add(name="own", op="MyOwnOp")
    path = tmp_path / "graph.pb"
    path.write_bytes(proto.SerializeToString())
    (found,) = graphmap.audit(path)
    assert (found.op, found.severity, found.rule) == ("MyOwnOp", "unknown", "op-unknown")


class Model(tf.Module):
    """A module with a vocabulary asset and a variable."""

    def __init__(self, vocabulary, body):
        super().__init__()
        init = tf.lookup.TextFileInitializer(vocabulary, tf.string, 0, tf.int64, -1)
        self.table = tf.lookup.StaticHashTable(init, -1)
        self.w = tf.Variable(1.0)
        self.body = body

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def run(self, text):
        return self.w + tf.cast(self.table.lookup(self.body(text)), tf.float32)


@pytest.mark.parametrize(
    ("body", "serious"),
    [
        (tf.strings.strip, []),
        (lambda text: tf.cond(tf.strings.length(text) > 3, lambda: tf.io.read_file(text),
                              lambda: text), ["ReadFile"]),
    ],
)  # fmt: skip
def test_saved_model(tmp_path, body, serious):
    (tmp_path / "words.txt").write_text("a\nb\n")
    model = Model(str(tmp_path / "words.txt"), body)
    tf.saved_model.save(model, str(tmp_path / "model"))
    found = graphmap.audit(tmp_path / "model")
    assert [finding.op for finding in found.serious] == serious
    assert {"SaveV2", "RestoreV2", "InitializeTableFromTextFileV2"} <= {f.op for f in found}


def test_a_graph_under_tags_that_nobody_asks_for(tmp_path):
    for folder, op in (("a", lambda: tf.constant(1.0, name="x")), ("b", read)):
        builder = v1.saved_model.Builder(str(tmp_path / folder))
        with tf.Graph().as_default(), v1.Session() as session:
            op()
            builder.add_meta_graph_and_variables(session, ["serve"])
        builder.save()
    from tensorflow.core.protobuf import saved_model_pb2

    both = saved_model_pb2.SavedModel()
    for folder in ("a", "b"):
        both.MergeFromString((tmp_path / folder / "saved_model.pb").read_bytes())
    (tmp_path / "a" / "saved_model.pb").write_bytes(both.SerializeToString())
    assert [finding.op for finding in graphmap.audit(tmp_path / "a").serious] == ["ReadFile"]


def test_a_file_that_went_through_a_text_decoder(tmp_path):
    path = tmp_path / "graph.pb"
    graph = graph_of(lambda: (read(), tf.constant([1.5e-30, -3.7e30, 2.9e-5] * 9)))
    data = graph.as_graph_def().SerializeToString()
    path.write_bytes(data.decode("utf-8", "replace").encode())
    found = graphmap.audit(path)
    assert [(f.op, f.severity) for f in found] == [("ReadFile", "high"), ("file", "unknown")]

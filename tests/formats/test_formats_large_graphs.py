"""Graphs read where they lie: large constants stay in the file, and nothing else changes."""

import numpy
import pytest

import graphmap
from graphmap.errors import CorruptArtifactError
from graphmap.formats.graphdef import graph_model
from graphmap.formats.registry import read_artifact
from graphmap.formats.wire import encode_field
from graphmap.schema import message_class

KERNEL = numpy.arange(1 << 20, dtype="<f4").reshape(1024, 1024)  # 4 MB: the file is mapped


def constant(node, value, *, name="k", dtype=1):
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = dtype
    tensor = node.attr["value"].tensor
    tensor.dtype = 1
    for size in value.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = value.tobytes()


def frozen(value=KERNEL, calls="", **options):
    graph = message_class("GraphDef")()
    for at in range(700):  # more than are parsed at once
        graph.node.add(name=f"p{at}", op="Placeholder").attr["dtype"].type = 1
    constant(graph.node.add(), value, **options)
    last = graph.node.add(name="m", op="MatMul", input=["p0", "k", "^p1"], device="/cpu:0")
    if calls:
        last.attr["f"].func.name = calls
    graph.versions.producer = 1087
    return graph


def write(tmp_path, data, name="frozen.pb"):
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


def plain(graph):
    return [(n.name, n.op, n.inputs, n.device, sorted(n.attrs)) for n in graph.nodes]


def test_a_large_constant_is_a_view_of_the_file(tmp_path):
    artifact = graphmap.load(write(tmp_path, frozen().SerializeToString()))
    value = artifact.read("k")
    assert artifact.warnings == ()
    numpy.testing.assert_array_equal(value, KERNEL)
    assert not value.flags.owndata and not value.flags.writeable
    held = value
    while isinstance(held, numpy.ndarray):
        held = held.base
    assert isinstance(held, memoryview), "the file itself, mapped, is what holds the values"


def test_all_else_is_as_protobuf_reads_it(tmp_path):
    proto = frozen()
    data = proto.SerializeToString()
    read = read_artifact(write(tmp_path, data)).graph
    assert plain(read) == plain(graph_model(proto))
    assert (read.producer, read.raw()) == (1087, data)
    shape = read.find("k").attrs["value"].shape
    assert shape == (1024, 1024)


def test_a_large_constant_in_a_function_body_and_a_meta_graph(tmp_path):
    meta = message_class("MetaGraphDef")()
    meta.graph_def.node.add(name="p", op="Placeholder")
    body = meta.graph_def.library.function.add()
    body.signature.name = "F"
    constant(body.node_def.add(), KERNEL)
    stored = read_artifact(write(tmp_path, meta.SerializeToString(), "model.meta"))
    (node,) = stored.graph.functions[0].nodes
    numpy.testing.assert_array_equal(node.attrs["value"].array(), KERNEL)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"value": KERNEL[:, :-1]}, None),
        ({"dtype": 2}, "constant k is said to be float64 and holds float32"),
        ({"calls": "Gone"}, "the library lacks functions that are called: Gone"),
    ],
    ids=["sound", "type", "call"],
)
def test_defects_are_told_of_later_nodes_too(tmp_path, options, told):
    stored = read_artifact(write(tmp_path, frozen(**options).SerializeToString()))
    assert stored.warnings == ((told,) if told else ())


def test_a_content_that_is_too_short_is_told(tmp_path):
    proto = frozen()
    proto.node[700].attr["value"].tensor.tensor_content = KERNEL.tobytes()[:-4]
    (warning,) = read_artifact(write(tmp_path, proto.SerializeToString())).warnings
    assert warning == "constant k holds 4194300 bytes where 4194304 are needed"


def entry(key, value):
    return encode_field(5, encode_field(1, key.encode()) + encode_field(2, value))


def content(fill):
    return encode_field(4, bytes([fill]) * (1 << 17))


TENSOR = b"\x08\x04"  # uint8
SHAPE = encode_field(2, encode_field(2, b"\x08\x80\x80\x08"))  # [131072]
HEAD = encode_field(1, b"k") + encode_field(2, b"Const")
ODD = {
    "key twice": HEAD
    + entry("value", encode_field(8, TENSOR + SHAPE + content(1)))
    + entry("value", encode_field(8, TENSOR + SHAPE + content(2))),
    "content twice": HEAD
    + entry("value", encode_field(8, TENSOR + SHAPE + content(1) + content(2))),
    "tensor twice": HEAD
    + entry("value", encode_field(8, TENSOR + SHAPE + content(1)) + encode_field(8, content(2))),
}


@pytest.mark.parametrize("node", ODD.values(), ids=ODD.keys())
def test_what_stands_twice_is_left_to_protobuf(tmp_path, node):
    data = encode_field(1, encode_field(1, b"p") + encode_field(2, b"NoOp")) + encode_field(1, node)
    stored = read_artifact(write(tmp_path, data))
    assert stored.graph.find("k").attrs["value"].array()[0] == 2


@pytest.mark.parametrize(
    "data",
    [
        frozen().SerializeToString()[:-3],
        frozen().SerializeToString() + b"\x0a\xff\xff\xff\xff\x0f",
        frozen().SerializeToString() + b"\x0a",
        frozen().SerializeToString() + encode_field(1, encode_field(1, b"\xff")),
    ],
    ids=["cut", "beyond", "no length", "no UTF-8"],
)
def test_damage_is_refused(tmp_path, data):
    with pytest.raises(CorruptArtifactError, match="is no readable GraphDef"):
        read_artifact(write(tmp_path, data))


def test_a_key_of_more_bytes_than_it_needs_loses_no_node(tmp_path):
    extra = encode_field(1, b"late") + encode_field(2, b"NoOp")
    data = frozen().SerializeToString() + b"\x8a\x00" + bytes([len(extra)]) + extra
    assert read_artifact(write(tmp_path, data)).graph.nodes[-1].name == "late"


def test_a_graph_in_two_pieces_is_merged(tmp_path):
    first, second = message_class("MetaGraphDef")(), message_class("MetaGraphDef")()
    first.graph_def.node.add(name="a", op="NoOp")
    second.graph_def.node.add(name="b", op="NoOp", input=["^a"])
    second.meta_info_def.tensorflow_version = "1.15.0"
    data = first.SerializeToString() + second.SerializeToString()
    stored = read_artifact(write(tmp_path, data, "model.meta"))
    assert [node.name for node in stored.graph.nodes] == ["a", "b"]
    assert (stored.producer, stored.warnings) == ("tensorflow 1.15.0", ())

"""GraphDefs, MetaGraphDefs and SavedModels, binary and text."""

import contextlib
import sys

import numpy
import pytest
from bundle_writer import write_bundle
from google.protobuf import text_format

from graphmap.errors import ArtifactError, CorruptArtifactError, UsageError
from graphmap.formats.protokind import binary_kind
from graphmap.formats.registry import read_artifact
from graphmap.model.graph import FunctionRef, ShapeValue
from graphmap.model.meta import Signature, TensorInfo, VariableDef
from graphmap.schema import message_class


def make_graph():
    graph = message_class("GraphDef")()
    graph.versions.producer = 27
    const = graph.node.add(name="c", op="Const", device="/cpu:0")
    const.attr["dtype"].type = 1
    const.attr["value"].tensor.dtype = 1
    const.attr["value"].tensor.tensor_shape.dim.add(size=3)
    const.attr["value"].tensor.float_val.append(1.5)
    node = graph.node.add(name="n", op="Mul", input=["c", "c:0", "^c"])
    node.attr["s"].s = b"\xff"
    node.attr["b"].b = True
    node.attr["i"].i = -4
    node.attr["f"].f = 0.5
    node.attr["T"].type = 101
    node.attr["shape"].shape.dim.add(size=-1)
    node.attr["unknown"].shape.unknown_rank = True
    node.attr["list"].list.i.extend([1, 2])
    node.attr["empty"].list.SetInParent()
    node.attr["fn"].func.name = "body"
    function = graph.library.function.add()
    function.signature.name = "body"
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    function.node_def.add(name="inner", op="Neg", input=["x"])
    function.ret["y"] = "inner:y:0"
    return graph


def make_meta():
    meta = message_class("MetaGraphDef")()
    meta.meta_info_def.tensorflow_version = "1.15.0"
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.CopyFrom(make_graph())
    meta.saver_def.filename_tensor_name = "save/Const:0"
    meta.saver_def.save_tensor_name = "save/Identity:0"
    meta.saver_def.restore_op_name = "save/restore_all"
    meta.collection_def["train_op"].node_list.value.append("Adam")
    variable = message_class("VariableDef")(variable_name="w/part_0:0", trainable=True)
    variable.save_slice_info_def.full_name = "w"
    variable.save_slice_info_def.var_offset.extend([2, 0])
    variable.save_slice_info_def.var_shape.extend([2, 3])
    variables = meta.collection_def["trainable_variables"].bytes_list.value
    variables.extend([variable.SerializeToString(), b"\xff\xff"])
    signature = meta.signature_def["serving_default"]
    signature.method_name = "predict"
    signature.inputs["x"].name = "c:0"
    signature.inputs["x"].dtype = 1
    signature.inputs["x"].tensor_shape.unknown_rank = True
    return meta


def make_saved_model():
    saved = message_class("SavedModel")(saved_model_schema_version=1)
    for tag in ("train", "serve"):
        meta = saved.meta_graphs.add()
        meta.CopyFrom(make_meta())
        meta.meta_info_def.tags[:] = [tag]
    return saved


@pytest.fixture(params=["binary", "text"])
def write(request, tmp_path):
    def write(name, message):
        if request.param == "binary":
            data = message.SerializeToString()
            suffix = ".pb"
        else:
            data = b"# by hand\n" + text_format.MessageToString(message).encode()
            suffix = ".pbtxt"
        (tmp_path / (name + suffix)).write_bytes(data)
        return str(tmp_path / (name + suffix))

    return write


def test_a_graph(write):
    model = read_artifact(write("g", make_graph()))
    assert (model.kind, model.warnings) == ("graphdef", ())
    graph = model.graph
    assert graph.producer == 27
    assert [(n.name, n.op, n.inputs, n.device) for n in graph.nodes] == [
        ("c", "Const", (), "/cpu:0"),
        ("n", "Mul", ("c", "c:0", "^c"), ""),
    ]
    attrs = dict(graph.nodes[1].attrs)
    assert attrs == {
        "s": b"\xff", "b": True, "i": -4, "f": 0.5, "T": "float32_ref",
        "shape": ShapeValue((None,)), "unknown": ShapeValue(None), "list": (1, 2), "empty": (),
        "fn": FunctionRef("body"),
    }  # fmt: skip
    assert "missing" not in graph.nodes[1].attrs
    with pytest.raises(KeyError):
        graph.nodes[1].attrs["missing"]
    assert graph.nodes[1].attrs.get("missing") is None
    value = graph.nodes[0].attrs["value"]
    assert (value.dtype, value.shape, list(value.array())) == ("float32", (3,), [1.5] * 3)
    body = graph.function_index["body"]
    assert (body.inputs, body.outputs) == ((("x", "float32"),), (("y", "float32"),))
    assert (body.nodes[0].op, body.returns) == ("Neg", {"y": "inner:y:0"})
    assert binary_kind(graph.raw()) == "graphdef"


def test_a_meta_graph(write):
    model = read_artifact(write("m", make_meta()))
    assert (model.kind, model.producer) == ("metagraph", "tensorflow 1.15.0")
    assert model.meta.tags == ("serve",)
    assert model.meta.node_lists == {"train_op": ("Adam",)}
    assert model.meta.counts == {"train_op": 1, "trainable_variables": 2}
    assert model.meta.variables == {
        "trainable_variables": (VariableDef("w/part_0", True, False, "w", (2, 0), (2, 3)),)
    }
    assert model.meta.signatures == {
        "serving_default": Signature("predict", {"x": TensorInfo("c:0", "float32", None)}, {})
    }
    assert model.meta.saver == ("save/Const:0", "save/Identity:0", "save/restore_all")
    assert "no variable" in model.warnings[0]


def test_a_saved_model(write, tmp_path):
    (tmp_path / "variables").mkdir()
    write_bundle(tmp_path / "variables" / "variables", {"w": (1, (), b"\0" * 4)})
    path = write("saved_model", make_saved_model())
    for typed in (path, str(tmp_path)):
        model = read_artifact(typed)
        assert model.kind == "saved-model"
        assert (model.meta.tags, model.all_tags) == (("train",), (("train",), ("serve",)))
        assert "took the first (train)" in model.warnings[0]
        assert model.values.read("w") == 0
        assert model.saved_model_dir == str(tmp_path)
    chosen = read_artifact(path, tags="serve")
    assert chosen.meta.tags == ("serve",)
    assert not any("took" in warning for warning in chosen.warnings)


def test_a_saved_model_with_the_same_tags_twice(write):
    proto = make_saved_model()
    proto.meta_graphs.append(proto.meta_graphs[1])
    chosen = read_artifact(write("saved_model", proto), tags="serve")
    assert chosen.meta.tags == ("serve",)
    assert any("holds 2 graphs with the tags serve" in warning for warning in chosen.warnings)
    with pytest.raises(UsageError, match="no graph has the tags"):
        read_artifact(write("saved_model", proto), tags="serve,gpu")


@pytest.mark.parametrize(
    ("make", "kind"),
    [(make_graph, "graphdef"), (make_meta, "metagraph"), (make_saved_model, "saved-model")],
)
def test_kinds_are_told_from_the_first_bytes(make, kind):
    assert binary_kind(make().SerializeToString()[:200]) == kind


def test_kinds_of_bare_messages():
    graph = make_graph()
    del graph.node[:]
    assert binary_kind(graph.SerializeToString()) == "graphdef"
    graph.library.Clear()
    assert binary_kind(graph.SerializeToString()) == "graphdef"
    meta = message_class("MetaGraphDef")()
    meta.graph_def.CopyFrom(make_graph())
    assert binary_kind(meta.SerializeToString()) == "metagraph"
    saved = make_saved_model()
    saved.saved_model_schema_version = 0
    assert binary_kind(saved.SerializeToString()) == "saved-model"


def test_a_field_of_a_later_tensorflow_is_skipped_and_said(tmp_path):
    (tmp_path / "g.pbtxt").write_text('node { name: "a" op: "NoOp" colour: "red" }')
    model = read_artifact(str(tmp_path / "g.pbtxt"))
    assert model.graph.nodes[0].op == "NoOp"
    assert "colour" in model.warnings[0]


def test_deep_text_is_an_error_and_no_traceback(tmp_path):
    deep = 'node { attr { key: "k" value { func { name: "f" ' + "attr { value { func { " * 5000
    (tmp_path / "g.pbtxt").write_text(deep)
    with pytest.raises(CorruptArtifactError):
        read_artifact(str(tmp_path / "g.pbtxt"))


@pytest.mark.parametrize(
    ("dtype", "field", "values", "wanted"),
    [
        (3, "int_val", [1, 2], numpy.array([1, 2, 2], "i4")),
        (9, "int64_val", [], numpy.zeros(3, "i8")),
        (10, "bool_val", [True], numpy.array([True] * 3)),
        (19, "half_val", [0x3C00], numpy.ones(3, "f2")),
        (8, "scomplex_val", [1, 2], numpy.full(3, 1 + 2j, "c8")),
        (6, "int_val", [-1], numpy.full(3, -1, "i1")),
        (1, "tensor_content", numpy.arange(3, dtype="f4").tobytes(), numpy.arange(3, dtype="f4")),
        (7, "string_val", [b"a"], numpy.array([b"a"] * 3, dtype=object)),
    ],
)
def test_constants(tmp_path, dtype, field, values, wanted):
    graph = message_class("GraphDef")()
    tensor = graph.node.add(name="c", op="Const").attr["value"].tensor
    tensor.dtype = dtype
    tensor.tensor_shape.dim.add(size=3)
    if isinstance(values, bytes):
        tensor.tensor_content = values
    else:
        getattr(tensor, field).extend(values)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    array = read_artifact(str(tmp_path / "g.pb")).graph.nodes[0].attrs["value"].array()
    assert array.dtype == wanted.dtype
    assert array.tolist() == wanted.tolist()


@pytest.mark.parametrize("size", [2**40, -1, 1])
def test_constants_whose_shape_cannot_be_true(tmp_path, size):
    graph = message_class("GraphDef")()
    tensor = graph.node.add(name="c", op="Const").attr["value"].tensor
    tensor.dtype = 1
    tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend([1, 2])
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    value = read_artifact(str(tmp_path / "g.pb")).graph.nodes[0].attrs["value"]
    assert value.shape == (size,)
    with pytest.raises(CorruptArtifactError):
        value.array()


def test_every_cut_of_a_meta_graph_is_read_or_refused(tmp_path):
    whole = make_meta().SerializeToString()
    for end in range(1, len(whole), 7):
        (tmp_path / "m.meta").write_bytes(whole[:end])
        with contextlib.suppress(ArtifactError):
            read_artifact(str(tmp_path / "m.meta"))


def test_our_messages_live_beside_those_of_tensorflow():
    name = message_class("GraphDef").DESCRIPTOR.full_name
    assert name == "graphmap.schema.GraphDef"
    assert "tensorflow" not in sys.modules or name != "tensorflow.GraphDef"

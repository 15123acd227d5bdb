"""Each defect of a graph, its library and its MetaGraph: one sentence that names an example."""

import pytest

from graphmap.model.graph import Function, FunctionRef, GraphModel, Node, TensorValue
from graphmap.model.graph_check import fatal_defects, find_defects
from graphmap.model.meta import Signature, TensorInfo, VariableDef
from graphmap.model.meta_check import asset_defect, meta_defects
from graphmap.model.stored import MetaInfo


def node(name, *inputs, op="Identity", **attrs):
    return Node(name, op, inputs, "", attrs)


def tensor(dtype="float32", shape=(2,), defect=""):
    return TensorValue(dtype, shape, lambda: None, lambda: defect)


def const(name="k", **options):
    return node(name, op="Const", dtype="float32", value=tensor(**options))


def calls(name, *functions):
    return node(name, op="PartitionedCall", f=tuple(map(FunctionRef, functions)))


def function(name, *nodes, returns=None):
    outputs = (("o", "float32"),)
    return Function(name, (("i", "float32"),), outputs, nodes, returns or {"o": "n:output:0"}, {})


def body(name, *called):
    return function(name, node("n", "i"), *(calls(f"c{at}", f) for at, f in enumerate(called)))


X = node("x", op="Placeholder", dtype="float32")
LOOP = (
    node("e", "x", op="Enter"),
    node("m", "e", "n", op="Merge"),
    node("n", "m", op="NextIteration"),
)

DEFECTS = [
    ([X, node("a", "x:99999999999999999999")], "inputs of a"),
    ([X, node("a", "x:" + "9" * 5000)], "inputs of a"),
    (
        [X, node("c", op="NoOp"), node("a", "^c", "x")],
        "control input stands before a data input of a",
    ),
    ([X, node("a", "x", "n", op="Add"), node("n", "a", op="NextIteration")], "cycle"),
    ([X, node("a<b")], "TensorFlow refuses: a<b"),
    ([X, node("_a")], "TensorFlow refuses: _a"),
    ([node("a", op="NoOp", _class=(b"loc:@ghost",))], "colocated with nodes that are not there: a"),
    ([node("a", op="Placeholder", dtype=())], "holds no type in a"),
    ([node("k", op="Const", dtype="float32")], "constant k holds no value"),
    ([const(dtype="int64")], "constant k is said to be float32 and holds int64"),
    ([const(defect="holds 8 bytes where 4 are needed")], "k holds 8 bytes where 4 are needed"),
]
DOUBLING = [body("F0"), *(body(f"F{i}", f"F{i - 1}", f"F{i - 1}") for i in range(1, 41))]
CHAIN = tuple(body(f"F{i}", *([f"F{i + 1}"] if i < 1999 else [])) for i in range(2000))
LIBRARIES = [
    ([calls("a", "F")], [body("F", "F")], "circle: F"),
    ([calls("a", "F")], [body("F", "G"), body("G", "H"), body("H", "G")], "circle: G, H"),
    ([calls("a", "F")], [], "lacks functions that are called: F"),
    ([calls("a", "F")], [body("F"), body("F")], "stand twice: F"),
    ([X], [body("")], "without a name"),
    ([X], [function("F", node("n", "i"), returns={"o": "ghost:output:0"})], "returns what is not"),
    ([X], [function("F", node("n", "ghost:output:0"))], "inputs of n"),
    ([X], [function("F", node("n", "i"), node("n", "i"))], "stand twice"),
    ([X], [function("F", node("n", op="Const", value=tensor(defect="is odd")))], "F is odd"),
    ([calls("a", "F40")], DOUBLING, "unfold to"),
]


@pytest.mark.parametrize(("nodes", "sentence"), DEFECTS)
def test_each_defect_of_a_graph_is_one_sentence(nodes, sentence):
    (found,) = find_defects(GraphModel(tuple(nodes)))
    assert sentence in found


@pytest.mark.parametrize(("nodes", "functions", "sentence"), LIBRARIES)
def test_each_defect_of_a_library_is_one_sentence(nodes, functions, sentence):
    graph = GraphModel(tuple(nodes), tuple(functions))
    (found,) = find_defects(graph)
    assert sentence in found
    assert fatal_defects(graph) == (found,)


@pytest.mark.parametrize(
    ("nodes", "functions"),
    [
        ((X, *LOOP, node("m2", "e", "n", op="Merge")), ()),
        ((X, node("a", "x:999"), node("b", "x", "^a", "^a")), ()),
        ((node("a", op="NoOp", _class=(b"loc:@a",)), const()), ()),
        ((calls("a", "F0"),), CHAIN),
        ((X, node("f", "x", op="F")), (body("F"), body("G", "F", "F"))),
    ],
    ids=["loop", "slots", "class", "chain of 2,000 functions", "op named after a function"],
)  # fmt: skip
def test_a_sound_graph_has_nothing_to_say(nodes, functions):
    assert find_defects(GraphModel(tuple(nodes), tuple(functions))) == ()


@pytest.mark.parametrize(("producer", "consumer"), [(-1, 0), (1205, 99_999)])
def test_versions_that_no_reader_has(producer, consumer):
    (found,) = find_defects(GraphModel((X,), producer=producer, min_consumer=consumer))
    assert "version" in found


def ghost(**fields):
    return MetaInfo(**fields)


@pytest.mark.parametrize(
    ("meta", "sentence"),
    [
        (ghost(node_lists={"train_op": ("ghost",)}), "collection 'train_op' names nodes"),
        (ghost(variables={"v": (VariableDef("ghost", True, False, None),)}), "without a node"),
        (ghost(saver=("ghost:0", "", "")), "saver names nodes"),
        (ghost(signatures={"s": Signature("", {"i": TensorInfo("ghost:0", "float32", ())}, {})}),
         "signature 's' names tensors"),
        (ghost(assets=(("path:0", "../secret"),)), "outside the folder for assets"),
    ],
)  # fmt: skip
def test_each_name_that_the_graph_lacks_is_told(meta, sentence):
    (found,) = meta_defects(GraphModel((X,)), meta)
    assert sentence in found


def test_a_save_op_needs_a_name_for_each_tensor():
    names = node("names", op="Const", dtype="string", value=tensor("string", (1,)))
    save = node("save", "x", "names", "names", "x", "x", op="SaveV2")
    (found,) = meta_defects(GraphModel((X, names, save)), MetaInfo())
    assert "save" in found
    assert (
        meta_defects(GraphModel((X, names, save._replace(inputs=save.inputs[:4]))), MetaInfo())
        == ()
    )


@pytest.mark.parametrize(
    "name", ["", "a\0b", "/etc/passwd", "..", "a/../b", "a\\..\\b", "c:\\x", "gs://b/x"]
)
def test_assets_that_lead_out(name):
    assert asset_defect(name)


@pytest.mark.parametrize("name", ["vocab.txt", "a/b.txt", "a..b", "...", "é"])
def test_assets_that_stay(name):
    assert asset_defect(name) == ""

"""Calls, loops, unrolled steps, knobs and lanes."""

from __future__ import annotations

import time

import pytest
from render_graphs import GraphWriter

from graphmap.model.graph import Function, FunctionRef, GraphModel, Node, ShapeValue
from graphmap.model.meta import Signature, TensorInfo
from graphmap.model.stored import MetaInfo, StoredModel
from graphmap.model.training import OptimizerSpec, TrainOp
from graphmap.render import build_picture
from graphmap.render.inlining import inline_calls
from graphmap.render.scene import Scene


def titles(scene: Scene) -> list[str]:
    return [row.title for card in scene.cards for row in card.rows]


def counted(scene: Scene) -> int:
    drawn = sum(row.nodes for card in scene.cards for row in card.rows)
    return drawn + sum(item.nodes for item in scene.omitted)


def node(name: str, op: str, *inputs: str, **attrs: FunctionRef | ShapeValue) -> Node:
    return Node(name, op, inputs, "", attrs)


def saved_model(functions: tuple[Function, ...]) -> StoredModel:
    nodes = (
        node("x", "Placeholder"),
        node("W", "VarHandleOp", shape=ShapeValue((4, 2))),
        node("call", "StatefulPartitionedCall", "x", "W", f=FunctionRef("outer")),
    )
    info = TensorInfo("call:0", "float32", None)
    meta = MetaInfo(signatures={"serving_default": Signature("predict", {}, {"y": info})})
    return StoredModel("sm", "saved-model", graph=GraphModel(nodes, functions), meta=meta)


ARGUMENTS = (("a", "float32"), ("w", "resource"))
OUTER = Function(
    "outer", ARGUMENTS, (("r", "float32"),),
    (node("inner_call", "PartitionedCall", "a", "w", f=FunctionRef("inner")),),
    {"r": "inner_call:output:0"}, {},
)  # fmt: skip
INNER = Function(
    "inner", ARGUMENTS, (("r", "float32"),),
    (
        node("dense/read", "ReadVariableOp", "w"),
        node("dense/MatMul", "MatMul", "a", "dense/read:value:0"),
    ),
    {"r": "dense/MatMul:product:0"}, {},
)  # fmt: skip


def test_calls_of_a_signature_are_opened() -> None:
    scene, _ = build_picture(saved_model((OUTER, INNER)), (), ())
    rows = {row.title: row for card in scene.cards for row in card.rows}
    assert rows["dense"].weights == "4×2"
    assert "outputs of serving_default" in rows
    assert counted(scene) == scene.nodes


def test_functions_that_call_each_other_end() -> None:
    call = node("again", "PartitionedCall", "a", "w", f=FunctionRef("outer"))
    circle = Function("inner", ARGUMENTS, OUTER.outputs, (call,), {"r": "again:output:0"}, {})
    stored = saved_model((OUTER, circle))
    assert stored.graph is not None
    assert len(inline_calls(stored, stored.graph).nodes) < 10


def test_a_bomb_of_calls_ends() -> None:
    """Each function calls the next one ten times: 10^30 nodes if nothing stops it."""
    functions = []
    for level in range(30):
        calls = tuple(
            node(f"c{k}", "PartitionedCall", "a", "w", f=FunctionRef(f"f{level + 1}"))
            for k in range(10)
        )
        name = "outer" if level == 0 else f"f{level}"
        functions.append(Function(name, ARGUMENTS, OUTER.outputs, calls, {"r": "c0:o:0"}, {}))
    functions.append(INNER._replace(name="f30"))
    stored = saved_model(tuple(functions))
    assert stored.graph is not None
    start = time.process_time()
    assert inline_calls(stored, stored.graph) is stored.graph
    assert time.process_time() - start < 10


def test_unrolled_steps_are_grouped(writer: GraphWriter) -> None:
    state = writer.placeholder("h", None, 8)
    kernel = writer.variable("rnn/kernel", 8, 8)
    for step in range(6):
        suffix = f"_{step}" if step else ""
        product = writer.add("MatMul", f"rnn/MatMul{suffix}", state, kernel)
        state = writer.add("Tanh", f"rnn/Tanh{suffix}", product)
    writer.loss(state)
    scene, _ = build_picture(writer.stored(), (), ())
    badges = [(c.rows[0].title, c.times, c.note) for c in scene.cards if c.times > 1]
    assert [badge[1:] for badge in badges] == [(6, "in series")]
    assert counted(scene) == scene.nodes


def test_loop_state_is_said_and_feeds_what_follows(writer: GraphWriter) -> None:
    x = writer.placeholder("x", None, 8)
    kernel = writer.variable("kernel", 8, 8)
    writer.add("Const", "zeros")
    writer.add("Enter", "loop/Enter", "zeros")
    writer.add("Merge", "loop/Merge", "loop/Enter", "loop/Next", T="float32")
    writer.add("MatMul", "loop/MatMul", "loop/Merge", kernel)
    writer.add("Add", "loop/add", "loop/MatMul", x)
    writer.add("NextIteration", "loop/Next", "loop/add")
    writer.add("Exit", "loop/Exit", "loop/Merge")
    loss = writer.loss("loop/Exit")
    writer.train(loss, ["kernel"])
    scene, _ = build_picture(writer.stored(), (), ())
    texts = [row.title + row.ops for card in scene.cards for row in card.rows]
    assert any("loop state" in text for text in texts)
    targets = {edge.target for edge in scene.edges if edge.kind == "data"}
    (lossy,) = [card.id for card in scene.cards if card.rows[0].kind == "loss"]
    assert lossy in targets


@pytest.mark.parametrize(("sizes", "is_knob"), [((), True), ((None, 4), False)])
def test_scalar_inputs_are_knobs(
    writer: GraphWriter, sizes: tuple[int | None, ...], is_knob: bool
) -> None:
    x = writer.placeholder("x", None, 4)
    rate = writer.placeholder("keep_prob", *sizes)
    writer.loss(writer.add("Mul", "mul", writer.dense("dense", x, 4, 4), rate))
    scene, _ = build_picture(writer.stored(), (), ())
    assert (scene.knobs == ("keep_prob",)) is is_knob
    assert ("keep_prob" in titles(scene)) is not is_knob


def test_the_only_input_is_no_knob(writer: GraphWriter) -> None:
    writer.loss(writer.add("Square", "square", writer.placeholder("x")))
    scene, _ = build_picture(writer.stored(), (), ())
    assert scene.knobs == ()
    assert "x" in titles(scene)


def test_two_optimizers_keep_their_own_lanes(writer: GraphWriter) -> None:
    """Both update W: what tells them apart are slots, not the variable."""
    top = writer.dense("dense", writer.placeholder("x", None, 4), 4, 4)
    loss = writer.loss(top)
    writer.train(loss, ["dense/kernel"], "first")
    second = GraphWriter()
    second.train(loss, ["dense/kernel"], "second")
    writer.nodes += [
        entry._replace(
            name=entry.name.replace("dense/kernel/Adam", "dense/kernel/Other"),
            inputs=tuple(
                text.replace("dense/kernel/Adam", "dense/kernel/Other") for text in entry.inputs
            ),
        )
        for entry in second.nodes
    ]
    specs = [
        OptimizerSpec(
            "Adam", {"learning_rate": rate},
            {"dense/kernel": {"m": f"dense/kernel/{slot}", "v": f"dense/kernel/{slot}_1"}},
        )
        for slot, rate in (("Adam", 0.5), ("Other", 0.25))
    ]  # fmt: skip
    ops = tuple(
        TrainOp(f"{name}/Adam", "loss/Mean:0", None, (), (), (spec,))
        for name, spec in zip(("first", "second"), specs, strict=True)
    )
    scene, _ = build_picture(writer.stored(), (), ops)
    rates = [row.weights for c in scene.cards for row in c.rows if row.title == "Adam optimizer"]
    assert rates == ["learning rate 0.5", "learning rate 0.25"]


def test_very_deep_names_are_cheap(writer: GraphWriter) -> None:
    top = writer.placeholder("x", None, 4)
    for layer in range(20):
        top = writer.add("Relu", f"{layer}/" + "a/" * 10_000 + "Relu", top)
    writer.loss(top)
    start = time.process_time()
    build_picture(writer.stored(), (), ())
    assert time.process_time() - start < 3


def test_what_a_loop_wrote_leaves_it_from_the_write(writer: GraphWriter) -> None:
    x = writer.placeholder("x", None, 8)
    kernel = writer.variable("kernel", 8, 8)
    flow = ShapeValue(())
    writer.add("Const", "zeros")
    writer.add("TensorArrayV3", "array")
    writer.add("Enter", "loop/Enter", "zeros")
    writer.add("Enter", "loop/array", "array")
    writer.add("Enter", "loop/flow", "array:1")
    writer.add("Merge", "loop/Merge", "loop/Enter", "loop/Next", T="float32")
    writer.add("Merge", "loop/Merge_1", "loop/flow", "loop/Next_1", T="float32")
    writer.add("Switch", "loop/Switch_1", "loop/Merge_1", "loop/cond")
    writer.add("Exit", "loop/Exit_1", "loop/Switch_1")  # stands before the write
    writer.add("TensorArrayGatherV3", "stack", "array", "zeros", "loop/Exit_1")
    writer.add("MatMul", "loop/MatMul", "loop/Merge", kernel)
    writer.add("Add", "loop/add", "loop/MatMul", x)
    writer.add("Identity", "loop/same", "loop/Switch_1:1")
    writer.add(
        "TensorArrayWriteV3", "loop/write", "loop/array", "zeros", "loop/add", "loop/same",
        _output_shapes=(flow,),
    )  # fmt: skip
    writer.add("NextIteration", "loop/Next", "loop/add")
    writer.add("NextIteration", "loop/Next_1", "loop/write")
    writer.train(writer.loss("stack"), ["kernel"])
    scene, _ = build_picture(writer.stored(), (), ())
    rows = [row for card in scene.cards for row in card.rows]
    assert sum("loop state" in row.title + row.ops for row in rows) == 1
    assert not [row for row in rows if "Write" in row.title + row.ops and row.shape]
    (written,) = [c.id for c in scene.cards if any("Write" in r.title + r.ops for r in c.rows)]
    stacked = [c.id for c in scene.cards if any("Gather" in r.title + r.ops for r in c.rows)]
    edges = {(edge.source, edge.target) for edge in scene.edges}
    assert stacked == [written] or (written, stacked[0]) in edges
    assert counted(scene) == scene.nodes

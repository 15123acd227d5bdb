"""Places in a graph that look alike: what tells them apart, and what must not."""

import pytest

from graphmap.matching import Side, match_variables
from graphmap.matching.inlining import inline_calls
from graphmap.model.graph import Function, FunctionRef, GraphModel, Node
from graphmap.model.variable import Variable


def node(name, op, *inputs, **attrs):
    return Node(name, op, inputs, "", attrs)


def layer(name, source, op="MatMul"):
    """A kernel that one op applies to `source`; the op is called mm_NAME."""
    return [node(name, "VariableV2"), node(f"mm_{name}", op, source, name)]


def side(nodes, names, **roles):
    variables = tuple(
        Variable(n, (4, 4), "float32", node=n, **roles.get(n.replace("/", "_"), {}))
        for n in sorted(names)
    )
    return Side(variables, GraphModel(tuple(nodes)))


def actual_of(expected, actual):
    found = match_variables(expected, actual).decisions
    return {d.expected: d.actual for d in found if d.status == "matched"}


X = node("x", "Placeholder")
TRUNK = [*layer("a", "x"), node("relu", "Relu", "mm_a")]


def two_heads(first, second, named=(), extra=()):
    """Two heads behind a trunk; the first is squashed by an exponential."""
    nodes = [X, *TRUNK, *layer(first, "relu"), *layer(second, "relu")]
    nodes += [node("e", "Exp", f"mm_{first}"), node("sum", "AddV2", "e", f"mm_{second}")]
    nodes += [*layer("z", "sum"), *extra]
    return side(nodes, ["a", first, second, "z"])


def test_what_lies_behind_tells_heads_of_one_shape_apart_though_a_loss_hangs_on_both():
    loss = [
        node("l1", "Square", "mm_q"),
        node("l2", "Square", "mm_p"),
        node("l", "AddV2", "l1", "l2"),
    ]
    found = actual_of(two_heads("u", "v"), two_heads("q", "p", extra=loss))
    assert (found["u"], found["v"]) == ("q", "p")


def test_equal_towers_stay_open_as_a_group():
    def towers(one, other):
        nodes = [X, *TRUNK, *layer(one, "relu"), *layer(other, "relu")]
        nodes += [node("sum", "AddV2", f"mm_{one}", f"mm_{other}"), *layer("z", "sum")]
        return side(nodes, ["a", one, other, "z"])

    found = actual_of(towers("left", "right"), towers("sun", "moon"))
    assert "left" not in found and "right" not in found
    assert found["a"] == "a"


def test_names_of_outputs_settle_equal_heads():
    def heads(one, other):
        nodes = [X, *TRUNK, *layer(one, "relu"), *layer(other, "relu")]
        return side(
            [*nodes, node("age", "Identity", f"mm_{one}"), node("mood", "Identity", f"mm_{other}")],
            ["a", one, other],
        )

    found = actual_of(heads("u", "v"), heads("q", "p"))
    assert (found.get("u"), found.get("v")) == ("q", "p")


def test_equal_layers_behind_one_another_go_by_their_order():
    """Colours of the whole cannot agree: one side has another end and another beginning."""

    def stack(names, start, end):
        nodes, before = [X, node("first", start, "x")], "first"
        for name in names:
            nodes += [*layer(name, before), node(f"r_{name}", "Relu", f"mm_{name}")]
            before = f"r_{name}"
        return side([*nodes, node("last", end, before)], names)

    names = [f"k{at}" for at in range(30)]
    turned = [f"h{29 - at}" for at in range(30)]
    found = actual_of(stack(names, "Tanh", "Sigmoid"), stack(turned, "Elu", "Softmax"))
    assert found == dict(zip(names, turned, strict=True))


def test_of_two_copies_the_trained_one_is_meant():
    def net(scope, source="x"):
        return [
            *layer(f"{scope}/in", source),
            node(f"{scope}/relu", "Relu", f"mm_{scope}/in"),
            *layer(f"{scope}/out", f"{scope}/relu"),
        ]

    names = ["one/in", "one/out", "two/in", "two/out"]
    variables = [Variable(n, (4, 4), "float32", node=n) for n in names]
    slots = [Variable(f"{n}/m", (4, 4), "float32", "slot", slot_of=n) for n in names[2:]]
    actual = Side((*variables, *slots), GraphModel((X, *net("one"), *net("two"))))
    expected = side([X, *net("q")], ["q/in", "q/out"])
    assert actual_of(expected, actual) == {"q/in": "two/in", "q/out": "two/out"}


def call(op="PartitionedCall", key="f"):
    body = (node("mm", "MatMul", "i", "w"), node("r", "Relu", "mm:product:0"))
    function = Function(
        "body", (("i", "float32"), ("w", "float32")), (("o", "float32"),), body, {"o": "r:a:0"}, {}
    )
    called = node("call", op, "x", "k", **{key: FunctionRef("body")})
    return GraphModel(
        (X, node("k", "VarHandleOp"), called, node("end", "Tanh", "call")), (function,)
    )


def test_a_call_is_opened():
    opened = inline_calls(call())
    index, inputs = opened.index, opened.topology.inputs
    way, at = [], index["end"]
    while opened.nodes[at].op != "Placeholder":
        way.append(opened.nodes[at].op)
        at = inputs[at][0][0]
    assert [op for op in way if op != "Identity"] == ["Tanh", "Relu", "MatMul"]


@pytest.mark.parametrize("op", ["PartitionedCall", "StatefulPartitionedCall"])
def test_variables_of_function_bodies_have_places(op):
    plain = [X, node("w", "VarHandleOp"), node("mm", "MatMul", "x", "w"), node("r", "Relu", "mm")]
    expected = side([*plain, node("end", "Tanh", "r")], ["w"])
    actual = Side((Variable("k", (4, 4), "float32", node="k"),), call(op))
    decision = match_variables(expected, actual).decisions[0]
    assert any(e.kind == "graph" and e.bits > 0 for e in decision.evidence)


def test_a_function_that_calls_itself_stays_closed():
    again = (node("again", "PartitionedCall", "i", f=FunctionRef("loop")),)
    function = Function(
        "loop", (("i", "float32"),), (("o", "float32"),), again, {"o": "again:output:0"}, {}
    )
    graph = GraphModel((X, node("c", "PartitionedCall", "x", f=FunctionRef("loop"))), (function,))
    assert len(inline_calls(graph).nodes) < 10


def test_calls_that_unfold_to_millions_stay_closed():
    """Each function calls the next one twice: 2^40 calls."""
    functions = []
    for level in range(41):
        calls = {} if level == 40 else {"f": FunctionRef(f"f{level + 1}")}
        body = tuple(node(name, "PartitionedCall", **calls) for name in "ab")
        functions.append(Function(f"f{level}", (), (), body, {}, {}))
    call = node("call", "PartitionedCall", f=FunctionRef("f0"))
    graph = GraphModel((call,), tuple(functions))
    assert inline_calls(graph) is graph

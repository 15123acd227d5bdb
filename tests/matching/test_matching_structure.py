"""Where both sides carry a graph, a variable's place in it overrules a name that looks right."""

import pytest

from graphmap.matching import Side, match_variables
from graphmap.matching.forward import class_of, find_forward
from graphmap.model.graph import GraphModel, Node
from graphmap.model.variable import Variable


def chain(names, act="Relu", size=4, trained=False):
    """x -> MatMul by each kernel, in this order, an activation behind each; then a loss."""
    nodes = [Node("x", "Placeholder", (), "", {})]
    before = "x"
    for at, name in enumerate(names):
        nodes += [
            Node(name, "VariableV2", (), "", {}),
            Node(f"{name}/read", "Identity", (name,), "", {}),
            Node(f"mm{at}", "MatMul", (before, f"{name}/read"), "", {}),
            Node(f"act{at}", act, (f"mm{at}",), "", {}),
        ]
        before = f"act{at}"
    nodes.append(Node("loss", "Mean", (before,), "", {}))
    if trained:
        for at, name in enumerate(names):
            nodes += [
                Node(f"g{at}", "MatMul", (f"mm{at}", before), "", {}),
                Node(f"up{at}", "ApplyGradientDescent", (name, f"g{at}"), "", {}),
            ]
    made = sorted(names)
    variables = tuple(Variable(n, (size, size), "float32", node=n) for n in made)
    return Side(variables, GraphModel(tuple(nodes)))


def decide(expected, actual):
    return {d.expected: d for d in match_variables(expected, actual).decisions}


NAMES = [f"net/layer_{at}/kernel" for at in range(5)]


@pytest.mark.parametrize("trained", [False, True], ids=["inference", "training"])
def test_a_chain_counted_backwards_is_turned(trained):
    found = decide(chain(NAMES), chain(NAMES[::-1], trained=trained))
    assert [found[n].actual for n in NAMES] == NAMES[::-1]
    assert {e.kind for e in found[NAMES[0]].evidence} >= {"graph", "names"}


def test_equal_chains_are_confirmed():
    found = decide(chain(NAMES), chain(NAMES, trained=True))
    assert [found[n].actual for n in NAMES] == NAMES
    assert any(e.kind == "graph" and e.bits > 0 for e in found[NAMES[0]].evidence)


def test_without_a_graph_on_one_side_names_decide_alone():
    blind = chain(NAMES)
    found = decide(Side(blind.variables), chain(NAMES[::-1]))
    assert [found[n].actual for n in NAMES] == NAMES


def test_training_is_peeled_off():
    side = chain(NAMES, trained=True)
    numbers = {side.graph.index[n]: at for at, n in enumerate(NAMES)}
    forward = find_forward(side.graph, numbers)
    assert forward.classes.count("MatMul") == len(NAMES)
    assert [len(forward.places[at]) for at in range(len(NAMES))] == [1] * len(NAMES)


@pytest.mark.parametrize(
    ("op", "group"), [("AddV2", "Add"), ("FusedBatchNormV3", "Norm"), ("Conv2D", "Conv2D")]
)
def test_versions_of_an_op_are_one_class(op, group):
    assert class_of(op) == group


def test_what_a_loop_kept_for_its_gradient_is_no_forward_part():
    """The backward loop ends in an Exit that nobody reads: its ops must not count as outputs."""
    forward = [
        Node("x", "Placeholder", (), "", {}),
        Node("w", "VariableV2", (), "", {}),
        Node("mm", "MatMul", ("x", "w"), "", {}),
        Node("stack", "StackV2", (), "", {}),
        Node("push", "StackPushV2", ("stack", "mm"), "", {}),
        Node("y", "Tanh", ("mm",), "", {}),
    ]
    backward = [
        Node("pop", "StackPopV2", ("stack",), "", {}),
        Node("grad", "MatMul", ("pop", "w"), "", {}),
        Node("exit", "Exit", ("grad",), "", {}),
    ]
    graph = GraphModel((*forward, *backward))
    found = find_forward(graph, {graph.index["w"]: 0})
    assert found.classes.count("MatMul") == 1
    assert len(found.places[0]) == 1


def test_long_rows_and_rings_of_identities_are_looked_through_once():
    """Each of them from its start would be 200 million steps for 20,000."""
    size = 20_000
    for first in ("w", f"i{size - 1}"):  # a row behind a variable, and a ring
        nodes = [Node("w", "VariableV2", (), "", {}), Node("x", "Placeholder", (), "", {})]
        nodes += [
            Node(f"i{at}", "Identity", (f"i{at - 1}" if at else first,), "", {})
            for at in range(size)
        ]
        nodes += [
            Node(f"use{at}", "MatMul", ("x", f"i{at}"), "", {}) for at in range(0, size, size // 50)
        ]
        forward = find_forward(GraphModel(tuple(nodes)), {0: 0})
        assert len(forward.places.get(0, ())) == (50 if first == "w" else 0)

"""Parts that are joined and then reduced: their order tells them apart only where it matters."""

import numpy as np
import pytest

from graphmap.matching import Side, match_variables
from graphmap.model.graph import GraphModel, Node, TensorValue
from graphmap.model.variable import Variable


class Net:
    """Nodes and square matrices, added one by one."""

    def __init__(self, names):
        self.nodes = [Node("x", "Placeholder", (), "", {})]
        self.variables = []
        stem = self.op("Relu", self.dense("stem/kernel", "x"))
        self.parts = [self.op("Tanh", self.dense(f"{name}/kernel", stem)) for name in names]

    def op(self, op, *inputs, **attrs):
        name = f"{op}{len(self.nodes)}"
        self.nodes.append(Node(name, op, inputs, "", attrs))
        return name

    def dense(self, name, value):
        self.nodes.append(Node(name, "VariableV2", (), "", {}))
        self.variables.append(Variable(name, (4, 4), "float32", node=name))
        return self.op("MatMul", value, name)

    def axes(self, *numbers):
        array = np.array(numbers, "int32")
        return self.op("Const", value=TensorValue("int32", array.shape, lambda: array))

    def head(self, value):
        self.op("Softmax", self.dense("head/kernel", value))
        return Side(tuple(self.variables), GraphModel(tuple(self.nodes)), ordered=True)


def mean_of_stack(net):
    stacked = net.op("Pack", *net.parts, axis=0)
    return net.op("Mean", net.op("Exp", stacked), net.axes(0))


def log_sum_of_concat(net):
    joined = net.op("ConcatV2", *net.parts, net.axes(-1))
    most = net.op("Select", net.op("Max", joined, net.axes(1)))  # MatMul's values have two axes
    return net.op("Log", net.op("Sum", net.op("Exp", net.op("Sub", joined, most)), net.axes(-1)))


def sorted_pool(net):
    return net.op("TopKV2", net.op("ConcatV2", *net.parts, net.axes(-1)))


def read_in_order(net):
    return net.op("ConcatV2", *net.parts, net.axes(-1))


def mean_over_other_axes(net):
    return net.op("Mean", net.op("ConcatV2", *net.parts, net.axes(-1)), net.axes(0))


def weighed_by_a_gate(net):
    gate = net.op("Softmax", "x")
    return net.op("Sum", net.op("Mul", net.op("Pack", *net.parts, axis=1), gate), net.axes(1))


def actuals(make):
    sides = []
    for names in (("w", "k"), ("fern", "moss")):
        net = Net(names)
        sides.append(net.head(make(net)))
    return {d.expected: d.actual for d in match_variables(*sides).matched}


ENDS = {"stem/kernel": "stem/kernel", "head/kernel": "head/kernel"}


@pytest.mark.parametrize("make", [mean_of_stack, log_sum_of_concat, sorted_pool])
def test_parts_that_a_reduction_makes_one_of_are_told_apart_by_nothing(make):
    assert actuals(make) == ENDS


@pytest.mark.parametrize("make", [read_in_order, mean_over_other_axes, weighed_by_a_gate])
def test_parts_whose_order_something_reads_are_told_apart_by_it(make):
    assert actuals(make) == {**ENDS, "w/kernel": "fern/kernel", "k/kernel": "moss/kernel"}

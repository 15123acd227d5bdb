"""Parts that are joined and then reduced: their order tells them apart only where it matters."""

import numpy as np
import pytest
from matching_nets import Net

from graphmap.matching import match_variables
from graphmap.model.graph import TensorValue


class Parts(Net):
    """A stem, and parts side by side behind it."""

    def __init__(self, names):
        super().__init__()
        stem = self.op("Relu", self.dense("stem/kernel", "x"))
        self.parts = [self.op("Tanh", self.dense(f"{name}/kernel", stem)) for name in names]

    def axes(self, *numbers):
        array = np.array(numbers, "int32")
        return self.op("Const", value=TensorValue("int32", array.shape, lambda: array))

    def head(self, value):
        self.op("Softmax", self.dense("head/kernel", value))
        return self.side()


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


def sharpened(net):
    """All parts by one learned number, as a temperature."""
    joined = net.op("ConcatV2", *net.parts, net.axes(-1))
    scaled = net.op("Mul", net.variable("sharpness", ()), joined)
    return net.op("Sum", net.op("Mul", net.op("Softmax", scaled), joined), net.axes(-1))


def symmetric(net):
    product = net.op("MatMul", *net.parts, transpose_b=True)
    return net.op("AddV2", product, net.op("Transpose", product, net.axes(1, 0)))


def gap(net):
    product = net.op("MatMul", *net.parts, transpose_b=True)
    return net.op("Sub", product, net.op("Transpose", product, net.axes(1, 0)))


def product(net):
    return net.op("Tanh", net.op("MatMul", *net.parts, transpose_b=True))


def actuals(make):
    sides = []
    for names in (("w", "k"), ("fern", "moss")):
        net = Parts(names)
        sides.append(net.head(make(net)))
    return {d.expected: d.actual for d in match_variables(*sides).matched}


ENDS = {"stem/kernel": "stem/kernel", "head/kernel": "head/kernel"}


@pytest.mark.parametrize("make", [mean_of_stack, log_sum_of_concat, sorted_pool, symmetric])
def test_parts_that_a_reduction_makes_one_of_are_told_apart_by_nothing(make):
    assert actuals(make) == ENDS


def test_one_number_does_the_same_to_all_parts():
    assert actuals(sharpened) == {**ENDS, "sharpness": "sharpness"}


@pytest.mark.parametrize(
    "make", [read_in_order, mean_over_other_axes, weighed_by_a_gate, gap, product]
)
def test_parts_whose_order_something_reads_are_told_apart_by_it(make):
    assert actuals(make) == {**ENDS, "w/kernel": "fern/kernel", "k/kernel": "moss/kernel"}

"""What stands alike in a graph stays open: summands, and towers whose other parts are crossed."""

import pytest
from matching_nets import Net

from graphmap.matching import match_variables


def summed(names, adds):
    """Two branches and a way past them, summed in one op or in two, read by a head."""
    net = Net()
    stem = net.op("Relu", net.dense("stem/kernel", "x"))
    one, other = (net.op("Tanh", net.dense(f"{name}/kernel", stem)) for name in names)
    whole = net.op("AddN", stem, one, other) if adds == 1 else None
    whole = whole or net.op("AddV2", net.op("AddV2", stem, one), other)
    net.op("Softmax", net.dense("head/kernel", whole))
    return net.side()


@pytest.mark.parametrize("adds", [(1, 1), (2, 2), (1, 2)])
def test_summands_are_told_apart_by_nothing(adds):
    mine, theirs = summed(("w", "k"), adds[0]), summed(("fern", "moss"), adds[1])
    found = {d.expected: d.actual for d in match_variables(mine, theirs).matched}
    assert found == {"stem/kernel": "stem/kernel", "head/kernel": "head/kernel"}


def towers(scopes, layer, head, ends=("Softmax", "Tanh")):
    """Layers that are summed each time and two heads of different ends: of each scope one."""
    net = Net()
    both = "x"
    for k in range(1, 4):
        rows = [net.op("Relu", net.dense(f"{s}/{layer}{k}/kernel", both)) for s in scopes]
        both = net.op("AddN", *rows)
    for scope, end in zip(scopes, ends, strict=True):
        net.op(end, net.dense(f"{scope}/{head}/kernel", both))
    return net.side()


def test_a_letter_does_not_tell_towers_apart_whose_heads_are_crossed():
    mine = towers(("net_a", "net_b"), "layer", "head")
    theirs = towers(("task_a", "task_b"), "conv", "pred", ("Tanh", "Softmax"))
    found = {d.expected: d.actual for d in match_variables(mine, theirs).matched}
    assert found == {"net_a/head/kernel": "task_b/pred/kernel",
                     "net_b/head/kernel": "task_a/pred/kernel"}  # fmt: skip
    straight = towers(("task_a", "task_b"), "conv", "pred")
    found = {d.expected: d.actual for d in match_variables(mine, straight).matched}
    assert found["net_a/layer2/kernel"] == "task_a/conv2/kernel"
    assert found["net_a/head/kernel"] == "task_a/pred/kernel"

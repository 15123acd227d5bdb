"""A constant that cannot be decoded is compared by type and shape; all else as ever."""

from __future__ import annotations

import graphmap
from graphmap.schema import message_class


def stored(tmp_path, name: str, *, rate: float, damaged: bool = True) -> str:
    proto = message_class("GraphDef")()
    for at, given in (("rate", 1), ("odd", 3 if damaged else 1)):
        node = proto.node.add(name=at, op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.dtype = 1
        node.attr["value"].tensor.float_val.extend([rate if at == "rate" else 0.0] * given)
    node.attr["bound"].f = float("nan")  # which is unlike itself
    path = tmp_path / name
    path.write_bytes(proto.SerializeToString())
    return str(path)


def test_what_can_be_compared_is_compared_and_the_rest_is_warned_of(tmp_path) -> None:
    one, other = stored(tmp_path, "a.pb", rate=0.5), stored(tmp_path, "b.pb", rate=0.25)
    found = graphmap.diff(one, other)
    assert [change.a for change in found.nodes.changed] == ["rate"]
    assert any("holds 3 values" in text for text in graphmap.load(one).warnings)


def test_a_mended_constant_is_a_change(tmp_path) -> None:
    one = stored(tmp_path, "a.pb", rate=0.5)
    other = stored(tmp_path, "b.pb", rate=0.5, damaged=False)
    assert graphmap.diff(one, one).is_same
    assert [change.a for change in graphmap.diff(one, other).nodes.changed] == ["odd"]

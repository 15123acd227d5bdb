"""What the checks ask of attrs: a reader's attrs, undecoded, answer as decoded ones do."""

from __future__ import annotations

import pytest

from graphmap.formats.attrs import AttrMap
from graphmap.model.attr_facts import NOTHING, Told, told_by
from graphmap.schema import message_class


def attrs(**texts: str) -> AttrMap:
    from google.protobuf import text_format

    node = message_class("NodeDef")()
    for name, text in texts.items():
        text_format.Parse(text, node.attr[name])
    return AttrMap(node.attr)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (attrs(T="type: DT_FLOAT", dtype="type: DT_FLOAT"), NOTHING),
        (attrs(dtype='placeholder: "T"'), NOTHING),
        (attrs(dtype="i: 1"), Told(is_typeless=True)),
        (attrs(dtype=""), Told(is_typeless=True)),
        (attrs(_class='list { s: "loc:@a" s: "b" s: "loc:@c/d" }'), Told(("a", "c/d"))),
        (attrs(_class='s: "loc:@a"'), NOTHING),
        (attrs(f='func { name: "body" }'), Told(calls=("body",))),
        (attrs(f='list { func { name: "x" } func { name: "y" } }'), Told(calls=("x", "y"))),
        (attrs(f='func { name: "" }'), NOTHING),
    ],
)
def test_undecoded_attrs_say_what_decoded_ones_say(held: AttrMap, told: Told) -> None:
    assert told_by(held, in_body=False) == told == told_by(dict(held), in_body=False)
    assert (
        told_by(held, in_body=True) == told_by(dict(held), in_body=True) == Told(calls=told.calls)
    )

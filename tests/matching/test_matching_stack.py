"""A stack that is longer on one side: which of its layers are meant."""

import pytest

from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.variable import Variable

LEAVES = {"query/kernel": (8, 8), "query/bias": (8,), "norm/gamma": (8,)}
ENDS = [("words/table", (90, 8)), ("head/kernel", (8, 5)), ("head/bias", (5,))]


def stack(prefix, layers, told, width=8):
    rows = [
        Variable(f"{prefix}{k}/{leaf}", tuple(width if n == 8 else n for n in shape))
        for k in range(layers)
        for leaf, shape in LEAVES.items()
    ] + [Variable(*row) for row in ENDS]
    kept = rows if told else [Variable(v.name, None) for v in rows]
    return Side(tuple(kept), ordered=True)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("mine", "theirs"), [("enc/block_", "encoder/layer_"), ("h/", "encoder/layer_")]
)
@pytest.mark.parametrize(("fewer", "more"), [(6, 7), (6, 12), (3, 4)])
def test_layers_of_a_longer_stack_under_another_name_stay_open(told, mine, theirs, fewer, more):
    for here, there in ((fewer, more), (more, fewer)):
        found = match_variables(stack(mine, here, told), stack(theirs, there, told))
        kept = {name for name, _ in ENDS} if told else set()  # names alone: another model
        assert {d.expected for d in found.matched} == kept
        first = found.decision(f"{mine}0/query/kernel")
        assert first.status == "ambiguous" and first.candidates
        assert "stack" in {e.kind for e in first.evidence}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("encoder/layer_", "encoder/layer_"),
        ("encoder/layer_", "bert/encoder/layer_"),
        ("encoder.layers.", "encoder/layer_"),
    ],
)
def test_a_stack_that_kept_its_name_kept_its_numbers(told, mine, theirs):
    found = match_variables(stack(mine, 6, told), stack(theirs, 8, told))
    pairs = {d.expected: d.actual for d in found.matched}
    assert len(pairs) == 6 * len(LEAVES) + len(ENDS)
    assert all(pairs[f"{mine}{k}/norm/gamma"] == f"{theirs}{k}/norm/gamma" for k in range(6))


def test_widths_that_fit_in_one_way_only_tell_the_layers():
    def pyramid(prefix, widths):
        rows = [
            Variable(f"{prefix}{k}/{leaf}", (w, w)[:rank])
            for k, w in enumerate(widths)
            for leaf, rank in (("query/kernel", 2), ("query/bias", 1))
        ]
        return Side(tuple(rows), ordered=True)

    wider = [4, 8, 12, 16, 20, 24, 28]
    found = match_variables(pyramid("enc/block_", wider), pyramid("net/layer_", [4, 6, *wider[1:]]))
    assert [d.actual for d in found.matched[::2]] == [
        f"net/layer_{k}/query/kernel" for k in (0, 2, 3, 4, 5, 6, 7)
    ]


def test_one_pin_says_which_layers_of_a_longer_stack_are_meant():
    settings = MatchSettings(pins={"h/0/norm/gamma": "encoder/layer_2/norm/gamma"})
    found = match_variables(stack("h/", 6, True), stack("encoder/layer_", 8, True), settings)
    pairs = {d.expected: d.actual for d in found.matched}
    assert all(
        pairs[f"h/{k}/{leaf}"] == f"encoder/layer_{k + 2}/{leaf}"
        for k in range(6)
        for leaf in LEAVES
    )


def test_a_pin_tells_nothing_where_more_layers_are_left_than_needed():
    settings = MatchSettings(pins={"h/0/norm/gamma": "encoder/layer_2/norm/gamma"})
    found = match_variables(stack("h/", 4, True), stack("encoder/layer_", 9, True), settings)
    assert not any(d.expected.startswith("h/") for d in found.matched if "norm" not in d.expected)

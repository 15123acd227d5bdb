"""Of two towers of a file the one that is given out is meant for what is still open."""

import pytest

from graphmap.matching.groups import build_groups
from graphmap.matching.pairs import propose
from graphmap.matching.scoring import make_context
from graphmap.matching.tokens import split_names
from graphmap.matching.towers import Towers
from graphmap.model.variable import Variable

PARTS = [f"{part}/{leaf}" for part in ("q", "k", "v", "r", "o") for leaf in ("kernel", "bias")]


def groups(*names):
    return build_groups(
        [Variable(name, (4, 4) if "kernel" in name else (4,)) for name in names],
        split_names(names),
        range(len(names)),
        fine=True,
    )


def noted(expected, given):
    """Return {actual template: bits lost} for the open output; `given` parts went to `model`."""
    actual = groups(*[f"{scope}/{part}" for scope in ("model", "generator") for part in PARTS])
    pairs = propose(expected, actual, loose=False, first=True)
    anchors = [
        p for p in pairs
        if p.actual.template.startswith("model") and any(
            p.expected.template.endswith(part) and p.actual.template.endswith(part)
            for part in given
        )
    ]  # fmt: skip
    left = [p for p in pairs if p.expected.template.endswith("post/kernel")]
    context = make_context(expected, actual, [])
    Towers(expected, actual).note(left, anchors, context)
    return {
        p.actual.template: context.scopes[id(p.expected), id(p.actual)][0]
        for p in left
        if (id(p.expected), id(p.actual)) in context.scopes
    }


def test_what_is_left_does_not_go_to_the_tower_that_got_nothing():
    expected = groups(*[f"net/{part}" for part in PARTS[:8]], "net/post/kernel", "net/post/bias")
    lost = noted(expected, PARTS[:8])
    assert set(lost) == {f"generator/{part}" for part in PARTS if "kernel" in part}
    assert max(lost.values()) < -30


@pytest.mark.parametrize("given", [PARTS[:4], []])
def test_half_a_tower_says_nothing(given):
    expected = groups(*[f"net/{part}" for part in PARTS[:8]], "net/post/kernel", "net/post/bias")
    assert noted(expected, given) == {}


def test_who_asks_for_more_than_one_tower_holds_may_mean_both():
    more = [f"net/more_{name}/{leaf}" for name in "abcde" for leaf in ("kernel", "bias")]
    names = [f"net/{part}" for part in PARTS[:8]]
    assert noted(groups(*names, *more, "net/post/kernel"), PARTS[:8]) == {}

"""What must stay open: guesses, turned counters, models that share their layers only."""

import pytest

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def encoder(layer, width=8, layers=6):
    rows = []
    for k in range(layers):
        for part, shape in (("query", (width, width)), ("up", (width, 3 * width))):
            rows += [(f"{layer}{k}/{part}/kernel", shape), (f"{layer}{k}/{part}/bias", shape[1:])]
    return rows


def test_models_that_share_only_their_layers_are_other_models():
    reader = [("words/table", (90, 8)), ("places/table", (40, 8)), ("types/table", (3, 8)),
              *encoder("block_"), ("spell/kernel", (8, 90)), ("spell/bias", (90,))]  # fmt: skip
    viewer = [("patches/kernel", (4, 4, 3, 8)), ("grid", (1, 17, 8)), *encoder("layer_"),
              ("label/kernel", (8, 10)), ("label/bias", (10,))]  # fmt: skip
    found = match_variables(side(*reader), side(*sorted(viewer)))
    assert found.verdict == "other" and not found.matched
    kept = [row for row in viewer if "label" not in row[0]]
    found = match_variables(side(*viewer), side(*sorted(kept)))
    assert len(found.matched) == len(kept)


def test_one_size_in_common_by_chance_makes_no_model():
    """Two classes here are two types there; of what is no layer nothing was found."""
    reader = [("words/table", (90, 8)), ("types/table", (2, 8)), *encoder("block_"),
              ("spell/bias", (90,))]  # fmt: skip
    viewer = [("patches/kernel", (4, 4, 3, 8)), ("grid", (1, 17, 8)), *encoder("layer_"),
              ("label/kernel", (8, 2)), ("label/bias", (2,))]  # fmt: skip
    found = match_variables(side(*reader), side(*sorted(viewer)))
    assert found.verdict == "other" and not found.matched


@pytest.mark.parametrize("shape", [(4, 4), None])
def test_levels_of_detail_count_from_the_other_end(shape):
    def maps(stage, out):
        return [(f"{name}{k}/kernel", shape) for k in range(3) for name in (stage, out)]

    found = match_variables(
        side(*maps("block_", "rgb_")), side(*maps("block_", "rgb_lod")), min_open()
    )
    assert not any(name.startswith("rgb") for name in found)


def min_open():
    from graphmap.matching import MatchSettings

    return MatchSettings(min_confidence=0.6)


def test_an_open_name_shows_the_names_most_like_it():
    once = encoder("block_", layers=1)
    found = match_variables(side(*encoder("block_")), side(*once))
    best = found.decision("block_4/up/kernel").candidates
    assert [c.actual for c in best] == ["block_0/up/kernel"]
    assert found.decision("block_4/up/kernel").status == "unmatched"


def test_a_last_norm_is_what_is_left_without_shapes():
    mine = [(name, None) for name, _ in encoder("block_")]
    theirs = [(name.replace("block_", "layers/"), None) for name, _ in mine]
    mine += [("closing/gamma", None), ("closing/beta", None)]
    theirs += [("pre_top_layer_norm/scale", None), ("pre_top_layer_norm/offset", None)]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert found.get("closing/gamma") == "pre_top_layer_norm/scale"
    mine[-2:] = [("fresh/kernel", None), ("fresh/bias", None)]
    theirs[-2:] = [("old/kernel", None), ("old/bias", None)]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert "fresh/kernel" not in found


@pytest.mark.parametrize("first", [0, 3])
def test_levels_that_do_not_begin_a_count_are_absolute(first):
    levels = range(first, first + 3)
    body = [(f"net/down{k}/conv/kernel", (8, 8)) for k in levels]
    rows = [(f"net/up{k}/conv/kernel", (8, 8)) for k in reversed(levels)]
    found = match_variables(side(*body, *rows), side(*body, *rows))
    wanted = {name for name, _ in (body if first == 0 else body + rows)}
    assert {d.expected for d in found.matched} == wanted


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [("net/up_blocks_", "model/up_", False), ("net/up_", "model/net/up_", True),
     ("net/layers_", "model/layer_", True)],
)  # fmt: skip
def test_levels_of_the_way_up_are_counted_from_either_end(mine, theirs, told):
    def path(prefix):
        leaves = ("query/kernel", "query/bias", "norm/gamma")
        return side(*[(f"{prefix}{k}/{leaf}", None) for k in range(4) for leaf in leaves])

    found = match_variables(path(mine), path(theirs))
    assert len(found.matched) == (12 if told else 0)

"""Several expected tensors that one stored tensor holds."""

import numpy as np
import pytest

import graphmap
from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.layouts import apply_layout
from graphmap.model.variable import Variable


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def tagger(recurrent=True):
    """A bidirectional tagger of split cells, and the same of TensorFlow's cells."""
    mine, theirs, truth = [("words/embeddings", (30, 8))], [("embed/table", (30, 8))], {}
    for way in ("fw", "bw"):
        cell, stored = f"tagger/{way}_cell", f"rnn/{way}/lstm_cell"
        mine += [(f"{cell}/kernel", (8, 20)), (f"{cell}/recurrent_kernel", (5, 20))]
        mine += [(f"{cell}/bias", (20,))]
        theirs += [(f"{stored}/kernel", (13, 20)), (f"{stored}/bias", (20,))]
        truth |= {f"{cell}/{leaf}": f"{stored}/kernel" for leaf in ("kernel", "recurrent_kernel")}
        truth |= {f"{cell}/bias": f"{stored}/bias"}
    mine += [("out/kernel", (10, 4)), ("out/bias", (4,))]
    theirs += [("proj/kernel", (10, 4)), ("proj/bias", (4,))]
    for leaf in ("kernel", "bias"):
        truth[f"out/{leaf}"] = f"proj/{leaf}"
    return mine, theirs, truth | {"words/embeddings": "embed/table"}


def test_input_and_state_are_shown_as_rows_of_one_kernel():
    mine, theirs, truth = tagger()
    found = match_variables(side(*mine), side(*sorted(theirs)))
    shown = {d.expected: d.candidates[0].actual for d in found.decisions}
    assert shown == truth
    kernels = {name for name in truth if name.endswith("kernel") and "cell" in name}
    assert {d.expected for d in found.ambiguous} == kernels  # the gates stand in another order
    (split,) = [e for e in found.decision("tagger/bw_cell/kernel").evidence if e.kind == "split"]
    assert "split:0:0:8+gates:ijfo->ifco" in split.why
    assert found.decision("tagger/fw_cell/bias").layout == "gates:ijfo->ifco"


def test_a_shown_part_has_its_layout_where_it_is_taken():
    mine, theirs, truth = tagger()
    wishes = MatchSettings(min_confidence=0.8)
    found = match_variables(side(*mine), side(*sorted(theirs)), wishes)
    assert dict(found.items()) == truth
    state = found.decision("tagger/fw_cell/recurrent_kernel")
    value = np.arange(13 * 20).reshape(13, 20)
    got = apply_layout(value, state.layout, state.shape)
    i, j, f, o = np.split(value[8:], 4, axis=1)
    assert np.array_equal(got, np.concatenate([i, f, j, o], axis=1))


def test_nothing_is_put_together_where_the_pieces_are_stored():
    mine, theirs, _ = tagger()
    theirs += [("rnn/fw/other/kernel", (8, 20)), ("rnn/bw/other/kernel", (8, 20))]
    theirs += [("rnn/fw/other/state", (5, 20)), ("rnn/bw/other/state", (5, 20))]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert not any("split" in d.layout for d in found.decisions)


def test_a_cell_kept_the_other_way_round():
    mine, theirs = [("embed.weight", (30, 8))], [("embed/table", (30, 8))]
    for k in range(3):
        rows = 8 if k == 0 else 5
        mine += [(f"cells.{k}.input_map.weight", (20, rows))]
        mine += [(f"cells.{k}.state_map.weight", (20, 5)), (f"cells.{k}.state_map.bias", (20,))]
        theirs += [
            (f"rnn/cell_{k}/lstm/kernel", (rows + 5, 20)),
            (f"rnn/cell_{k}/lstm/bias", (20,)),
        ]
    wishes = MatchSettings(min_confidence=0.8)
    found = match_variables(side(*mine), side(*sorted(theirs)), wishes)
    assert len(found.matched) == len(mine)
    row = found.decision("cells.0.state_map.weight")
    assert (row.actual, row.layout) == ("rnn/cell_0/lstm/kernel", "transpose+split:1:8:13")
    value = np.arange(13 * 20).reshape(13, 20)
    got = apply_layout(value, row.layout, row.shape)
    assert np.array_equal(got, value[8:].T)
    halves = [found.decision(f"cells.1.{part}_map.weight").layout for part in ("input", "state")]
    assert halves == ["transpose+split:1:0/2", "transpose+split:1:1/2"]


def attention(fused, stored=None):
    """Three layers of an encoder; query, key and value as one or each for itself."""
    rows = [("embed/table", (50, 12))]
    for k in range(3):
        here = f"encoder/layer_{k}"
        if fused:
            rows += [
                (f"{here}/attention/qkv/kernel", (12, 36)),
                (f"{here}/attention/qkv/bias", (36,)),
            ]
        else:
            for part in ("query", "key", "value"):
                rows += [(f"{here}/attention/{part}/kernel", (12, 12))]
                rows += [(f"{here}/attention/{part}/bias", (12,))]
        rows += [(f"{here}/mlp/up/kernel", (12, 40)), (f"{here}/mlp/down/kernel", (40, 12))]
    return rows


def test_query_key_and_value_are_columns_of_one_kernel():
    found = match_variables(side(*attention(False)), side(*sorted(attention(True))))
    assert len(found.matched) == len(found.decisions)
    for at, part in enumerate(("query", "key", "value")):
        row = found.decision(f"encoder/layer_2/attention/{part}/kernel")
        assert (row.actual, row.layout) == (
            "encoder/layer_2/attention/qkv/kernel",
            f"split:1:{at}/3",
        )
        row = found.decision(f"encoder/layer_1/attention/{part}/bias")
        assert (row.actual, row.layout) == ("encoder/layer_1/attention/qkv/bias", f"split:0:{at}/3")


def test_layers_are_steps_of_one_stored_tensor():
    mine = [*attention(True)] + [(f"encoder/layer_{k}/rate", (7, 5)) for k in range(3)]
    theirs = [*attention(True), ("encoder/rate", (3, 7, 5))]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert len(found.matched) == len(mine)
    row = found.decision("encoder/layer_1/rate")
    assert (row.actual, row.layout) == ("encoder/rate", "split:0:1/3")


def test_experts_of_each_layer_are_steps_of_one_stored_tensor():
    expected, actual, truth = {}, {}, {}
    for layer in range(3):
        for leaf, shape in (("wi", (16, 8)), ("wo", (8, 16))):
            stored = f"net/layers_{layer}/mlp/expert/{leaf}/kernel"
            actual[stored] = (4, *reversed(shape))
            for expert in range(4):
                name = f"block.{layer}.mlp.experts.expert_{expert}.{leaf}.weight"
                expected[name], truth[name] = shape, stored
        for leaf, mine, theirs in (("norm", (8,), (8,)), ("key", (12, 8), (8, 12))):
            name, stored = f"block.{layer}.{leaf}.weight", f"net/layers_{layer}/{leaf}/kernel"
            stored = stored.replace("norm/kernel", "norm/scale")
            expected[name], actual[stored], truth[name] = mine, theirs, stored
    found = {d.expected: d for d in graphmap.match(expected, actual).matched}
    assert {name: d.actual for name, d in found.items()} == truth
    last = found["block.2.mlp.experts.expert_3.wi.weight"]
    assert last.layout == "permute:0,2,1+split:0:3/4"


def test_what_is_pinned_is_in_no_bundle():
    mine, theirs, truth = tagger()
    wishes = MatchSettings(
        pins={"tagger/fw_cell/kernel": "rnn/fw/lstm_cell/kernel"},
        layouts={"tagger/fw_cell/kernel": "split:0:0:8"},
        min_confidence=0.8,
    )
    found = match_variables(side(*mine), side(*sorted(theirs)), wishes)
    assert found.decision("tagger/fw_cell/kernel").layout == "split:0:0:8"
    assert found["tagger/bw_cell/recurrent_kernel"] == truth["tagger/bw_cell/recurrent_kernel"]


def texts(length, root, head):
    rows = [(f"{root}/{side}_position_embedding/table", (length, 12)) for side in ("in", "out")]
    rows += [(f"{root}/layer_{k}/{head}/kernel", (12, 12 + k)) for k in range(4)]
    return [(f"{root}/token_embedding/table", (90, 12)), *rows]


def test_tables_of_positions_are_cut_to_what_is_asked_for():
    for stored, rows in ((34, "2:34"), (64, "0:32")):
        mine, theirs = texts(32, "coder", "dense"), texts(stored, "model", "fc")
        found = match_variables(side(*mine), side(*sorted(theirs)))
        assert dict(found.items()) == {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
        row = found.decision("coder/in_position_embedding/table")
        assert row.layout == f"split:0:{rows}"


def test_positions_to_which_types_may_have_been_added_are_shown_only():
    mine, theirs = texts(32, "coder", "dense"), texts(34, "model", "fc")
    theirs.append(("model/token_type_embedding/table", (2, 12)))
    found = match_variables(side(*mine), side(*sorted(theirs)))
    row = found.decision("coder/in_position_embedding/table")
    assert (row.status, row.candidates[0].actual) == (
        "ambiguous",
        "model/in_position_embedding/table",
    )


def test_shorter_tables_of_positions_are_not_stretched():
    mine, theirs = texts(34, "coder", "dense"), texts(32, "model", "fc")
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert not any("position" in name for name in found)


@pytest.mark.parametrize(("axis", "layout"), [(0, ""), (1, "permute:1,0,2+")])
def test_layers_that_a_loop_keeps_in_one_tensor(axis, layout):
    mine = [("embed/table", (50, 12))]
    theirs = [("params/embed/embedding", (50, 12))]
    for part, shape in (("query", (12, 12)), ("mlp_up", (12, 40)), ("mlp_down", (40, 12))):
        mine += [(f"encoder/layer_{k}/part_1/{part}/kernel", shape) for k in range(5)]
        whole = (*shape[:axis], 5, *shape[axis:])
        theirs += [(f"params/encoder/layers/part_1/{part}/kernel", whole)]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert len(found.matched) == len(mine)
    row = found.decision("encoder/layer_3/part_1/mlp_up/kernel")
    assert row.actual == "params/encoder/layers/part_1/mlp_up/kernel"
    assert row.layout == f"{layout}split:0:3/5"
    value = np.arange(12 * 5 * 40).reshape((5, 12, 40) if axis == 0 else (12, 5, 40))
    got = apply_layout(value, row.layout, row.shape)
    assert np.array_equal(got, value.take(3, axis=axis))

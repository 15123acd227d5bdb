"""What a person sees at once: moments of bare ops, first letters, kept numbers, all elements."""

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def matched(mine, theirs):
    return match_variables(side(*mine), side(*sorted(theirs)))


def test_averages_of_moments_are_those_of_the_norm_beside():
    mine, theirs, truth = [], [], {}
    for k in range(3):
        here, there = f"edge_{k}/batch_norm", f"point{k}/bn/point{k}/bn/moments"
        mine += [(f"edge_{k}/conv/kernel", (1, 1, 4 + k, 9)), (f"{here}/gamma", (9,))]
        mine += [(f"{here}/beta", (9,)), (f"{here}/moving_mean", (9,))]
        mine += [(f"{here}/moving_variance", (9,))]
        theirs += [(f"point{k}/weights", (1, 1, 4 + k, 9)), (f"point{k}/bn/gamma", (9,))]
        theirs += [(f"point{k}/bn/beta", (9,)), (f"{there}/Squeeze/ExponentialMovingAverage", (9,))]
        theirs += [(f"{there}/Squeeze_1/ExponentialMovingAverage", (9,))]
    truth = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert dict(matched(mine, theirs).items()) == truth


def forecaster(first, second):
    rows = []
    for k in range(4):
        for part in ("one", "two", first, second):
            rows.append((f"stack/block_{k}/theta_{part}/kernel", (6, 6)))
    return rows


def test_a_letter_stands_for_the_word_that_it_begins():
    mine = forecaster("b", "f")
    theirs = forecaster("backcast", "forecast")
    truth = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert dict(matched(mine, theirs).items()) == truth
    assert dict(matched(theirs, mine).items()) == {a: e for e, a in truth.items()}


def test_a_letter_that_begins_both_words_says_nothing():
    found = matched(forecaster("p", "r"), forecaster("past", "present"))
    assert not any(e.endswith(("theta_p/kernel", "theta_r/kernel")) for e in found)


def stem(weight, scale, root):
    """A stem numbered as in a torch Sequential, norms among convolutions, and layers."""
    rows = [
        (f"{root}.patch_embed.proj.0.{weight}", (4, 3, 3, 3)),
        (f"{root}.patch_embed.proj.0.bias", (4,)),
        (f"{root}.patch_embed.proj.1.{scale}", (4,)),
        (f"{root}.patch_embed.proj.1.{'bias' if scale == weight else 'beta'}", (4,)),
        (f"{root}.patch_embed.proj.3.{weight}", (8, 4, 3, 3)),
        (f"{root}.patch_embed.proj.3.bias", (8,)),
        (f"{root}.patch_embed.proj.4.{scale}", (8,)),
        (f"{root}.patch_embed.proj.4.{'bias' if scale == weight else 'beta'}", (8,)),
    ]
    for k in range(3):
        rows += [
            (f"{root}.layers.{k}.dense.{weight}", (8, 8)),
            (f"{root}.layers.{k}.dense.bias", (8,)),
        ]
    return rows


def test_parts_that_keep_words_and_number_are_the_same():
    mine = stem("weight", "weight", "former")
    theirs = [
        (name.replace(".", "/"), shape if len(shape) < 4 else (*shape[2:], shape[1], shape[0]))
        for name, shape in stem("kernel", "gamma", "tf_former_for_images.former")
    ]
    truth = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert dict(matched(mine, theirs).items()) == truth


def bidirectional(sizes):
    mine, theirs = [], []
    for k, rows in enumerate(sizes):
        end = f"_{k}" if k else ""
        for here, there in (("forward", "fw"), ("backward", "bw")):
            cell, stored = f"bidirectional{end}/{here}_rnn{end}", f"stack/cell_{k}/{there}/rnn_cell"
            mine += [(f"{cell}/kernel", (rows, 6)), (f"{cell}/bias", (6,))]
            theirs += [(f"{stored}/kernel", (rows, 6)), (f"{stored}/bias", (6,))]
    mine += [("label/kernel", (12, 11)), ("label/bias", (11,))]
    theirs += [("out/kernel", (12, 11)), ("out/bias", (11,))]
    return mine, theirs


def test_a_counter_within_a_counter_is_told_by_sizes():
    mine, theirs = bidirectional((8, 12))
    truth = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert dict(matched(mine, theirs).items()) == truth


def test_a_counter_within_a_counter_stays_open_where_sizes_are_equal():
    found = matched(*bidirectional((8, 8)))
    assert not any("directional" in name for name in found)


def test_equally_many_elements_are_one_model_however_little_is_found():
    mine = [(f"front/stage_{k}/kernel", (3 + k, 5)) for k in range(2)]
    theirs = [(f"begin/stage_{k}/kernel", (3 + k, 5)) for k in range(2)]
    for k in range(8):  # half of each is kept in other pieces there
        mine += [(f"alpha/mixed_{k}", (4, 10 + k))]
        theirs += [(f"omega/left_{k}", (2, 10 + k)), (f"omega/right_{k}", (2, 10 + k))]
    found = matched(mine, theirs)
    assert dict(found.items()) == {
        f"front/stage_{k}/kernel": f"begin/stage_{k}/kernel" for k in (0, 1)
    }
    theirs.append(("omega/more", (3, 1)))
    assert not matched(mine, theirs).matched


def test_a_single_head_is_a_matrix_turned_round():
    rows = [
        (f"block_{k}/attention/{w}/kernel", (1, 24, 16)) for k in range(3) for w in ("key", "value")
    ]
    other = [(f"layers.{k}.attn.{w}_proj.weight", (16, 24)) for k in range(3) for w in "kv"]
    found = matched(rows, other)
    assert dict(found.items()) == {e: a for (e, _), (a, _) in zip(rows, other, strict=True)}
    assert {d.layout for d in found.decisions} == {"transpose+reshape"}


def test_weights_that_torch_keeps_in_one_module_are_those_of_layers_and_directions():
    mine, theirs = [("embed.weight", (40, 16))], [("embed/embeddings", (40, 16))]
    for k, rows in enumerate((16, 64)):
        end = f"_{k}" if k else ""
        for turned, way in (("", "forward"), ("_reverse", "backward")):
            cell = f"bidirectional{end}/{way}_lstm{end}/lstm_cell"
            mine += [(f"lstm.weight_ih_l{k}{turned}", (128, rows))]
            mine += [(f"lstm.weight_hh_l{k}{turned}", (128, 32))]
            mine += [(f"lstm.bias_{part}_l{k}{turned}", (128,)) for part in ("ih", "hh")]
            theirs += [(f"{cell}/kernel", (rows, 128)), (f"{cell}/recurrent_kernel", (32, 128))]
            theirs += [None, (f"{cell}/bias", (128,))]  # the sum of the two
    mine += [("fc.weight", (5, 64)), ("fc.bias", (5,))]
    theirs += [("dense/kernel", (64, 5)), ("dense/bias", (5,))]
    truth = {
        e[0]: a[0]
        for e, a in zip(mine, theirs, strict=True)
        if a is not None and "bias_" not in e[0]
    }
    assert dict(matched(mine, [row for row in theirs if row]).items()) == truth

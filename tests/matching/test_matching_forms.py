"""What modules hold, names that are kept, and letters that say kernel and bias."""

from itertools import pairwise

import graphmap
from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def dense(path, rows, columns, kernel="kernel", bias="bias"):
    return [(f"{path}/{kernel}", (rows, columns)), (f"{path}/{bias}", (columns,))]


def gauge():
    """Two probes of three stages each, exchanged between the sides, and a mixer of like sizes."""
    mine, theirs = [], []
    for here, there, width in (("left", "unit_2", 7), ("right", "unit_1", 5)):
        for k, stage in enumerate(("first", "inner", "last")):
            rows, columns = ((width, 9), (9, 9), (9, width))[k]
            mine += dense(f"probe_{here}/{stage}", rows, columns)
            theirs += dense(f"{there}/{'abc'[k]}", rows, columns, "W", "offset")
    mine += dense("mixer", 9, 9)
    theirs += dense("blend", 9, 9, "W", "offset")
    return mine, theirs


def test_forms_settle_exchanged_towers_and_what_is_left():
    mine, theirs = gauge()
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert dict(found.items()) == {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert "form" in {e.kind for e in found.decision("probe_left/first/kernel").evidence}


def test_forms_say_nothing_where_the_sides_hold_other_amounts():
    mine, theirs = gauge()
    found = match_variables(side(*mine, ("extra/kernel", (2, 2))), side(*sorted(theirs)))
    assert "mixer/kernel" not in found  # only a scope that is alone in what it holds is told


def test_a_module_kept_in_other_pieces_leaves_the_rest_to_its_form():
    mine = [("cell/kernel", (6, 20)), ("cell/rows", (4, 20)), *dense("answer", 5, 3)]
    theirs = [("fused/kernel", (10, 20)), *dense("projection", 5, 3)]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert dict(found.items()) == {
        "answer/kernel": "projection/kernel",
        "answer/bias": "projection/bias",
    }


def test_kept_names_are_found_where_a_stack_is_shorter():
    head = dense("embedder/up", 4, 6)
    mine = [*head, *(row for k in range(5) for row in dense(f"tower/stage_{k}/mix", 6, 6))]
    theirs = [*head, *dense("tower/stage_0/mix", 6, 6)]
    found = match_variables(side(*mine), side(*theirs))
    assert dict(found.items()) == {name: name for name, _ in theirs}


def test_kept_names_are_not_trusted_where_another_moved():
    mine = [row for k in range(5) for row in dense(f"stage_{k}/mix", 6, 6 + k)]
    theirs = [(name.replace("stage_3", "stage_9").replace("stage_4", "stage_3"), shape)
              for name, shape in mine]  # fmt: skip
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert "stage_3/mix/kernel" not in {a for e, a in found.items() if e.startswith("stage_3")}


def test_a_lone_w_and_b_are_kernel_and_bias():
    mine = [(f"block_{k}/fc_{leaf}{n}", None) for k in range(4) for n in "12" for leaf in "Wb"]
    theirs = [
        (f"layers/{k}/fc{n}/{leaf}", None)
        for k in range(4)
        for n in "12"
        for leaf in ("kernel", "bias")
    ]
    found = match_variables(side(*mine), side(*theirs))
    assert dict(found.items()) == {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}


def test_scopes_alike_are_no_copies_where_the_other_side_has_as_many():
    def branch(path, parts, width, leaves):
        sizes = ((width, 8), (8, 8), (8, width * width), (8, 8))
        return [
            row
            for part, (rows, columns) in zip(parts, sizes, strict=True)
            for row in dense(f"{path}/{part}", rows, columns, *leaves)
        ]

    mine, theirs = [], []
    for n, (word, width) in enumerate((("spatial", 3), ("channel", 4))):
        mine += branch(f"{word}_align", ("up", "mid", "down", "gate"), width, ("kernel", "bias"))
        theirs += branch(f"net{n}", ("l1", "l2", "l3", "l4"), width, ("W", "offset"))
    found = match_variables(side(*mine), side(*sorted(theirs)))
    wanted = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert found["channel_align/up/kernel"] == "net1/l1/W"
    assert found["spatial_align/down/bias"] == "net0/l3/offset"
    assert all(wanted[e] == a for e, a in found.items())


def test_a_module_in_pieces_does_not_hide_a_last_norm():
    mine = [("pack/wide", (4, 30)), *dense("start", 9, 4), ("closing/gamma", (7,))]
    theirs = [("pack/wide_1", (4, 10)), ("pack/wide_2", (4, 20)), *dense("start", 9, 4, "w", "b")]
    theirs += [("after_all/scale", (7,))]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert found["closing/gamma"] == "after_all/scale"


def test_a_model_in_one_scope_of_a_file_is_told_by_its_forms():
    def network(scope, first, second, width=4):
        return [
            (f"{scope}/{first}_0/kernel", (8, width)), (f"{scope}/{first}_1/kernel", (width, 3)),
            (f"{scope}/{second}_0/kernel", (8, width)), (f"{scope}/{second}_1/kernel", (width, 1)),
            (f"{scope}/{first}_1/bias", (3,)), (f"{scope}/{second}_1/bias", (1,)),
            (f"{scope}/conv/kernel", (3, 3, 2, 8)), (f"{scope}/conv/bias", (8,)),
        ]  # fmt: skip

    mine = network("policy", "A", "V")
    theirs = network("online", "advantage", "value")
    target = network("target", "advantage", "value")
    trained = [(f"{name}/RMSProp", shape) for name, shape in theirs]
    found = graphmap.match(dict(mine), dict([*theirs, *target, *trained]))
    assert [(d.expected, d.actual) for d in found.matched] == [
        (one, other) for (one, _), (other, _) in zip(mine, theirs, strict=True)
    ]


def bottlenecks(block, conv, norm):
    """Return {name: shape} of three stages of two blocks, in the order of the code."""
    made, last = {}, 8
    for stage, width in enumerate((8, 16, 32)):
        for at in range(2):
            for k, (rows, columns) in enumerate(pairwise((last, width, width, 4 * width))):
                scope = block(stage, at)
                made[f"{scope}.{conv(k)}.weight"] = (columns, rows, 1 + 2 * (k == 1), 1)
                for leaf in ("weight", "bias", "running_mean", "running_var"):
                    made[f"{scope}.{norm(k)}.{leaf}"] = (columns,)
            last = 4 * width
    return made


def test_names_with_dots_share_no_names_by_an_empty_scope():
    """Two torch models of one build, and a new head: nothing is kept but the shapes."""
    expected = bottlenecks(
        lambda s, b: f"stage{s + 2}_unit{b}",
        lambda k: f"layer.{k + 1}",
        lambda k: f"layer.{k + 1}.bn",
    )
    actual = bottlenecks(
        lambda s, b: f"net.level{s}.{b + 1}",
        lambda k: f"con{'abc'[k]}",
        lambda k: f"con{'abc'[k]}_n",
    )
    truth = dict(zip(expected, actual, strict=True))
    stored = {name: actual[name] for name in sorted(actual)}
    found = graphmap.match({**expected, "new_head.weight": (31, 17)}, stored)
    rows = {d.expected: d.actual for d in found.matched}
    assert rows.items() <= truth.items()
    assert len(rows) > 80

"""The order of creation, stages of a block, renumbered indices: what each concludes."""

from __future__ import annotations

from itertools import pairwise

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def side(*rows: tuple[str, tuple[int, ...]]) -> Side:
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def stack(head: str, first: str, later: str, sizes: list[int], kernel: str) -> Side:
    """A chain of dense layers; later: the name of all but the first, with {} for the number."""
    rows = []
    for at, (rows_in, rows_out) in enumerate(pairwise(sizes)):
        name = head + (first if at == 0 else later.format(at))
        rows += [(f"{name}/{kernel}", (rows_in, rows_out)), (f"{name}/bias", (rows_out,))]
    return side(*rows)


def test_a_counter_is_not_believed_where_all_shapes_are_equal() -> None:
    expected = stack("net/", "fc0", "fc{}", [8] * 13, "kernel")
    actual = stack("", "dense", "dense_{}", [8] * 13, "kernel")
    assert not match_variables(expected, actual).matched


def test_a_counter_is_believed_where_the_order_of_shapes_confirms_it() -> None:
    sizes = [3, 8, 16, 16, 4, 32, 9, 2]
    expected = stack("net/", "fc0", "fc{}", sizes, "kernel")
    actual = stack("", "dense", "dense_{}", sizes, "kernel")
    found = match_variables(expected, actual)
    assert found["net/fc3/kernel"] == "dense_3/kernel"
    assert len(found) == len(expected.variables)


def numbered_only(order: list[int]) -> tuple[Side, Side]:
    words = ["stem", "reduce", "mix", "gather", "spread", "fold", "close"]
    shapes = [(3, 8), (8, 4), (4, 16), (16, 8), (8, 32), (32, 5), (5, 2)]
    mine = [(f"{words[at]}/{leaf}", s) for at in range(7) for leaf, s in _leaves(shapes[at])]
    other = [
        (f"model/layer_with_weights-{k}/{leaf}", s)
        for k, at in enumerate(order)
        for leaf, s in _leaves(shapes[at])
    ]
    return side(*mine), side(*other)


def _leaves(shape: tuple[int, int]) -> list[tuple[str, tuple[int, ...]]]:
    return [("kernel", shape), ("bias", shape[1:])]


def test_modules_that_are_only_numbered_are_found_by_the_order_of_creation() -> None:
    expected, actual = numbered_only(list(range(7)))
    found = match_variables(expected, actual)
    assert found["gather/kernel"] == "model/layer_with_weights-3/kernel"
    assert len(found) == 14


def test_two_norms_of_a_block_are_told_by_their_stage() -> None:
    mine, other = [], []
    for k in range(4):
        mine += [(f"block_{k}/self_attention_norm/gamma", (8,))]
        mine += [(f"block_{k}/dense/kernel", (8, 8)), (f"block_{k}/ffn_norm/gamma", (8,))]
        other += [(f"b/{k}/LayerNorm/gamma", (8,)), (f"b/{k}/dense/kernel", (8, 8))]
        other += [(f"b/{k}/LayerNorm_1/gamma", (8,))]
    found = match_variables(side(*mine), side(*other))
    assert found["block_2/self_attention_norm/gamma"] == "b/2/LayerNorm/gamma"
    assert found["block_2/ffn_norm/gamma"] == "b/2/LayerNorm_1/gamma"


def test_post_attention_is_not_attention() -> None:
    mine, other = [], []
    for k in range(4):
        mine += [(f"l_{k}/self_attention_layernorm/scale", (8,)), (f"l_{k}/up/kernel", (8, 16))]
        mine += [(f"l_{k}/feedforward_layernorm/scale", (8,))]
        other += [(f"m.{k}.input_layernorm.weight", (8,)), (f"m.{k}.up.weight", (16, 8))]
        other += [(f"m.{k}.post_attention_layernorm.weight", (8,))]
    found = match_variables(side(*mine), side(*other))
    assert found.get("l_1/self_attention_layernorm/scale", "m.1.input_layernorm.weight") == (
        "m.1.input_layernorm.weight"
    )


def test_nets_with_exchanged_numbers_are_told_by_their_shapes() -> None:
    left, right = [(8, 32), (32, 4)], [(5, 6), (6, 7)]
    expected, actual = [], []
    for at, (one, two) in enumerate(zip(left, right, strict=True)):
        expected += [(f"net_0/l{at}/kernel", one), (f"net_1/l{at}/kernel", two)]
        actual += [(f"net_1/l{at}/kernel", one), (f"net_0/l{at}/kernel", two)]
    found = match_variables(side(*expected), side(*actual))
    assert len(found) == 4
    assert found["net_0/l0/kernel"] == "net_1/l0/kernel"
    assert found["net_1/l1/kernel"] == "net_0/l1/kernel"


def test_a_level_that_counts_down_stays_open_where_shapes_are_equal() -> None:
    rows = [(f"net/up{k}/conv/{leaf}", s) for k in (2, 1, 0) for leaf, s in _leaves((8, 8))]
    body = [(f"net/down{k}/conv/{leaf}", s) for k in range(3) for leaf, s in _leaves((8, 8))]
    found = match_variables(side(*body, *rows), side(*body, *rows))
    assert {d.expected for d in found.matched} == {name for name, _ in body}


def two_counters(swapped: bool = False) -> tuple[Side, Side]:
    """A trunk and a head of convolutions with norms: one counter here, one for each scope there."""
    widths = [3, 6, 8, 4, 9, 12, 6, 10, 12, 7, 16, 8, 18, 5, 11, 14, 13]
    mine, theirs = [], []
    for at, (low, high) in enumerate(pairwise(widths)):
        scope, own = ("net-9/trunk", at) if at < 9 else ("net-9/head", at - 9)
        if swapped:
            scope = {"net-9/trunk": "net-9/head", "net-9/head": "net-9/trunk"}[scope]
        conv = f"{scope}/Conv_{own}" if own else f"{scope}/Conv"
        mine.append((f"conv2d_{at + 7}/kernel", (3, 3, low, high)))
        theirs.append((f"{conv}/weights", (3, 3, low, high)))
        if at == 12:
            mine.append((f"conv2d_{at + 7}/bias", (high,)))
            theirs.append((f"{conv}/biases", (high,)))
            continue
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            mine.append((f"batch_normalization_{at + 7}/{leaf}", (high,)))
            theirs.append((f"{conv}/BatchNorm/{leaf}", (high,)))
    return side(*mine), side(*theirs)


def test_counters_of_two_scopes_are_one_count_behind_the_other() -> None:
    for swapped in (False, True):
        expected, actual = two_counters(swapped)
        found = match_variables(expected, Side(tuple(sorted(actual.variables))))
        pairs = zip(expected.variables, actual.variables, strict=True)
        assert dict(found.items()) == {mine.name: other.name for mine, other in pairs}


def test_counters_of_two_scopes_stay_open_where_shapes_do_not_tell_their_order() -> None:
    mine = [(f"conv2d_{k}/kernel", (8, 8)) for k in range(24)]
    other = [
        (f"{scope}/Conv_{k}/weights" if k else f"{scope}/Conv/weights", (8, 8))
        for scope in ("trunk", "head")
        for k in range(12)
    ]
    assert not match_variables(side(*mine), side(*sorted(other))).matched


PARTS = ["stem", "reduce", "mix", "gather", "spread", "fold", "close", "answer"]


def test_a_counter_runs_on_from_another_model() -> None:
    """Its first unit looks like that of the model before, whose others stand between the two."""
    sizes = [3, 8, 12, 8, 16, 24, 4, 32, 9]
    rows = [*pairwise([3, 8, 5, 7]), *pairwise(sizes)]
    actual = [(f"dense_{k}/kernel" if k else "dense/kernel", row) for k, row in enumerate(rows)]
    expected = [(f"net/{PARTS[k]}/kernel", row) for k, row in enumerate(pairwise(sizes))]
    found = match_variables(side(*expected), side(*sorted(actual)))
    best = {d.expected: d.candidates[0].actual for d in found.decisions if d.candidates}
    assert best == {name: actual[k + 3][0] for k, (name, _) in enumerate(expected)}
    assert len(found) >= len(expected) - 1


def test_a_block_put_in_between_leaves_what_is_like_it_open() -> None:
    sizes = [3, 8, 8, 8, 16, 16, 4, 32, 9]
    rows = [*pairwise([3, 8, 8, 8, 8, 8, 16, 16, 4, 32, 9])]
    actual = [(f"dense_{k}/kernel" if k else "dense/kernel", row) for k, row in enumerate(rows)]
    expected = [(f"net/{PARTS[k]}/kernel", row) for k, row in enumerate(pairwise(sizes))]
    found = match_variables(side(*expected), side(*sorted(actual)))
    assert not {"net/reduce/kernel", "net/mix/kernel"} & set(dict(found.items()))

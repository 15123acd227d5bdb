"""The parts of the pipeline, each alone."""

from __future__ import annotations

import doctest
import random

import pytest

from graphmap.errors import UsageError
from graphmap.matching import (
    MatchSettings,
    kinds,
    layout,
    rank_candidates,
    tokens,
)
from graphmap.matching.alignment import only_embedding
from graphmap.matching.assign import assign
from graphmap.matching.explain import explain_decision
from graphmap.matching.groups import Group, build_groups
from graphmap.matching.kinds import UNKNOWN
from graphmap.matching.order import decide_order
from graphmap.matching.pairs import Pair
from graphmap.matching.scoring import make_context
from graphmap.matching.tokens import split_names
from graphmap.model.namemap import Candidate, Decision, Evidence
from graphmap.model.variable import Variable


@pytest.mark.parametrize("module", [kinds, layout, tokens])
def test_doctests(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def groups(*names: str) -> list[Group]:
    variables = [Variable(name) for name in names]
    taken = split_names(names)
    return build_groups(variables, taken, range(len(names)), fine=True)


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        pytest.param(("dense/w", "dense_1/w", "dense_2/w"), [3], id="the first has no number"),
        pytest.param(("unit_i/w", "unit_ii/w", "unit_iii/w"), [3], id="Roman numerals"),
        pytest.param(("block_a/w", "block_b/w"), [2], id="letters"),
        pytest.param(("block_b/w", "block_d/w"), [1, 1], id="letters that are no run"),
        pytest.param(
            tuple(f"layer_{i}/norm{k}/w" for i in range(3) for k in (1, 2)), [3, 3], id="inner"
        ),
        pytest.param(
            tuple(
                f"block_{i}/layer_{k}/{part}/w"
                for i in range(3)
                for k, parts in enumerate((("q", "k"), ("wi", "wo")))
                for part in parts
            ),
            [3, 3, 3, 3],
            id="an index that selects",
        ),
    ],
)
def test_groups_count_members(names: tuple[str, ...], counts: list[int]) -> None:
    assert sorted(len(group) for group in groups(*names)) == counts


def test_only_embedding_refuses_a_choice() -> None:
    one, two = (3,), (4,)
    assert only_embedding((one, two), (one, (9,), two)) == ((0, 0), (1, 2))
    assert only_embedding((one,), (one, one)) is None
    assert only_embedding((two,), (one,)) is None


def _pair(expected: Group, actual: Group, bits: float) -> Pair:
    return Pair(expected, actual, (), 1.0, None, bits=bits)


def _best(pairs: list[Pair], at: int = 0, taken: frozenset[int] = frozenset()) -> float:
    """The largest sum of bits, by trying everything."""
    if at == len(pairs):
        return 0.0
    best = _best(pairs, at + 1, taken)
    keys = {id(pairs[at].expected), id(pairs[at].actual)}
    if not keys & taken:
        best = max(best, pairs[at].bits + _best(pairs, at + 1, taken | keys))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_assignment_and_margins_equal_brute_force(seed: int) -> None:
    draw = random.Random(seed)
    sides = [
        [Group(str(at), "", (), UNKNOWN, (((), at),), (None,), at) for at in range(4)]
        for _ in range(2)
    ]
    pairs = [
        _pair(e, a, draw.uniform(-2, 10)) for e in sides[0] for a in sides[1] if draw.random() < 0.8
    ]
    chosen = assign(pairs)
    total = sum(pair.bits for pair, _ in chosen)
    assert total == pytest.approx(_best(pairs))
    for pair, margin in chosen:
        without = _best([other for other in pairs if other is not pair])
        assert margin == pytest.approx(total - without)


def test_a_suffix_is_suggested_first() -> None:
    assert rank_candidates("W", ["model/V", "my_model/W", "Wide"])[0] == "my_model/W"
    assert rank_candidates("W:0", ["my_model/W"]) == ("my_model/W",)
    assert rank_candidates("kernel", ["zzz"]) == ()


def test_explanation_shows_bits_margin_and_rivals() -> None:
    decision = Decision(
        "W",
        "matched",
        actual="m/W",
        confidence=0.99,
        margin=7.25,
        layout="transpose",
        evidence=(Evidence("shape", 30.0, "equal shapes"), Evidence("kind", -5.0, "half")),
        candidates=(Candidate("m/W", 0.99), Candidate("m/V", 0.01)),
    )
    text = explain_decision(decision)
    for part in ("W -> m/W", "+30.0", "-5.0", "+25.0  in all", "margin 7.2", "transpose", "m/V"):
        assert part in text


@pytest.mark.parametrize(
    "wrong", [{"min_confidence": 1.5}, {"only": "("}, {"exclude": "[a"}], ids=str
)
def test_settings_refuse_what_cannot_be_used(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        MatchSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("apart", [17.0, 0.0], ids=["drawn to one", "alike"])
def test_what_may_be_exchanged_is_ordered_however_one_draws_both(apart: float) -> None:
    """Both norms are drawn to `mlp_ln`, the second but little more."""
    blocks = range(3)
    mine = groups(*(f"b/{k}/norm{n}/gamma" for k in blocks for n in (1, 2)))
    theirs = groups(*(f"s{k}/{word}_ln/gamma" for k in blocks for word in ("attn", "mlp")))
    links = tuple((k, k) for k in blocks)
    pairs = [
        Pair(e, a, links, 1.0, 1.0, bits=40.0 + apart * (a is theirs[1]))
        for e in mine
        for a in theirs
    ]
    context = make_context(mine, theirs, [])
    rows = assign(pairs)
    assert decide_order(pairs, context, True, (mine, theirs), rows)
    right = {(id(e), id(a)) for e, a in zip(mine, theirs, strict=True)}
    assert {ends for ends, (bits, _) in context.orders.items() if bits > 0} == right

"""Each rule alone: where it applies, where it leaves alone."""

from __future__ import annotations

import pytest

from graphmap.matching.evidence import EVIDENCE
from graphmap.matching.evidence.count import count_evidence
from graphmap.matching.evidence.kind import kind_evidence
from graphmap.matching.evidence.layout import layout_evidence
from graphmap.matching.evidence.learned import learned_evidence
from graphmap.matching.evidence.lexical import lexical_evidence
from graphmap.matching.evidence.novelty import novelty_evidence
from graphmap.matching.evidence.scope import scope_evidence
from graphmap.matching.evidence.shape import BITS as SHAPE_BITS
from graphmap.matching.evidence.shape import shape_evidence
from graphmap.matching.evidence.sibling import sibling_evidence
from graphmap.matching.evidence.tail import tail_evidence
from graphmap.matching.evidence.trained import trained_evidence
from graphmap.matching.groups import Group, build_groups
from graphmap.matching.levels import make_context
from graphmap.matching.pairs import Context, Pair, propose
from graphmap.matching.scoring import evidence_of, note_settled
from graphmap.matching.tokens import split_names
from graphmap.model.graph import Dims
from graphmap.model.variable import Variable

Names = dict[str, Dims]


def groups(names: Names) -> list[Group]:
    variables = [Variable(name, shape) for name, shape in names.items()]
    taken = split_names(list(names))
    return build_groups(variables, taken, range(len(variables)), fine=True)


def pair(expected: Names, actual: Names) -> tuple[Pair, Context]:
    """The first pair of the two sides, and their context."""
    left, right = groups(expected), groups(actual)
    return propose(left, right, loose=False, first=True)[0], make_context(left, right, [])


def repeated(name: str, shape: Dims, count: int) -> Names:
    return {name.replace("#", str(at)): shape for at in range(count)}


@pytest.mark.parametrize(
    ("expected", "actual", "share"),
    [
        ((3, 4), (3, 4), 1.0),
        ((3, 4), (4, 3), 0.95),
        ((3, 2, 2), (3, 4), 0.92),
    ],
)
def test_shape_bits(expected: Dims, actual: Dims, share: float) -> None:
    found = shape_evidence(*pair({"a/kernel": expected}, {"b/kernel": actual}))
    assert found is not None and found.bits == pytest.approx(SHAPE_BITS * share)


def test_shape_has_no_opinion_on_unknown_shapes() -> None:
    assert shape_evidence(*pair({"a/kernel": None}, {"b/kernel": (3, 4)})) is None


def test_kind_leaves_equal_kinds_alone() -> None:
    assert kind_evidence(*pair({"a/W": (3, 4)}, {"b/kernel": (3, 4)})) is None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("a/bias", "b/beta"), ("a/thing", "b/bias"), ("t/embedding", "b/kernel")],
)
def test_kind_speaks_against_half_agreement(expected: str, actual: str) -> None:
    found = kind_evidence(*pair({expected: None}, {actual: None}))
    assert found is not None and found.bits < 0


def test_words_in_common_give_bits_and_are_named() -> None:
    found = lexical_evidence(*pair({"encoder/query/kernel": None}, {"enc/q/w": None}))
    assert found is not None and found.bits > 60
    assert found.why == "common words: encoder, query"


def test_words_of_both_sides_mean_themselves() -> None:
    both: Names = {"encoder/q/w": None, "decoder/q/w": None}
    left, right = groups(both), groups(both)
    context = make_context(left, right, [])
    bits = {
        (p.expected.template, p.actual.template): lexical_evidence(p, context)
        for p in propose(left, right, loose=False, first=True)
    }
    same, other = bits["encoder/q/w", "encoder/q/w"], bits["encoder/q/w", "decoder/q/w"]
    assert same is not None and other is not None and same.bits > other.bits + 10


def test_tail_counts_the_words_at_the_end_in_order() -> None:
    found = tail_evidence(*pair({"a/x/y/w": None}, {"b/x/y/w": None}))
    assert found is not None and found.why == "both end in x y"
    assert tail_evidence(*pair({"x/a/w": None}, {"x/b/w": None})) is None


def test_novelty_speaks_against_a_new_head() -> None:
    expected: Names = {"squad/kernel": (8, 2), "other/kernel": (8, 2)}
    actual: Names = {"next_sentence/kernel": (8, 2), "third/kernel": (8, 2)}
    found = novelty_evidence(*pair(expected, actual))
    assert found is not None and found.bits < -20


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"W": (3, 4), "V": (3, 4)}, {"my_model/W": (3, 4), "my_model/V": (3, 4)}),
        (repeated("a_#/w", (3,), 5), repeated("b_#/w", (3,), 5)),
    ],
    ids=["only a prefix more", "repeated"],
)
def test_novelty_leaves_alone(expected: Names, actual: Names) -> None:
    assert novelty_evidence(*pair(expected, actual)) is None


def test_novelty_believes_what_a_settled_stack_shows_of_words() -> None:
    expected: Names = {"dec/post_proj/kernel": (4, 4)}
    actual: Names = {"d/o/kernel": (4, 4)}
    for leaf, shape in (("kernel", (4, 4)), ("bias", (4,))):
        expected |= repeated(f"enc/#/post_proj/{leaf}", shape, 5)
        actual |= repeated(f"e_#/o/{leaf}", shape, 5)
        for part in ("up", "down", "mix"):  # else `post_proj` would be a word of all modules
            expected |= repeated(f"enc/#/{part}/{leaf}", (9, *shape), 5)
    left, right = groups(expected), groups(actual)
    pairs = propose(left, right, loose=False, first=True)
    stack = [p for p in pairs if len(p.links) == 5 and "post" in p.expected.template]
    lone = next(p for p in pairs if len(p.expected) == len(p.actual) == 1)
    context = make_context(left, right, [])
    before = novelty_evidence(lone, context)
    note_settled(stack, context)
    after = novelty_evidence(lone, context)
    assert len(stack) == 2 and before is not None and before.bits < -20
    assert after is None or after.bits > before.bits / 2


def test_count_speaks_against_unequal_counts_only() -> None:
    three, four = repeated("a_#/b/w", (3, 4), 3), repeated("a_#/b/w", (3, 4), 4)
    assert count_evidence(*pair(three, three)) is None
    found = count_evidence(*pair(three, four))
    assert found is not None and found.bits < 0


def test_layout_speaks_against_the_habit() -> None:
    found, context = pair({"a/kernel": (3, 4)}, {"b/kernel": (4, 3)})
    assert layout_evidence(found, context) is None
    context.turned = 0.0
    against = layout_evidence(found, context)
    assert against is not None and against.bits < -10
    context.turned = 1.0
    assert layout_evidence(found, context) is None


def test_siblings_speak_once_settled() -> None:
    found, context = pair({"a/kernel": (3, 4)}, {"b/kernel": (3, 4)})
    assert sibling_evidence(found, context) is None
    context.modules = {found.expected.module: {found.actual.module}}
    here = sibling_evidence(found, context)
    context.modules = {found.expected.module: {"elsewhere"}}
    away = sibling_evidence(found, context)
    assert here is not None and away is not None and here.bits > 0 > away.bits


def test_trained_speaks_where_others_have_slots() -> None:
    found, context = pair({"a/kernel": (3, 4)}, {"b/kernel": (3, 4)})
    assert trained_evidence(found, context) is None
    context.slots = True
    against = trained_evidence(found, context)
    assert against is not None and against.bits < 0
    found.actual.trained = True
    assert trained_evidence(found, context) is None


def test_scope_says_what_twins_decided() -> None:
    found, context = pair({"a/kernel": (3, 4)}, {"b/kernel": (3, 4)})
    assert scope_evidence(found, context) is None
    context.scopes = {(id(found.expected), id(found.actual)): (-25.0, "why")}
    assert scope_evidence(found, context) == ("scope", -25.0, "why")


def test_learned_is_silent_before_anything_was_learned() -> None:
    assert learned_evidence(*pair({"a/kernel": None}, {"b/kernel": None})) is None


def test_bits_of_all_rules_sum_to_the_score() -> None:
    found, context = pair({"a/kernel": (3, 4)}, {"a/kernel": (3, 4)})
    kinds = [evidence.kind for evidence in evidence_of(found, context)]
    assert kinds[0] == "prior" and len(kinds) == len(set(kinds)) <= len(EVIDENCE) + 1

"""A map as rules: few, readable, and equal to the map."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmap.errors import NameMapError
from graphmap.matching.rules import find_rules
from graphmap.model.namemap import Decision, Rule
from graphmap.model.rewriting import compile_rule, is_plain, rewrite


def decisions(pairs):
    return [Decision(e, "matched" if a else "unmatched", actual=a) for e, a in pairs]


def rules_of(pairs):
    return find_rules(decisions(pairs))


LAYERS = range(12)


@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([(f"net/l{i}/w", f"m/net/l{i}/w") for i in LAYERS], [("^(.+)$", r"m/\1")]),
        (
            [(f"a/{i}/w", f"b_{i + 1}/kernel") for i in LAYERS],
            [(r"^a/(\d+)/w$", r"b_{\1+1}/kernel")],
        ),
        (
            [(f"block_{i}/w", f"s{i // 3}/b{i % 3}/w") for i in LAYERS],
            [(r"^block_(\d+)/(.+)$", r"s{\1//3}/b{\1%3}/\2")],
        ),
        (
            [(f"s{i // 3}/b{i % 3}/w", f"block_{i}/w") for i in LAYERS],
            [(r"^s(\d+)/b(\d+)/(.+)$", r"block_{\1*3+\2}/\3")],
        ),
        ([(f"up{i}/w", f"up{11 - i}/w") for i in LAYERS], [(r"^up(\d+)/(.+)$", r"up{11-\1}/\2")]),
        ([(f"l{i}w", f"l_{i:03}") for i in LAYERS], [(r"^l(\d+)w$", r"l_{\1:03}")]),
        (
            [("dense/w", "fc0/w"), *((f"dense_{i}/w", f"fc{i}/w") for i in range(1, 5))],
            [("^dense/(.+)$", r"fc0/\1"), (r"^dense_(\d+)/(.+)$", r"fc\1/\2")],
        ),
        ([("a{0}/w", "b{0}/w")], [(r"^a\{0\}/(.+)$", r"b{{0}}/\1")]),
    ],
)
def test_rules_are_few_and_say_the_arithmetic(pairs, wanted):
    assert [(rule.pattern, rule.replacement) for rule in rules_of(pairs)] == wanted


def test_a_rule_leaves_open_names_alone():
    pairs = [*((f"n/{i}/w", f"m/n/{i}/w") for i in LAYERS), ("n/head/w", None)]
    rules = rules_of(pairs)
    assert rewrite(rules, "n/head/w") is None
    assert all(rewrite(rules, e) == a for e, a in pairs)


def test_a_few_exceptions_are_named():
    pairs = [(f"fc{i}/w", f"dense_{i - 1}/k" if i > 1 else "dense/k") for i in range(1, 9)]
    rules = rules_of(pairs)
    assert all(rewrite(rules, e) == a for e, a in pairs) and len(rules) == 2


NAMES = st.lists(st.sampled_from(["a", "b1", "c_2", "d.3", "e[4]", "f{5}", "\\7"]), min_size=1).map(
    "/".join
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, st.one_of(st.none(), NAMES), min_size=1, max_size=25))
def test_rules_never_contradict_the_map(pairs):
    rules = rules_of(pairs.items())
    for expected, actual in pairs.items():
        for rule in rules:
            assert compile_rule(rule)(expected) in (None, actual)
    covers = [sum(compile_rule(rule)(e) is not None for e in pairs) for rule in rules]
    assert covers == [rule.covers for rule in rules] and 0 not in covers


def test_rules_do_not_depend_on_other_order_than_the_maps():
    pairs = [(f"l{i}/{leaf}", f"b{i + 1}/{leaf}") for i in LAYERS for leaf in ("w", "b")]
    assert set(rules_of(pairs)) == set(rules_of(pairs[::-1]))


@pytest.mark.parametrize(
    "replacement",
    ["{__import__}", "{\\1**9}", "{\\2+1}", "\\2", "{", "{\\1.real}", "{1/0}" + "{\\1/2}"],
)
def test_a_rule_that_cannot_be_read_is_refused(replacement):
    with pytest.raises(NameMapError):
        compile_rule(Rule(r"^(\d+)$", replacement, 1))


def test_plain_rules_are_templates_of_re():
    assert is_plain(Rule("^(.+)$", r"m/\1", 1)) and not is_plain(Rule(r"^(\d+)$", r"{\1+1}", 1))

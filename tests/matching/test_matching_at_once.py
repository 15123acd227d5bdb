"""What is done for many names at once gives what one name after another gives."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from graphmap.analysis.slot_names import guess_roles, tell_nothing
from graphmap.matching import groups, levels, rules, sides
from graphmap.matching.evidence import EVIDENCE, VETOES
from graphmap.matching.scoring import PRIOR
from graphmap.matching.settings import Side
from graphmap.matching.tokens import MOST_DIGITS, split_name, split_names
from graphmap.model.namemap import Rule
from graphmap.model.rewriting import compile_rule, rewrite_lines
from graphmap.model.stored import StoredTensor
from graphmap.model.variable import Variable

PLAIN = ["encoder/layer_12/kernel", "a1/b22", "W", "10", "block.007.x"]
ODD = {
    "digits inside words": ["conv2d_3/w", "mixed_1x1", "up2D"],
    "other digits": ["layer_\u0663/w", "\u00e9t\u00e91"],
    "the mark itself": ["a#1", "#"],
    "line feeds": ["a\n1/b", "c2"],
    "long numbers": [f"w{'1' * (MOST_DIGITS + 1)}", "w123456789012345678901"],
    "long names": ["a/1" * 300],
    "object graphs": ["layer-1/kernel/.ATTRIBUTES/VARIABLE_VALUE"],
    "nothing": [],
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_names_taken_apart_at_once(odd):
    names = PLAIN + odd
    assert list(split_names(names)) == [split_name(name) for name in names]
    assert list(split_names(odd)) == [split_name(name) for name in odd]


def test_many_names_taken_apart_at_once():
    names = [f"layer_{at}/w" for at in range(2_500)] + ODD["line feeds"] + ODD["long numbers"]
    assert list(split_names(names)) == [split_name(name) for name in names]


WORDS = ["w", "b", "Adam", "Adam_1", "m", "net", "net_1", "beta_1", "ExponentialMovingAverage",
         "adam", "iter", "w_slot_a", "x.y", ""]  # fmt: skip


def made_names(chance):
    made = ("/".join(chance.choices(WORDS, k=chance.randint(1, 3))) for _ in range(4))
    return sorted({name for name in made if name})


@pytest.mark.parametrize("shape", [(2,), (), None])
def test_names_that_tell_nothing_are_seen_at_once(shape):
    chance, seen = random.Random(1), Counter()
    for _ in range(3_000):
        tensors = [StoredTensor(name, name, shape, None, None) for name in made_names(chance)]
        names = [tensor.name for tensor in tensors]
        is_silent = tell_nothing(names, names, [shape] * len(names), [None] * len(names))
        assert not (is_silent and any(guess_roles(tensors)))
        seen[is_silent] += 1
    assert seen[False] and bool(seen[True]) == bool(shape)


def test_names_that_stand_alone_are_seen_at_once(monkeypatch):
    chance = random.Random(1)
    rows = [tuple(Variable(name, (2,)) for name in made_names(chance)) for _ in range(3_000)]
    quick = [sides.answering(Side(row)) for row in rows]
    alone = sum(sides._stand_alone([v.name for v in row]) for row in rows)
    monkeypatch.setattr(sides, "_stand_alone", lambda names: False)
    assert quick == [sides.answering(Side(row)) for row in rows]
    assert 0 < alone < len(rows)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_rules_take_names_apart_at_once(odd):
    names = PLAIN + odd
    assert rules._templates(names) == [rules._template(name) for name in names]
    if all(map(str.isascii, names)):
        assert rules._without_digits(names) == [rules._DIGITS.sub("0", name) for name in names]


@pytest.mark.parametrize(
    ("pattern", "replacement", "name", "new"),
    [
        (r"^a_(\d+)/(.+)$", r"b/\1/\2", "a_1/w", "b/1/w"),
        (r"^a_(\d+)/(.+)$", r"\2/\1", "a_1/w", "w/1"),
        (r"^a_(\d+)$", r"100%/\1%s", "a_1", "100%/1%s"),
        (r"^a(_\d+)?$", r"b\1", "a", "b"),
        (r"^a_(\d+)$", r"{{\1}}", "a_1", "{1}"),
        (r"^a_(\d+)$", r"{\1+1}", "a_1", "2"),
    ],
)
def test_copied_groups(pattern, replacement, name, new):
    rule = Rule(pattern, replacement, 1)
    apply = compile_rule(rule)
    assert apply(name) == new
    assert apply("other") is None
    assert rewrite_lines(rule, [name, name]) in (None, [new, new])
    assert rewrite_lines(rule, [name, "other"]) is None


def test_names_that_are_no_lines_are_rewritten_one_by_one():
    rule = Rule(r"^a_(\d+)/(.+)$", r"b/\1/\2", 2)
    assert rewrite_lines(rule, ["a_1/w", "a_2/b"]) == ["b/1/w", "b/2/b"]
    assert rewrite_lines(rule, ["a_1/w\na_2/b", "a_3/c"]) is None


def test_members_of_templates_are_those_of_the_open_positions():
    names = split_names(["x/1", "y/1", "x/2", "y/2", "x/3"])
    assert list(groups._templates(names, range(5)).items()) == [
        ("x/#", [((1,), 0), ((2,), 2), ((3,), 4)]),
        ("y/#", [((1,), 1), ((2,), 3)]),
    ]
    assert list(groups._templates(names, [1, 2]).items()) == [
        ("y/#", [((1,), 1)]),
        ("x/#", [((2,), 2)]),
    ]


def test_bits_are_the_sum_of_all_rules(monkeypatch):
    """Also those of rules that are not asked again in every round of learning."""
    seen = []
    score = levels.score_pairs

    def scored(pairs, anchors, context):
        score(pairs, anchors, context)
        for pair in pairs:
            total = PRIOR
            for rule in EVIDENCE:
                found = rule(pair, context)
                if found is not None and rule not in VETOES:
                    total += found.bits
            seen.append(bool(context.learned))
            assert pair.bits == total, (pair.expected.template, pair.actual.template)

    monkeypatch.setattr(levels, "score_pairs", scored)
    words = [("query", "q"), ("key", "k"), ("value", "v"), ("dense", "fc"), ("gate", "gating")]
    left = [Variable(f"enc.{i}.{a}.weight", (4, 4)) for i in range(3) for a, _ in words]
    right = [Variable(f"net/layer_{i}/{b}/kernel", (4, 4)) for i in range(3) for _, b in words]
    everywhere = range(len(left)), range(len(right))
    levels.match_groups(left, everywhere[0], sorted(right), everywhere[1])
    assert any(seen)

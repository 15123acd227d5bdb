"""Random models named twice, in the styles of two authors: no name is wrong, and most are found."""

import math

import pytest
from authors import make

import graphmap

# small cases, of all kinds of models and frameworks; scripts/bench takes fresh ones
SEEDS = (5, 8, 10, 12, 13, 15, 17, 20, 22, 23, 25, 29, 33, 35, 36, 37, 41, 45, 46, 47, 48, 52, 53,
         55, 56, 60, 61, 68, 97, 103, 116, 118, 146, 158, 174, 200, 213, 270, 274)  # fmt: skip
RECALL = 0.81  # of all names that are stored


def matched(case):
    sides = ({row["name"]: tuple(row["shape"]) for row in case[key]}
             for key in ("expected", "actual"))  # fmt: skip
    return {d.expected: d.actual for d in graphmap.match(*sides).matched}


@pytest.fixture(scope="module")
def found():
    cases = [make(seed) for seed in SEEDS]
    return [(case, matched(case)) for case in cases]


def test_no_name_is_wrong(found):
    wrong = {
        case["id"]: {e: (a, case["truth"][e]) for e, a in names.items() if case["truth"][e] != a}
        for case, names in found
    }
    assert {key: rows for key, rows in wrong.items() if rows} == {}


def test_most_names_are_found(found):
    stored = sum(actual is not None for case, _ in found for actual in case["truth"].values())
    assert sum(len(names) for _, names in found) >= RECALL * stored


def test_both_authors_name_the_same_tensors(found):
    for case, _ in found:
        shapes = {row["name"]: row["shape"] for row in case["actual"]}
        sizes = {row["name"]: row["shape"] for row in case["expected"]}
        pairs = {e: a for e, a in case["truth"].items() if a is not None}
        assert len(shapes) == len(case["actual"]) and sizes.keys() == case["truth"].keys()
        assert len(set(pairs.values())) == len(pairs)
        assert all(math.prod(sizes[e]) == math.prod(shapes[a]) for e, a in pairs.items())


def test_a_seed_makes_one_case():
    assert make(5) == make(5) != make(6)

"""Confidence is a probability: monotone, bounded, and what the table says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphmap
from graphmap.matching.calibration import calibrated, calibrated_open
from graphmap.matching.knots import KNOTS

KINDS = ("graph", "shapes", "names")
BITS = st.floats(-60, 60)


@pytest.mark.parametrize("kind", KINDS)
@given(BITS, BITS)
def test_more_bits_never_mean_less_confidence(kind, one, other):
    low, high = sorted((one, other))
    assert 0.0 < calibrated(low, kind) <= calibrated(high, kind) < 1.0


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["graph", "shapes", "names"]))
def test_open_candidates_stay_under_what_is_committed(one, other, kind):
    low, high = sorted((one, other))
    assert 0.0 < calibrated_open(low, kind) <= calibrated_open(high, kind) < 0.95


@pytest.mark.parametrize("kind", KNOTS)
def test_knots_are_the_shares_they_stand_for(kind):
    knots = KNOTS[kind]
    assert [bits for bits, _ in knots] == sorted({bits for bits, _ in knots})
    if not kind.startswith("open"):
        assert all(calibrated(bits, kind) == pytest.approx(share) for bits, share in knots)


NAMES = {f"net/l{i}/{leaf}": None for i in range(4) for leaf in ("kernel", "bias")}


def test_expected_wrong_is_what_confidence_leaves_of_one():
    found = graphmap.match(NAMES, {f"m/{name}": None for name in NAMES})
    assert found.expected_wrong == pytest.approx(
        sum(1 - d.confidence for d in found.matched), abs=1e-3
    )
    assert len(found) == len(NAMES) and all(0.95 <= d.confidence < 1 for d in found.matched)


def test_a_pin_is_taken_as_given():
    found = graphmap.match(["a", "b"], ["x", "y"], pins={"a": "y"})
    assert found.decision("a").confidence > 0.9999


def test_candidates_stand_best_first_and_share_one():
    actual = {f"{side}/{i}": (3, 3) for side in ("p", "q") for i in range(4)}
    found = graphmap.match({f"z/{i}": (3, 3) for i in range(4)}, actual)
    for decision in found.decisions:
        shares = [c.confidence for c in decision.candidates]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1.0 + 1e-6

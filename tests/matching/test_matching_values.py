"""--values: equal values prove a link, values of an unlikely scale only cast doubt on one."""

import numpy as np
import pytest

from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.variable import Variable

RNG = np.random.default_rng(5)
SETTINGS = MatchSettings(values=True)


class Stored:
    """Values by name; no checksums unless asked for."""

    def __init__(self, arrays, checksums=False):
        self.arrays, self.checksums, self.reads = arrays, checksums, []

    def checksum(self, variable):
        return hash(self.arrays[variable.name].tobytes()) if self.checksums else None

    def read(self, variable):
        self.reads.append(variable.name)
        return self.arrays.get(variable.name)


def side(arrays, with_values=True, **how):
    variables = tuple(Variable(n, a.shape, "float32") for n, a in arrays.items())
    return Side(variables, values=Stored(arrays, **how) if with_values else None)


def matched(expected, actual, settings=SETTINGS):
    found = match_variables(expected, actual, settings).decisions
    return {d.expected: d.actual for d in found if d.status == "matched"}


def arrays(names, shape=(6, 6)):
    return {n: RNG.normal(size=shape).astype("float32") for n in names}


@pytest.mark.parametrize("checksums", [False, True])
def test_equal_values_match_whatever_the_names_say(checksums):
    old = arrays(["a/kernel", "b/kernel", "c/kernel"])
    new = {"a/kernel": old["c/kernel"], "b/kernel": old["a/kernel"], "c/kernel": old["b/kernel"]}
    found = matched(side(new, checksums=checksums), side(old, checksums=checksums))
    assert found == {"a/kernel": "c/kernel", "b/kernel": "a/kernel", "c/kernel": "b/kernel"}


def test_a_transposed_copy_has_equal_values_too():
    old = arrays(["x", "y"], (4, 6))
    new = {"one": old["y"].T.copy(), "two": old["x"].T.copy()}
    assert matched(side(new), side(old)) == {"one": "y", "two": "x"}


@pytest.mark.parametrize("checksums", [False, True])
def test_zeros_are_no_proof(checksums):
    old = {"old_head/bias": np.zeros(3, "float32"), **arrays(["p", "q"])}
    new = {"classifier/offset": np.zeros(3, "float32"), "r": old["p"], "s": old["q"]}
    entries = match_variables(
        side(new, checksums=checksums), side(old, checksums=checksums), SETTINGS
    ).decisions
    assert "values" not in {e.kind for e in entries[0].evidence}


def test_two_that_hold_the_same_stay_open():
    old = arrays(["p"])
    old["q"] = old["p"].copy()
    assert matched(side({"new": old["p"].copy()}), side(old)) == {}


LAYERS = [f"net/layer_{at}/kernel" for at in range(6)]


def test_a_scale_unlike_its_like_only_lowers_confidence():
    old = arrays(LAYERS)
    plain = matched(side(old, with_values=False), side(old))
    old[LAYERS[3]] = old[LAYERS[3]] * np.float32(1e4)
    doubted = matched(side(old, with_values=False), side(old))
    assert plain == {n: n for n in LAYERS}
    assert doubted == {n: n for n in LAYERS if n != LAYERS[3]}


def test_a_variance_below_zero_is_none():
    names = ["bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    old = {n: np.abs(a) for n, a in arrays(names, (5,)).items()}
    asked = side(old, with_values=False)
    assert len(matched(asked, side(old))) == 4
    old["bn/moving_variance"] = -old["bn/moving_variance"]
    assert "bn/moving_variance" not in matched(asked, side(old))


def test_a_pin_stands_against_values():
    old = arrays(["a/kernel", "b/kernel"])
    new = {"a/kernel": old["b/kernel"], "b/kernel": old["a/kernel"]}
    pinned = MatchSettings(values=True, pins={"a/kernel": "a/kernel"})
    assert matched(side(new), side(old), pinned)["a/kernel"] == "a/kernel"


def test_nothing_is_read_unasked():
    actual = side(arrays(LAYERS))
    matched(side(arrays(LAYERS)), actual, MatchSettings())
    assert actual.values.reads == []

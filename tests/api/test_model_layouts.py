"""Layout words applied to values."""

from __future__ import annotations

import numpy as np
import pytest

from graphmap.errors import NameMapError
from graphmap.model.layouts import apply_layout, invert_layout

VALUE = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("layout", "shape", "wanted"),
    [
        ("same", (2, 3, 4), VALUE),
        ("tied", (2, 3, 4), VALUE),
        ("transpose", (4, 3, 2), VALUE.T),
        ("permute:1,0,2", (3, 2, 4), VALUE.transpose(1, 0, 2)),
        ("reshape", (6, 4), VALUE.reshape(6, 4)),
        ("reshape+transpose", None, None),
        ("split:2:1/2", (2, 3, 2), VALUE[:, :, 2:]),
        ("split:2:0/2", (6, 2), VALUE[:, :, :2].reshape(6, 2)),
        ("transpose+reshape", (24,), VALUE.T.reshape(24)),
        ("reshape+permute:0,2,1", (2, 4, 3), VALUE.reshape(2, 3, 4).transpose(0, 2, 1)),
        ("reshape+permute:1,0,2", (3, 4, 2), VALUE.reshape(4, 3, 2).transpose(1, 0, 2)),
        ("reshape+transpose", (4, 6), VALUE.reshape(6, 4).T),
    ],
)
def test_layouts_apply(layout, shape, wanted):
    if shape is None:
        with pytest.raises(NameMapError, match="needs the expected shape"):
            apply_layout(VALUE, layout, shape)
    else:
        assert np.array_equal(apply_layout(VALUE, layout, shape), wanted)


@pytest.mark.parametrize("layout", ["reshape", "split:1:0/2", "permute:0,1"])
def test_what_does_not_fit_is_an_error(layout):
    with pytest.raises(NameMapError):
        apply_layout(VALUE, layout, (5, 5))


@pytest.mark.parametrize(
    ("layout", "wanted"),
    [
        ("split:1:0:2", VALUE[:, :2]),
        ("gates:ab->ba", VALUE[:, :, [2, 3, 0, 1]]),
        ("gates:ijfo->ifco", VALUE[:, :, [0, 2, 1, 3]]),
    ],
)
def test_rows_and_gates(layout, wanted):
    assert np.array_equal(apply_layout(VALUE, layout, None), wanted)


@pytest.mark.parametrize("layout", ["turn", "split:0:1:9", "gates:abc->bca", "gates:ab"])
def test_unknown_and_impossible_words_are_errors(layout):
    with pytest.raises(NameMapError):
        apply_layout(VALUE, layout, None)


@pytest.mark.parametrize("layout", ["same", "transpose", "permute:2,0,1"])
def test_inverse_leads_back(layout):
    there = apply_layout(VALUE, layout, None)
    assert np.array_equal(apply_layout(there, invert_layout(layout), None), VALUE)


def test_a_reshape_has_no_inverse():
    with pytest.raises(NameMapError):
        invert_layout("reshape")

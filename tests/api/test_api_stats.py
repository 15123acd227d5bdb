"""Statistics of stored values."""

from __future__ import annotations

import math

import numpy
import pytest
from safetensors.numpy import save_file

import graphmap
from graphmap.api.stats import Stats, value_stats
from graphmap.errors import UsageError


@pytest.fixture
def artifact(tmp_path):
    values = {
        "odd": numpy.array([1.0, numpy.nan, numpy.inf, 3.0], "float32"),
        "large": numpy.array([2**62 + 1, -1], "int64"),
        "flags": numpy.array([True, False, True, True]),
        "empty": numpy.zeros((0, 3), "float32"),
        "nothing": numpy.array([numpy.nan], "float64"),
    }
    save_file(values, tmp_path / "m.safetensors")
    return graphmap.load(tmp_path / "m.safetensors")


def test_what_the_values_are_like(artifact):
    found = value_stats(artifact, artifact.variables, ".")
    assert found["odd"] == Stats(1.0, math.inf, 2.0, 1, 1)
    assert found["large"][:2] == (-1, 2**62 + 1)
    assert found["flags"] == Stats(0.0, 1.0, 0.75, 0, 0)
    assert found["empty"] == Stats(None, None, None, 0, 0)
    assert found["nothing"] == Stats(None, None, None, 1, 0)


def test_only_what_is_asked_for_is_read(artifact, monkeypatch):
    read = []
    whole = graphmap.Artifact.read
    monkeypatch.setattr(
        graphmap.Artifact, "read", lambda self, name: read.append(name) or whole(self, name)
    )
    assert list(value_stats(artifact, artifact.variables, "^l")) == ["large"]
    assert read == ["large"]


def test_a_pattern_that_is_none(artifact):
    with pytest.raises(UsageError, match="--stats"):
        value_stats(artifact, artifact.variables, "(")

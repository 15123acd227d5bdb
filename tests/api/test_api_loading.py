"""docs/loading.md: values under the expected names, in the shapes that loaders take."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import graphmap

FIXTURES = Path(__file__).parents[2] / "fixtures"
KERNEL = np.arange(24, dtype="f").reshape(4, 6)


def unflatten(values):
    """As flax.traverse_util.unflatten_dict with sep="/" does."""
    tree = {}
    for name, value in values.items():
        *scopes, leaf = name.split("/")
        branch = tree
        for scope in scopes:
            branch = branch.setdefault(scope, {})
        branch[leaf] = value
    return tree


def test_a_tree_of_parameters_gets_its_values_back():
    params = {
        "my_model": {"W": np.zeros((4, 6), "f"), "b": np.zeros(6, "f"), "V": np.zeros((6, 1), "f")}
    }
    source = FIXTURES / "adam_saver"
    name_map = graphmap.match(params, source)
    tree = unflatten(dict(name_map.view(source)))
    assert {n: v.shape for n, v in tree["my_model"].items()} == {
        n: v.shape for n, v in params["my_model"].items()
    }
    artifact = graphmap.load(source)
    for name, value in tree["my_model"].items():
        assert np.array_equal(value, artifact.read(f"my_model/{name}"))


def test_a_map_is_applied_to_values_that_are_there():
    name_map = graphmap.NameMap.from_dict({"net/W": "my_model/W"})
    applied = name_map.apply({"my_model/W": KERNEL, "other": KERNEL})
    assert list(applied) == ["net/W"] and np.array_equal(applied["net/W"], KERNEL)

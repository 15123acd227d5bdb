"""An exact map from a loader, by coded values; live objects by duck typing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import graphmap

STORED = {
    "k": (4, 6),
    "qkv": (4, 12),
    "emb": (9, 4),
    "g": (6,),
    "a": (2, 3),
    "b": (5, 3),
    "c": (8,),
}


class Named:
    """A shape and a dtype, as a variable has them."""

    def __init__(self, name, shape, dtype):
        self.name, self.shape, self.dtype = name, shape, np.dtype(dtype)


@pytest.fixture(params=["float32", "float16"])
def stored(request):
    return [Named(name, shape, request.param) for name, shape in STORED.items()]


def loader(tensors):
    query, key, value = np.split(tensors["qkv"], 3, axis=1)
    i, j, f, o = np.split(tensors["c"], 4)
    return {
        "dense.weight": tensors["k"].T,
        "heads": tensors["k"].reshape(4, 2, 3),
        "q": query, "k": key, "v": value,
        "rows": tensors["emb"][2:7],
        "both": np.concatenate([tensors["a"], tensors["b"]]),
        "gates": np.concatenate([i, f, j, o]),
        "g1": tensors["g"], "g2": tensors["g"],
        "scaled": tensors["g"] * 0.5 + 1,
        "fresh": np.ones((3, 3), np.float32),
    }  # fmt: skip


def test_every_element_is_followed(stored):
    found = graphmap.probe(loader, stored)
    rows = {d.expected: (d.actual, d.layout) for d in found.matched}
    assert rows == {
        "dense.weight": ("k", "transpose"), "heads": ("k", "reshape"),
        "q": ("qkv", "split:1:0/3"), "k": ("qkv", "split:1:1/3"), "v": ("qkv", "split:1:2/3"),
        "rows": ("emb", "split:0:2:7"), "both": (None, "join:0"),
        "gates": ("c", "gates:abcd->acbd"), "g1": ("g", "tied"), "g2": ("g", "tied"),
    }  # fmt: skip
    assert found.decision("both").parts == ("a", "b")
    assert sorted(d.expected for d in found.unmatched) == ["fresh", "scaled"]
    assert found.verdict == "partial" and found.unused == ()


def test_large_shapes_take_more_loads():
    calls = []

    def identity(tensors):
        calls.append(len(tensors))
        return tensors

    found = graphmap.probe(identity, [Named("x", (300, 300), "float16"), Named("y", (7,), "int8")])
    assert dict(found) == {"x": "x", "y": "y"} and len(calls) == 6


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (lambda _: None, "holds no named values"),
        (lambda tensors: {f"x{id(tensors)}": np.ones(2)}, "other variables"),
    ],
)
def test_loaders_that_cannot_be_read(bad, word):
    with pytest.raises(graphmap.UsageError, match=word):
        graphmap.probe(bad, [Named("x", (2,), "float32")])


def test_a_listing_without_dtypes_cannot_be_probed():
    with pytest.raises(graphmap.UsageError, match="no shapes"):
        graphmap.probe(loader, ["x"])


ACTUAL = {"net/0/w": (3, 4), "net/0/b": (4,), "net/1/w": (4, 2), "net/1/b": (2,)}


class Module:
    """What torch's module offers."""

    def state_dict(self):
        return {
            name.replace("/", "."): SimpleNamespace(shape=shape, dtype="torch.float32")
            for name, shape in ACTUAL.items()
        }


TREE = {
    "net": [{"w": np.zeros((3, 4)), "b": np.zeros(4)}, {"w": np.zeros((4, 2)), "b": np.zeros(2)}]
}


@pytest.mark.parametrize(
    "live",
    [
        Module(),
        TREE,
        SimpleNamespace(variables=[Named(f"{n}:0", s, "float32") for n, s in ACTUAL.items()]),
        SimpleNamespace(
            layers=[], weights=[Named(n, s, "float32") for n, s in ACTUAL.items()], variables=[]
        ),
        SimpleNamespace(
            get_collection=lambda _: [Named(f"{n}:0", s, "float32") for n, s in ACTUAL.items()]
        ),
    ],
    ids=["module", "tree", "tf.Module", "Keras model", "graph"],
)
def test_live_objects_are_taken_as_they_are(live):
    found = graphmap.match(live, ACTUAL)
    assert [actual for _, actual in found.items()] == list(ACTUAL)
    assert {d.shape for d in found.decisions} == set(ACTUAL.values())


def test_a_tree_that_holds_itself_is_refused():
    tree: dict = {"a": np.zeros(3)}
    tree["b"] = tree
    with pytest.raises(graphmap.UsageError, match="deep"):
        graphmap.match(tree, ACTUAL)


@pytest.mark.tf
def test_real_variables_and_a_keras_model():
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.layers.Dense(4, name="d0"), keras.layers.Dense(2, name="d1")])
    model.build((None, 3))

    def load(tensors):
        for variable, name in zip(model.weights, ACTUAL, strict=True):
            variable.assign(tensors[name])
        return model

    stored = [Named(name, shape, "float32") for name, shape in ACTUAL.items()]
    found = graphmap.probe(load, stored)
    assert list(found.values()) == list(ACTUAL) and found.verdict == "same"
    asked = [d.expected for d in graphmap.match(model, ACTUAL).decisions]
    assert asked == [d.expected for d in found.decisions] == [v.path for v in model.weights]
    variables = [tf.Variable(tf.zeros(shape), name=name) for name, shape in ACTUAL.items()]
    assert dict(graphmap.match(variables, ACTUAL)) == {name: name for name in ACTUAL}

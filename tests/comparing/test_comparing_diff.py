"""What two artifacts of real TensorFlow share, rename, change, add and drop."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphmap
from graphmap.cli.diff_views import diff_json, diff_markdown, diff_table

tf = pytest.importorskip("tensorflow")
v1 = tf.compat.v1
pytestmark = pytest.mark.tf


def save(prefix, *, scope="net", rate=0.1, seed=0, extra=False, dropped=False, width=3):
    """Train nothing; save a model with its graph."""
    values = np.random.RandomState(seed)
    with tf.Graph().as_default() as graph, v1.Session() as session:
        with v1.variable_scope(scope):
            w = v1.get_variable("w", initializer=values.rand(2, width).astype("float32"))
            if not dropped:
                v1.get_variable("b", initializer=values.rand(3).astype("float32"))
            if extra:
                v1.get_variable("extra", initializer=values.rand(5).astype("float32"))
        x = v1.placeholder(tf.float32, [None, 2], "x")
        loss = tf.reduce_sum(tf.matmul(x, w), name="loss")
        v1.train.MomentumOptimizer(rate, 0.9).minimize(loss)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(prefix))
    return graph


@pytest.fixture
def pair(tmp_path):
    def make(**options):
        save(tmp_path / "a" / "m")
        save(tmp_path / "b" / "m", **options)
        return graphmap.diff(tmp_path / "a" / "m", tmp_path / "b" / "m")

    return make


def test_the_same(pair):
    found = pair()
    assert found.is_same and len(found.variables.shared) == 3
    assert found.nodes.shared and "the same" in diff_table(found)


def test_values(pair):
    found = pair(seed=1)
    assert {change.a for change in found.variables.changed} == {"net/w", "net/b"}
    assert all(set(change.fields) == {"value"} for change in found.variables.changed)


def test_a_renamed_scope(pair):
    found = pair(scope="model")
    assert {(r.a, r.b) for r in found.variables.renamed} == {
        ("net/w", "model/w"), ("net/b", "model/b"), ("net/w/Momentum", "model/w/Momentum"),
    }  # fmt: skip
    assert not found.variables.added and not found.variables.dropped
    assert not found.nodes.added and not found.nodes.dropped
    assert {change.a for change in found.nodes.changed} == {
        "save/SaveV2/tensor_names", "save/RestoreV2/tensor_names",
    }  # fmt: skip


def test_a_hyperparameter(pair):
    found = pair(rate=0.2)
    (change,) = found.train_ops.changed
    assert change.fields == {"learning_rate": (pytest.approx(0.1), pytest.approx(0.2))}


def test_added_and_dropped(pair):
    found = pair(extra=True, dropped=True)
    assert found.variables.added == ("net/extra",) and found.variables.dropped == ("net/b",)


def test_a_shape(pair):
    found = pair(width=4)
    shapes = {change.a: change.fields.get("shape") for change in found.variables.changed}
    assert shapes["net/w"] == ((2, 3), (2, 4))


def test_every_name_stands_once(pair):
    found = pair(scope="model", extra=True, rate=0.3)
    for section, side in ((found.variables, found.a), (found.variables, found.b)):
        is_a = side is found.a
        told = [*section.shared, *(section.dropped if is_a else section.added)]
        told += [entry[not is_a] for entry in (*section.renamed, *section.changed)]
        assert sorted(told) == sorted(variable.name for variable in side.variables)


def test_views(pair):
    found = pair(rate=0.2)
    text = diff_markdown(found, folded=True)
    assert "<details>" in text and "learning\\_rate" in text
    assert "learning_rate 0.1 -> 0.2" in diff_table(found)
    content = json.loads(json.dumps(diff_json(found)))
    assert content["schema"] == "graphmap.diff/1" and not content["same"]


def test_a_name_cannot_steer_a_page(tmp_path):
    for side, name in (("a", "a|b<img>"), ("b", "c")):
        (tmp_path / f"{side}.json").write_text(json.dumps([{"name": name}]))
    text = diff_markdown(graphmap.diff(tmp_path / "a.json", tmp_path / "b.json"), folded=False)
    assert "a\\|b&lt;img&gt;" in text and "<img" not in text


def test_values_that_are_missing_are_listed(tmp_path):
    save(tmp_path / "a" / "m")
    (tmp_path / "a" / "m.data-00000-of-00001").unlink()
    listing = tmp_path / "names.json"
    listing.write_text(json.dumps([{"name": "net/w", "shape": [2, 3], "dtype": "float32"}]))
    found = graphmap.diff(tmp_path / "a" / "m", listing)
    assert "net/w" in found.unread and "net/w" in found.variables.shared

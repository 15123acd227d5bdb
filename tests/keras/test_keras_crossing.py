"""Keras 2 files into Keras 3 and back: how far the rules part is said before the first step."""

from __future__ import annotations

import numpy as np
import pytest
from keras_runs import OTHER_NAMES, build, fit, save

from graphmap.errors import ReconstructionError

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
pytestmark = [
    pytest.mark.tf,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
]
OPTIMIZERS = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.9},
    "Adam": {"learning_rate": 0.01},
    "AdamW": {"learning_rate": 0.01, "weight_decay": 0.01},
    "RMSprop": {"learning_rate": 0.01, "momentum": 0.5, "centered": True},
    "Adamax": {"learning_rate": 0.01},
    "Adagrad": {"learning_rate": 0.05},
    "Adadelta": {"learning_rate": 1.0},
    "Ftrl": {"learning_rate": 0.05},
    "Lion": {"learning_rate": 0.001},
    "Nadam": {"learning_rate": 0.01},
}


def train(model, optimizer, half):
    """Two steps of fixed gradients: the rules alone decide the bits."""
    random = np.random.RandomState(half)
    for _ in range(2):
        drawn = [random.standard_normal(v.shape).astype("f") for v in model.trainable_variables]
        optimizer.apply_gradients(
            [(tf.constant(g), v) for g, v in zip(drawn, model.trainable_variables, strict=True)]
        )


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_state_goes_over_and_the_difference_is_told(tmp_path, kind):
    names = ("tf_keras", "keras") if len(kind) % 2 else ("keras", "tf_keras")
    there, here = map(pytest.importorskip, names)
    there.utils.set_random_seed(1)
    model = build(there)
    model.compile(getattr(there.optimizers, kind)(**OPTIMIZERS[kind]), "mse")
    train(model, model.optimizer, 0)
    path = save(model, str(tmp_path / ("m.keras" if kind in ("Adam", "Lion", "SGD") else "m.h5")))
    mine = build(here, OTHER_NAMES)
    gmtf.load_weights(mine, path)
    optimizer, report = gmtf.keras_optimizer(path, mine)
    assert type(optimizer).__module__.partition(".")[0] == names[1]
    train(model, model.optimizer, 1)
    train(mine, optimizer, 1)
    off = max(
        float(np.abs(a.numpy() - b.numpy()).max())
        for a, b in zip(model.weights, mine.weights, strict=True)
    )
    assert "five trial steps" in report.notes[0] and not report.exact
    assert off < (5e-2 if kind == "Nadam" else 2e-6)


def test_an_option_that_the_other_keras_lacks_is_told(tmp_path):
    keras, tf_keras = pytest.importorskip("keras"), pytest.importorskip("tf_keras")
    model = build(keras)
    accumulating = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
    model.compile(accumulating, "mse", run_eagerly=True)
    fit(model, 0)
    path = save(model, str(tmp_path / "m.keras"))
    with pytest.raises(ReconstructionError, match="gradient_accumulation_steps=2"):
        gmtf.keras_optimizer(path, build(tf_keras, OTHER_NAMES))


def test_legacy_state_in_a_keras_archive_is_not_there(tmp_path):
    tf_keras = pytest.importorskip("tf_keras")
    model = build(tf_keras)
    model.compile(tf_keras.optimizers.legacy.Adam(0.01), "mse", run_eagerly=True)
    fit(model, 0)
    path = save(model, str(tmp_path / "m.keras"))
    with pytest.raises(ReconstructionError, match="does not write that of legacy"):
        gmtf.keras_optimizer(path, build(tf_keras, OTHER_NAMES))
    path = save(model, str(tmp_path / "m.h5"))
    optimizer, report = gmtf.keras_optimizer(path, build(tf_keras, OTHER_NAMES))
    assert "legacy" in type(optimizer).__module__ and report.exact

"""TF1 checkpoints go on in Keras: bit for bit by the stored op, nearly so by the stock classes."""

from __future__ import annotations

import numpy as np
import pytest
import tf1_runs

from graphmap.errors import ReconstructionError

pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
pytestmark = pytest.mark.tf


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
@pytest.mark.parametrize("name", sorted(tf1_runs.OPTIMIZERS))
def test_stored_op_goes_on_bit_for_bit(tmp_path, name, library):
    keras = pytest.importorskip(library)
    is_scheduled = (len(name) % 2 == 0) == (library == "keras")
    after = tf1_runs.train(str(tmp_path), name, is_scheduled)
    model = tf1_runs.build(keras)
    gmtf.load_weights(model, tmp_path, tf1_runs.MAP)
    optimizer, report = gmtf.keras_optimizer(tmp_path, model, tf1_runs.MAP, exact=True)
    assert report.exact and report.untouched == ()
    assert tf1_runs.go_on(model, optimizer) == after


@pytest.mark.parametrize("name", ["Adam", "Momentum", "Adagrad", "centered", "Adadelta", "Ftrl"])
def test_stock_class_says_how_far_it_is_off(tmp_path, name):
    keras = pytest.importorskip("keras")
    after = tf1_runs.train(str(tmp_path), name, is_scheduled=False)
    model = tf1_runs.build(keras)
    gmtf.load_weights(model, tmp_path, tf1_runs.MAP)
    optimizer, report = gmtf.keras_optimizer(tmp_path, model, tf1_runs.MAP)
    assert not report.exact and "five trial steps" in report.notes[0]
    for key, found in tf1_runs.go_on(model, optimizer).items():
        wanted = np.frombuffer(after[key], np.float32)
        assert np.allclose(np.frombuffer(found, np.float32), wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_ours_is_saved_and_loaded_by_keras(tmp_path, library):
    keras = pytest.importorskip(library)
    after = tf1_runs.train(str(tmp_path), "Adam", is_scheduled=True)
    model = tf1_runs.build(keras)
    gmtf.load_weights(model, tmp_path, tf1_runs.MAP)
    optimizer, _ = gmtf.keras_optimizer(tmp_path, model, tf1_runs.MAP, exact=True)
    model.compile(optimizer, "mse")
    model.save(tmp_path / "ours.keras")
    loaded = keras.models.load_model(tmp_path / "ours.keras")
    assert tf1_runs.go_on(loaded, loaded.optimizer) == after


def test_rate_that_no_file_tells_is_asked_for(tmp_path):
    keras = pytest.importorskip("keras")
    tf1_runs.train(str(tmp_path), "Adam", is_scheduled=False)
    (tmp_path / "model.ckpt.meta").unlink()
    model = tf1_runs.build(keras)
    with pytest.raises(ReconstructionError, match="does not tell the learning rate"):
        gmtf.keras_optimizer(tmp_path, model, tf1_runs.MAP)
    told = {"hyperparameters": {"learning_rate": 0.05, "beta1": 0.8}}
    _, report = gmtf.keras_optimizer(tmp_path, model, tf1_runs.MAP, optimizer=told, exact=True)
    assert any("epsilon is 1e-08" in sentence for sentence in report.assumed)

"""A Keras run goes on as if never stopped: other names, another creation order, every container."""

from __future__ import annotations

import pytest
from keras_runs import NAMES, OTHER_NAMES, bits, build, fit, save

from graphmap.errors import ReconstructionError, UnresolvedNameError, UsageError

pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
pytestmark = [
    pytest.mark.tf,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
]
ENDINGS = (".keras", ".weights.h5", ".h5", "_ckpt")


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def run(request, tmp_path_factory):
    """Adam after two steps in every container, and the weights two steps later."""
    keras = pytest.importorskip(request.param)
    keras.utils.set_random_seed(1)
    model = build(keras)
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    fit(model, 0)
    folder = tmp_path_factory.mktemp(request.param)
    paths = {ending: save(model, str(folder / f"m{ending}")) for ending in ENDINGS}
    before = bits(model)
    fit(model, 1)
    return keras, paths, before, bits(model)


@pytest.mark.parametrize("ending", ENDINGS)
def test_renamed_model_goes_on_bit_for_bit(run, ending):
    keras, paths, before, after = run
    model = build(keras, OTHER_NAMES)
    gmtf.load_weights(model, paths[ending])
    assert bits(model) == before
    told = ending in (".keras", ".h5")
    given = None if told else keras.optimizers.Adam(0.01)
    optimizer, report = gmtf.keras_optimizer(paths[ending], model, optimizer=given)
    rate_is_untold = ending == ".weights.h5" and keras.__name__ == "tf_keras"
    assert report.exact and bool(report.untouched) == rate_is_untold
    model.compile(optimizer, "mse", run_eagerly=True)
    fit(model, 1)
    assert bits(model) == after


def test_map_decides_and_a_wrong_one_is_told(run):
    keras, paths, before, _ = run
    model = build(keras, OTHER_NAMES)
    gmtf.load_weights(model, paths[".h5"], {"one/kernel": "alpha/kernel"})
    assert bits(model) == before
    with pytest.raises(UnresolvedNameError, match="not stored"):
        gmtf.load_weights(model, paths[".h5"], {"one/kernel": "delta/kernel"})


def test_names_that_cross_the_structure_are_not_guessed(run):
    keras, paths, _, _ = run
    model = build(keras, ("beta", "alpha", "gamma", "head"))
    before = bits(model)
    with pytest.raises(UnresolvedNameError, match="called so"):
        gmtf.load_weights(model, paths[".h5"])
    assert bits(model) == before


def test_what_a_file_cannot_tell_is_asked_for(run):
    keras, paths, _, _ = run
    with pytest.raises(ReconstructionError, match="does not tell") as told:
        gmtf.keras_optimizer(paths["_ckpt"], build(keras, OTHER_NAMES))
    assert "optimizer=keras.optimizers.Adam" in told.value.remedy


def test_another_class_is_refused(run):
    keras, paths, _, _ = run
    with pytest.raises(ReconstructionError, match="state of Adam, and the optimizer is Ftrl"):
        model = build(keras, OTHER_NAMES)
        gmtf.keras_optimizer(paths[".keras"], model, optimizer=keras.optimizers.Ftrl(0.1))


def test_layers_frozen_in_between_are_told(run):
    keras, paths, _, _ = run
    model = build(keras, OTHER_NAMES)
    model.get_layer("three").trainable = False
    with pytest.raises(ReconstructionError, match="frozen here: three/kernel"):
        gmtf.keras_optimizer(paths[".h5"], model)


def test_a_model_that_was_never_trained_has_no_slots(run, tmp_path):
    keras, *_ = run
    model = build(keras)
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    path = save(model, str(tmp_path / "new.keras"))
    with pytest.raises(ReconstructionError, match="before"):
        gmtf.keras_optimizer(path, build(keras, OTHER_NAMES))


def test_a_model_without_variables_is_told(run):
    keras, paths, _, _ = run
    with pytest.raises(UsageError, match="has not been built"):
        gmtf.load_weights(keras.Sequential([keras.layers.Dense(1)]), paths[".h5"])


def test_same_names_are_the_same_model(run):
    keras, paths, before, _ = run
    model = build(keras, NAMES)
    report = gmtf.load_weights(model, paths["_ckpt"])
    assert bits(model) == before
    assert "restored 12 of 12" in str(report)


def test_what_compile_wraps_under_mixed_precision_is_wrapped_again(tmp_path):
    """The config of a Keras 3 archive names the optimizer that compile was given."""
    keras = pytest.importorskip("keras")

    def mixed(words):
        layers = [keras.layers.Dense(3, name=word) for word in words]
        return keras.Sequential([keras.Input((4,)), *layers])

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, mine = mixed("ab"), mixed("cd")
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    fit(model, 0)
    path = save(model, str(tmp_path / "m.keras"))
    gmtf.load_weights(mine, path)
    optimizer, report = gmtf.keras_optimizer(path, mine)
    assert type(optimizer).__name__ == type(model.optimizer).__name__ == "LossScaleOptimizer"
    assert report.exact and not report.untouched
    stored = [v.numpy().tobytes() for v in model.optimizer.variables]
    assert [v.numpy().tobytes() for v in optimizer.variables] == stored


def test_a_loss_scale_that_tf_keras_leaves_out_is_said(tmp_path):
    keras = pytest.importorskip("tf_keras")
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model, mine = (
            keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name=name)])
            for name in ("a", "c")
        )
    finally:
        keras.mixed_precision.set_global_policy(before)
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    fit(model, 0)
    path = save(model, str(tmp_path / "m.keras"))
    gmtf.load_weights(mine, path)
    _, report = gmtf.keras_optimizer(path, mine)
    assert not report.exact
    assert "holds no loss scale" in " ".join(report.assumed)

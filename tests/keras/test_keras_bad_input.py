"""What cannot be put back is one error with what, where and remedy, and nothing has changed."""

from __future__ import annotations

import numpy as np
import pytest
from keras_runs import OTHER_NAMES, bits, build, fit, save

from graphmap.errors import GraphmapError, ReconstructionError, UnresolvedNameError

tf = pytest.importorskip("tensorflow")
gmtf = pytest.importorskip("graphmap.tf")
pytestmark = [
    pytest.mark.tf,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading:UserWarning"),
]
BOTH = pytest.mark.parametrize("library", ["keras", "tf_keras"])


def gradients(model, half):
    """Two steps of the compiled optimizer on fixed gradients."""
    random = np.random.RandomState(half)
    for _ in range(2):
        drawn = [random.standard_normal(v.shape).astype("f") for v in model.trainable_variables]
        model.optimizer.apply_gradients(
            [(tf.constant(g), v) for g, v in zip(drawn, model.trainable_variables, strict=True)]
        )


def trained(keras, build=build, optimizer=None, steps=gradients):
    keras.utils.set_random_seed(1)
    model = build(keras)
    model.compile(optimizer or keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    steps(model, 0)
    return model


def renamed(keras):
    """The model under other names, trained too, so that there is something to lose."""
    model = build(keras, OTHER_NAMES)
    model.compile(keras.optimizers.Adam(0.03), "mse", run_eagerly=True)
    gradients(model, 1)
    return model


def all_bits(model):
    held = model.optimizer.variables
    held = held() if callable(held) else held
    return bits(model), [np.asarray(v.numpy()).tobytes() for v in held]


def refused(path, model, match, error=ReconstructionError, **options):
    """Ask for the optimizer; what is told must be whole, and weights and slots as before."""
    before = all_bits(model)
    with pytest.raises(error, match=match) as told:
        gmtf.keras_optimizer(path, model, **options)
    assert isinstance(told.value, GraphmapError) and told.value.where and told.value.remedy
    assert all_bits(model) == before
    return told.value


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_legacy_state_that_keras_does_not_write(tmp_path, ending):
    keras = pytest.importorskip("tf_keras")
    model = trained(keras, optimizer=keras.optimizers.legacy.Adam(0.01))
    path = save(model, str(tmp_path / f"m{ending}"))
    told = refused(path, renamed(keras), "holds no optimizer state.*legacy")
    assert ".h5" in str(told.remedy)


@BOTH
def test_export_leaves_the_state_out(tmp_path, library):
    keras = pytest.importorskip(library)
    trained(keras).export(str(tmp_path / "out"))
    refused(tmp_path / "out", renamed(keras), "export.. and signatures leave it out")


def test_rate_that_tf_keras_does_not_store_is_the_callers(tmp_path):
    keras = pytest.importorskip("tf_keras")
    path = save(trained(keras), str(tmp_path / "m.weights.h5"))
    model = build(keras, OTHER_NAMES)
    given = keras.optimizers.Adam(0.02)
    optimizer, report = gmtf.keras_optimizer(path, model, optimizer=given)
    assert float(optimizer.learning_rate.numpy()) == np.float32(0.02)
    assert any("the rate is 0.02, as the caller's" in sentence for sentence in report.assumed)


@BOTH
@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("RMSprop", "keeps [0-9]+ for the trained|state of Adam"),
        ("Adadelta", "state of Adam|keeps"),
    ],
)
def test_another_class_is_told_by_what_it_keeps(tmp_path, library, kind, match):
    """`.weights.h5` has no class: the number of variables speaks, or words in a checkpoint."""
    keras = pytest.importorskip(library)
    ending = ".weights.h5" if kind == "RMSprop" else "_ckpt"
    path = save(trained(keras), str(tmp_path / f"m{ending}"))
    other = getattr(keras.optimizers, kind)(0.01)
    refused(path, renamed(keras), match, optimizer=other)


@BOTH
def test_frozen_otherwise_with_equal_shapes_is_said(tmp_path, library):
    """As many slots, of the same shapes: only a config would tell, and `.weights.h5` has none."""
    keras = pytest.importorskip(library)

    def stack(keras, words, frozen):
        layers = [keras.layers.Dense(4, name=word) for word in words]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, name="last")])
        layers[frozen].trainable = False
        return model

    model = trained(keras, build=lambda keras: stack(keras, "abc", 0))
    path = save(model, str(tmp_path / "m.weights.h5"))
    mine = stack(keras, "def", 2)
    _, report = gmtf.keras_optimizer(path, mine, optimizer=keras.optimizers.Adam(0.01))
    assert any("same layers frozen as" in text and "f/kernel" in text for text in report.assumed)
    path = save(model, str(tmp_path / "m.keras"))
    mine.compile(keras.optimizers.Adam(0.01), "mse")
    refused(path, mine, "frozen here: .*f/kernel")


@BOTH
@pytest.mark.parametrize("ending", [".weights.h5", ".h5", "_ckpt"])
def test_never_trained(tmp_path, library, ending):
    keras = pytest.importorskip(library)
    model = trained(keras, steps=lambda model, half: None)
    path = save(model, str(tmp_path / f"m{ending}"))
    told = keras.optimizers.Adam(0.01)
    refused(path, renamed(keras), "before|no optimizer state", optimizer=told)


@BOTH
@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_order_that_no_file_has(tmp_path, library, ending):
    keras = pytest.importorskip(library)

    def subclassed(keras, words=("one", "two")):
        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                for word in words:
                    setattr(self, word, keras.layers.Dense(4, name=word))

            def call(self, x):
                return self.two(self.one(x))

        model = Net()
        model(np.zeros((1, 4), "f"))
        return model

    path = save(trained(keras, build=subclassed), str(tmp_path / f"m{ending}"))
    mine = subclassed(keras, ("two", "one"))
    mine.compile(keras.optimizers.Adam(0.01), "mse")
    refused(
        path,
        mine,
        "which slot is whose cannot be known|no certain counterpart",
        (ReconstructionError, UnresolvedNameError),
        optimizer=keras.optimizers.Adam(0.01),
    )


@BOTH
def test_several_optimizers_in_one_checkpoint(tmp_path, library):
    keras = pytest.importorskip(library)
    one, two = trained(keras), trained(keras)
    held = tf.train.Checkpoint(g=one, g_opt=one.optimizer, d=two, d_opt=two.optimizer)
    path = held.write(str(tmp_path / "gan"))
    told = keras.optimizers.Adam(0.01)
    refused(path, renamed(keras), "2 optimizers", GraphmapError, optimizer=told)


@BOTH
def test_dropout_is_told(tmp_path, library):
    keras = pytest.importorskip(library)

    def dropping(keras):
        layers = keras.layers
        return keras.Sequential(
            [keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5, seed=1), layers.Dense(1)]
        )

    path = save(trained(keras, build=dropping, steps=fit), str(tmp_path / "m.h5"))
    report = gmtf.load_weights(dropping(keras), path)
    assert any("dropout" in sentence for sentence in report.notes)

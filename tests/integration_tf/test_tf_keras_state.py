"""Slots of Keras' optimizers, written by both Kerases: every one beside its weight, by value."""

from __future__ import annotations

import os
from contextlib import nullcontext
from functools import partial

import numpy
import pytest

import graphmap

pytestmark = [
    pytest.mark.tf,
    pytest.mark.filterwarnings("ignore"),  # both Kerases warn of their own formats
]

KERAS_3 = {
    "SGD": {"momentum": 0.9},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adam": {"amsgrad": True, "use_ema": True, "gradient_accumulation_steps": 2},
    "Adadelta": {},
    "Nadam": {},
    "Adafactor": {},
    "Muon": {},
}
KERAS_2 = {
    "SGD": {},
    "RMSprop": {"momentum": 0.9},
    "AdamW": {"amsgrad": True, "use_ema": True},
    "Ftrl": {},
    "Nadam": {},
}
LEGACY = {"Adam": {"amsgrad": True}, "RMSprop": {"momentum": 0.9, "centered": True}}


def keras_of(flavour):
    if flavour == "keras 3":
        import keras

        return keras
    import tf_keras

    return tf_keras


def network(keras, freeze=True):
    """Layers of equal shape in an order that is not that of their names, one of them frozen."""
    layers = keras.layers
    x = keras.Input((4,), name="x")
    h = layers.Dense(4, name="zeta")(x)
    h = layers.Dense(4, name="alpha")(h)
    h = layers.BatchNormalization(name="norm")(h)
    frozen = layers.Dense(4, name="frozen")
    frozen.trainable = not freeze
    h = frozen(h)
    h = layers.Reshape((2, 2))(h)
    h = layers.Bidirectional(layers.SimpleRNN(2), name="both")(h)
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, name="q"), layers.Dense(4, name="b")], name="inner"
    )
    return keras.Model(x, layers.Dense(4, name="mid")(inner(h)))


class Case:
    """A model whose every variable holds other numbers. pairs: {slot bytes: weight bytes}."""

    def __init__(self, flavour, kind, options, build=network):
        keras = keras_of(flavour)
        keras.backend.clear_session()
        self.model = build(keras)
        legacy = flavour == "legacy"
        classes = keras.optimizers.legacy if legacy else keras.optimizers
        optimizer = getattr(classes, kind)(0.01, **options)
        self.model.compile(optimizer, "mse")
        self.trained = self.model.trainable_variables
        import tensorflow as tf

        scope = nullcontext() if flavour == "keras 3" else tf.name_scope(kind)  # as training does
        with scope:
            (optimizer._create_all_weights if legacy else optimizer.build)(self.trained)
        self.optimizer = optimizer
        own = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
        random = numpy.random.default_rng(3)
        for variable in [*self.model.variables, *own]:
            dtype = numpy.asarray(variable).dtype
            if dtype.kind == "f":
                variable.assign(random.normal(size=variable.shape).astype(dtype))
        getattr(optimizer, "_iterations", optimizer.iterations).assign(7)
        self.pairs = dict(self._pairs(legacy))

    def _pairs(self, legacy):
        if legacy:
            for word in self.optimizer.get_slot_names():
                for weight in self.trained:
                    yield raw(self.optimizer.get_slot(weight, word)), raw(weight)
            return
        for name, listed in vars(self.optimizer).items():
            if name in ("_variables", "_trainable_variables") or not hasattr(listed, "append"):
                continue
            if len(listed) == len(self.trained):
                for weight, slot in zip(self.trained, listed, strict=True):
                    if slot is not None and len(slot.shape) and hasattr(slot, "assign"):
                        yield raw(slot), raw(weight)

    def save(self, folder, container):
        import tensorflow as tf

        path = str(folder / container)
        if container == "ckpt":
            tf.train.Checkpoint(model=self.model, optimizer=self.optimizer).write(path)
        elif container.endswith(".weights.h5"):
            self.model.save_weights(path)
        elif container == "saved":
            is_keras_2 = self.model.__module__.startswith("tf_keras")
            options = {"save_format": "tf"} if is_keras_2 else {}
            (self.model.save if is_keras_2 else partial(tf.saved_model.save, self.model))(
                path, **options
            )
        else:
            self.model.save(path)
        return path


def raw(variable):
    value = numpy.asarray(variable)
    return value.tobytes() + str(value.shape).encode()


def check(case, path, bases, needs_all=True):
    """Compare every slot and average of the file with the live optimizer, by value."""
    artifact = graphmap.load(path)
    told = {}
    for v in artifact.variables:
        if v.slot_of is not None and v.shape != ():  # scalars: placeholders of Adafactor
            told[raw(artifact.read(v.name))] = raw(artifact.read(v.slot_of))
            assert v.basis in bases, v
    wrong = {slot for slot, weight in told.items() if case.pairs.get(slot) != weight}
    assert not wrong
    if needs_all:
        assert told == case.pairs
    (optimizer,) = artifact.optimizers
    assert artifact.read(optimizer.iterations) == 7
    return optimizer


@pytest.mark.parametrize("kind", KERAS_3)
def test_keras_3(kind, tmp_path):
    case = Case("keras 3", kind, KERAS_3[kind])
    for container in ("m.keras", "ckpt", "m.h5"):
        if (kind, container) == ("Adafactor", "m.h5"):
            continue  # Keras itself cannot save it: two variables of one name
        is_exact = container == "ckpt" and kind not in ("Adafactor", "Muon")
        bases = {"confirmed"} if is_exact else {"inferred"}
        optimizer = check(case, case.save(tmp_path, container), bases)
        assert (optimizer.library, optimizer.kind) == ("keras 3", kind), container


@pytest.mark.parametrize("kind", ["RMSprop", "Adam"])
def test_weights_without_a_config_by_the_order_of_saving(kind, tmp_path):
    case = Case("keras 3", kind, KERAS_3[kind], lambda keras: network(keras, freeze=False))
    optimizer = check(case, case.save(tmp_path, "m.weights.h5"), {"inferred"})
    assert (optimizer.kind, optimizer.kind_basis) == (kind, "inferred")


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_frozen_layer_that_no_config_tells_of_leaves_doubt(kind, tmp_path):
    case = Case("keras 3", kind, {})
    optimizer = check(case, case.save(tmp_path, "m.weights.h5"), {"inferred"}, needs_all=False)
    assert any(slot.primary is None for slot in optimizer.slots) or kind == "SGD"


@pytest.mark.parametrize("kind", KERAS_2)
def test_keras_2(kind, tmp_path):
    case = Case("keras 2", kind, KERAS_2[kind])
    for container in ("m.keras", "ckpt", "m.h5"):
        optimizer = check(case, case.save(tmp_path, container), {"inferred"})
        assert (optimizer.library, optimizer.kind) == ("keras 2", kind), container
    optimizer = check(case, case.save(tmp_path, "m.weights.h5"), {"inferred"}, needs_all=False)
    assert optimizer.kind is None  # the file does not tell the class


@pytest.mark.parametrize("kind", LEGACY)
def test_legacy(kind, tmp_path):
    case = Case("legacy", kind, LEGACY[kind])
    optimizer = check(case, case.save(tmp_path, "ckpt"), {"confirmed"})
    assert (optimizer.library, optimizer.kind) == ("keras 2 legacy", kind)
    optimizer = check(case, case.save(tmp_path, "m.h5"), {"inferred"})
    assert (optimizer.library, optimizer.kind) == ("keras 2 legacy", kind)
    assert graphmap.load(case.save(tmp_path, "m.keras")).optimizers == ()  # Keras saves none


@pytest.mark.parametrize("flavour", ["keras 3", "keras 2"])
def test_saved_models(flavour, tmp_path):
    case = Case(flavour, "Adam", {}, dense)
    bases = {"confirmed"} if flavour == "keras 3" else {"inferred"}
    path = case.save(tmp_path, "saved")
    optimizer = check(case, path, bases)
    assert optimizer.kind == "Adam"
    assert (optimizer.kind_basis, optimizer.options is None) == (
        ("inferred", True) if flavour == "keras 3" else ("confirmed", False)
    )
    names = [v.name for v in graphmap.load(path).variables]
    assert len(names) == len(set(names))  # Keras 3 has a copy of each in the graph


def dense(keras):
    layers = [keras.layers.Dense(4, name=name) for name in ("zeta", "alpha")]
    return keras.Sequential([keras.Input((4,)), *layers])


def subclassed(keras):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.zed = keras.layers.Dense(6)
            self.mid = keras.layers.Dense(6)
            self.act = keras.layers.Dense(6)
            self.out = keras.layers.Dense(2)

        def call(self, x):
            return self.out(self.act(self.mid(self.zed(x))))

    model = Net()
    model(numpy.zeros((1, 4), "float32"))
    return model


@pytest.mark.parametrize("flavour", ["keras 3", "keras 2"])
def test_subclassed_models_only_where_shapes_tell(flavour, tmp_path):
    """Attributes are saved by name and trained by creation: equal shapes cannot be told apart."""
    case = Case(flavour, "Adam", {}, subclassed)
    for container in ("m.keras", "m.weights.h5"):
        path = case.save(tmp_path, container)
        optimizer = check(case, path, {"inferred"}, needs_all=False)
        paired = [slot for slot in optimizer.slots if slot.primary is not None]
        assert 0 < len(paired) < len(case.pairs)
        assert any("equal shape" in note for note in optimizer.notes)
    check(case, case.save(tmp_path, "ckpt"), {"confirmed", "inferred"})


def test_a_repacked_file_has_lost_the_order(tmp_path):
    """Copied object by object, groups lie in the order of their names."""
    import h5py

    case = Case("keras 3", "Adam", {})
    source = case.save(tmp_path, "m.weights.h5")
    with h5py.File(source) as old, h5py.File(tmp_path / "new.weights.h5", "w") as new:
        for name in sorted(old):
            old.copy(name, new)
    check(case, os.fspath(tmp_path / "new.weights.h5"), {"inferred"}, needs_all=False)

"""Slots of HDF5 files by the names that Keras wrote, and by order where they are numbers."""

from __future__ import annotations

import pytest

from graphmap.analysis.keras_names import pair_named
from graphmap.analysis.optimizer_states import find_optimizers
from graphmap.analysis.variables import find_variables
from graphmap.model.meta import KerasFile
from graphmap.model.stored import StoredModel, StoredTensor

SHAPES = ((4, 3), (3,), (3, 3), (3,))
WEIGHTS = ("net/a/kernel", "net/a/bias", "net/b/kernel", "net/b/bias")


def tensor(key, shape, dtype="float32"):
    return StoredTensor(key, key, shape, dtype, 4)


def named(*names, weights=WEIGHTS):
    rows = [(name, tensor(name, SHAPES[at % len(SHAPES)])) for at, name in enumerate(names)]
    given = [(name, tensor(name, shape)) for name, shape in zip(weights, SHAPES, strict=True)]
    return [(row.word, row.primary) for row in pair_named(rows, given)]


@pytest.mark.parametrize(
    "form",
    ["Adam/{w}/m", "training/Adam/{w}/m", "Adam/m/{w}", "m/{w}", "adam/{flat}_m"],
)
def test_every_form_of_name(form):
    names = [form.format(w=weight, flat=weight.replace("/", "_")) for weight in WEIGHTS]
    assert named(*names) == [("m", weight) for weight in WEIGHTS]


def test_flattened_names_that_are_alike_go_by_order():
    weights = ("a/b_c/kernel", "a_b/c/bias", "a/b/c/kernel", "a/b/c_bias")
    names = [f"adam/{weight.replace('/', '_')}_m" for weight in weights]
    assert named(*names, weights=weights) == [("m", weight) for weight in weights]


def test_one_weight_that_two_slots_claim_is_paired_with_none():
    names = ["Adam/m/net/a/kernel", "Adam/m/net/a/bias", "Adam/m/net/b/kernel", "x/m/net/a/bias"]
    assert [primary for _, primary in named(*names)] == [WEIGHTS[0], None, WEIGHTS[2], None]


def old_file(kind, options, slots):
    """A file of Keras 2.2: slots are `Variable`s in blocks."""
    group = "model_weights/net"
    weights = [tensor(f"{group}/{w}:0", shape) for w, shape in zip(WEIGHTS, SHAPES, strict=True)]
    names = ["Adam/iterations:0", *(f"training/{kind}/Variable_{at}:0" for at in range(len(slots)))]
    state = [tensor(f"optimizer_weights/{names[0]}", (), "int64")]
    state += [tensor(f"optimizer_weights/{n}", s) for n, s in zip(names[1:], slots, strict=True)]
    facts = KerasFile(
        version="2.2.4",
        optimizer={"class_name": kind, "config": options},
        weight_lists={
            group: tuple(one.key for one in weights),
            "optimizer_weights": tuple(one.key for one in state),
        },
        layers=(group,),
    )
    return StoredModel("m.h5", "keras-h5", tensors=(*weights, *state), keras=facts)


@pytest.mark.parametrize(
    ("kind", "slots", "words"),
    [
        ("Adam", [*SHAPES, *SHAPES], ("m", "v")),
        ("Adam", [*SHAPES, *SHAPES, *([(1,)] * 4)], ("m", "v")),  # placeholders of amsgrad
        ("SGD", SHAPES, ("momentum",)),
        ("RMSprop", SHAPES, ("rms",)),
        ("Adadelta", [*SHAPES, *SHAPES], ("accum_grad", "accum_var")),
    ],
)
def test_numbered_slots_by_their_order(kind, slots, words):
    stored = old_file(kind, {"lr": 0.1, "momentum": 0.0}, slots)
    (optimizer,) = find_optimizers(stored)
    assert (optimizer.library, optimizer.kind) == ("keras 2 legacy", kind)
    told = [(slot.primary, slot.word, slot.basis) for slot in optimizer.slots]
    keys = [f"model_weights/net/{weight}:0" for weight in WEIGHTS]
    assert told == [(key, word, "inferred") for word in words for key in keys]
    roles = {v.name: v.role for v in find_variables(stored)}
    assert roles["optimizer_weights/Adam/iterations:0"] == "step"


def test_numbered_slots_that_do_not_fit_are_paired_with_none():
    stored = old_file("Adam", {}, [(4, 3), (3,), (9,), (3,)] * 2)
    (optimizer,) = find_optimizers(stored)
    assert optimizer.slots == () and len(optimizer.unpaired) == 8
    assert all(v.slot_of is None for v in find_variables(stored))

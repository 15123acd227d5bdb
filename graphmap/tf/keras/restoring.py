"""Stored optimizer state into a Keras optimizer over a live model's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphmap.model.layouts import apply_layout
from graphmap.tf.importing import open_any
from graphmap.tf.keras.assigning import Put, put_values, read_stored
from graphmap.tf.keras.building import build_optimizer
from graphmap.tf.keras.choosing import choose_optimizer
from graphmap.tf.keras.flavour import flavour_of, name_of
from graphmap.tf.keras.leftover import check_whole, fill, untouched
from graphmap.tf.keras.live import LiveModel, live_keras_model
from graphmap.tf.keras.order import trained_order
from graphmap.tf.keras.pairing import Pairing, pair_weights
from graphmap.tf.keras.placing import place_by_edges, place_by_numbers
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.slots import Address, addresses
from graphmap.tf.keras.states import find_state
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.keras.tf1_restoring import restore_tf1
from graphmap.tf.keras.tf1_state import is_tf1

if TYPE_CHECKING:
    import numpy

__all__ = ["keras_optimizer"]


def keras_optimizer(
    path: Any, model: Any, name_map: Any = None, optimizer: Any = None, exact: bool = False
) -> tuple[Any, KerasReport]:
    """Return a Keras optimizer with the stored state, over the variables of `model`; and a report.

    path: `.keras`, `.weights.h5`, h5, tf.train.Checkpoint or TF2 SavedModel of either Keras.
    name_map: {weight of the model: stored name}, as for `load_weights`.
    optimizer: what the file cannot tell: an optimizer that is not built yet, its class, its name,
    or a config. Weights are not touched: `load_weights` puts them back.
    A TF1 checkpoint fills the stock class by formulas, and the report says by how much its steps
    differ; with exact=True the optimizer is one of ours, which calls the stored update op, bit for
    bit. There `optimizer` is {"kind": ..., "hyperparameters": {...}}, each key optional.
    Raises ReconstructionError where there is no state, or class, order or trained weights cannot
    be known; RestoreError for shapes; before anything is assigned.
    """
    live = live_keras_model(model, flavour_of(model))
    stored = StoredFile(open_any(path))
    if is_tf1(stored):
        return restore_tf1(live, stored, name_map, optimizer, exact=exact)
    state = find_state(stored)
    pairing = pair_weights(live, stored, name_map, trained_only=True)
    chosen = choose_optimizer(live, state, optimizer, stored.path)
    order = trained_order(live, stored, state, pairing)
    opt = chosen.optimizer
    build_optimizer(opt, live)
    trained = [weight.variable for weight in live.trainable]
    targets = addresses(opt, trained)
    if stored.nodes:
        keys = place_by_edges(opt, live, stored, state, order, targets)
    else:
        keys = place_by_numbers(opt, live, stored, order)
    check_whole(targets, keys, stored)
    values = _values(keys, live, stored, pairing)
    leftover = fill(opt, targets, values, state, trained)
    values |= leftover.values
    puts = [Put(name_of(targets[at]), targets[at], value) for at, value in values.items()]
    put_values(puts, stored.path)
    return opt, KerasReport(
        restored=tuple(put.name for put in puts),
        untouched=untouched(targets, values),
        assumed=(*chosen.assumed, *leftover.assumed),
        how=pairing.how,
        exact=leftover.is_exact,
    )


def _values(
    keys: Mapping[Address, str], live: LiveModel, stored: StoredFile, pairing: Pairing
) -> dict[Address, numpy.ndarray]:
    """Read what each variable of the optimizer gets; a slot has the layout of its weight."""
    raw = read_stored(stored, keys.values())
    values = {}
    for address, key in keys.items():
        value = raw[key]
        if address.at is not None:
            weight = live.trainable[address.at]
            layout = pairing.layouts.get(weight, "same")
            value = apply_layout(value, layout, weight.shape, weight.name)
        values[address] = value
    return values

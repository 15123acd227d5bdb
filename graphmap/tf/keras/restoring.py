"""Stored optimizer state into a Keras optimizer over a live model's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphmap.errors import ReconstructionError
from graphmap.model.layouts import apply_layout
from graphmap.tf.importing import open_any
from graphmap.tf.keras.assigning import Put, put_values, read_stored
from graphmap.tf.keras.building import build_optimizer
from graphmap.tf.keras.choosing import choose_optimizer
from graphmap.tf.keras.flavour import flavour_of, name_of
from graphmap.tf.keras.live import LiveModel, live_keras_model
from graphmap.tf.keras.order import trained_order
from graphmap.tf.keras.pairing import Pairing, pair_weights
from graphmap.tf.keras.placing import place_by_edges, place_by_numbers
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.slots import Address, addresses
from graphmap.tf.keras.states import find_state
from graphmap.tf.keras.stored import StoredFile

__all__ = ["keras_optimizer"]


def keras_optimizer(
    path: Any, model: Any, name_map: Any = None, optimizer: Any = None
) -> tuple[Any, KerasReport]:
    """Return a Keras optimizer with the stored state, over the variables of `model`; and a report.

    path: `.keras`, `.weights.h5`, h5, tf.train.Checkpoint or TF2 SavedModel of either Keras.
    name_map: {weight of the model: stored name}, as for `load_weights`.
    optimizer: what the file cannot tell: an optimizer that is not built yet, its class, its name,
    or a config. Weights are not touched: `load_weights` puts them back.
    Raises ReconstructionError where there is no state, or class, order or trained weights cannot
    be known; RestoreError for shapes; before anything is assigned.
    """
    live = live_keras_model(model, flavour_of(model))
    stored = StoredFile(open_any(path))
    state = find_state(stored)
    pairing = pair_weights(live, stored, name_map, trained_only=True)
    chosen = choose_optimizer(live, state, optimizer, stored.path)
    order = trained_order(live, stored, state, pairing)
    build_optimizer(chosen.optimizer, live)
    targets = addresses(chosen.optimizer)
    if stored.nodes:
        keys = place_by_edges(live, stored, state, order, targets)
    else:
        keys = place_by_numbers(chosen.optimizer, live, stored, order)
    _check_whole(targets, keys, stored)
    puts = _puts(targets, keys, live, stored, pairing)
    put_values(puts, stored.path)
    return chosen.optimizer, KerasReport(
        restored=tuple(put.name for put in puts),
        untouched=tuple(name_of(v) for a, v in targets.items() if a not in keys),
        assumed=tuple(chosen.assumed),
        how=pairing.how,
        exact=True,
    )


def _puts(
    targets: Mapping[Address, Any],
    keys: Mapping[Address, str],
    live: LiveModel,
    stored: StoredFile,
    pairing: Pairing,
) -> list[Put]:
    """Return what each variable of the optimizer gets; a slot has the layout of its weight."""
    values = read_stored(stored, keys.values())
    puts = []
    for address, key in keys.items():
        value = values[key]
        if address.at is not None:
            weight = live.trainable[address.at]
            layout = pairing.layouts.get(weight, "same")
            value = apply_layout(value, layout, weight.shape, weight.name)
        puts.append(Put(name_of(targets[address]), targets[address], value))
    return puts


def _check_whole(
    targets: Mapping[Address, Any], keys: Mapping[Address, str], stored: StoredFile
) -> None:
    """Raise ReconstructionError where a slot would keep its initial value."""
    lacking = [name_of(v) for a, v in targets.items() if a not in keys and a.at is not None]
    if lacking:
        raise ReconstructionError(
            f"has no value for {len(lacking)} slots of the optimizer, such as {lacking[0]}",
            where=stored.path,
            remedy="Nothing has been assigned. Class or options differ from those of the saved "
            "run, or it was saved before a training step; pass optimizer= with what trained it.",
        )

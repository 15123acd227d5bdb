"""Stored optimizer state into a Keras optimizer over a live model's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphmap.errors import ReconstructionError
from graphmap.model.layouts import apply_layout
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.importing import open_any
from graphmap.tf.keras.assigning import Put, put_values, read_stored
from graphmap.tf.keras.building import build_optimizer, build_scratch
from graphmap.tf.keras.choosing import choose_optimizer
from graphmap.tf.keras.crossing import is_foreign, source_optimizer, values_by_words
from graphmap.tf.keras.flavour import flavour_of, name_of, value_of
from graphmap.tf.keras.leftover import check_whole, fill, lacks_scale, untouched
from graphmap.tf.keras.live import LiveModel, LiveWeight, live_keras_model
from graphmap.tf.keras.order import order_doubts, trained_order
from graphmap.tf.keras.pairing import Pairing, pair_weights
from graphmap.tf.keras.placing import place_by_edges, place_by_numbers
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.slots import Address, addresses
from graphmap.tf.keras.states import find_state
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.keras.tf1_restoring import restore_tf1
from graphmap.tf.keras.tf1_state import is_tf1
from graphmap.tf.keras.trial import trial_difference

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
    chosen = choose_optimizer(live, state, optimizer, stored)
    order = trained_order(live, stored, state, pairing)
    opt = chosen.optimizer
    assumed = (*chosen.assumed, *order_doubts(live, state))
    build_optimizer(opt, live)
    unscaled = lacks_scale(model, opt)
    assumed = (*assumed, *([unscaled] if unscaled else []))
    if is_foreign(state, opt, live.flavour):
        return opt, _restore_foreign(opt, live, stored, state, pairing, order, assumed)
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
        assumed=(*assumed, *leftover.assumed),
        how=pairing.how,
        exact=leftover.is_exact and not unscaled,
    )


def _restore_foreign(
    optimizer: Any,
    live: LiveModel,
    stored: StoredFile,
    state: StoredOptimizer,
    pairing: Pairing,
    order: Sequence[LiveWeight],
    assumed: Sequence[str],
) -> KerasReport:
    """Put the state of the other Keras back, after a few steps by both rules on trial."""
    trained = [weight.variable for weight in live.trainable]
    targets = addresses(optimizer, trained)
    places = {pairing.pairs[weight].key: at for at, weight in enumerate(live.trainable)}
    if pairing.layouts:
        raise ReconstructionError(
            "has weights in another layout than the model, which is not carried over to the other "
            "Keras",
            where=stored.path,
            remedy="Nothing has been assigned. Convert the file first: graphmap convert",
        )
    values = values_by_words(optimizer, targets, state, places, stored)
    keys = dict.fromkeys(values, "")
    if getattr(optimizer, "momentum", 1.0) != 0.0:
        check_whole(targets, keys, stored)
    leftover = fill(optimizer, targets, values, state, trained)
    values |= leftover.values
    note = _crossing_note(optimizer, live, stored, state, places, values)
    puts = [Put(name_of(targets[at]), targets[at], value) for at, value in values.items()]
    put_values([_cast(put) for put in puts], stored.path)
    return KerasReport(
        restored=tuple(put.name for put in puts),
        untouched=untouched(targets, values),
        assumed=(*assumed, *leftover.assumed),
        notes=(note,),
        how=pairing.how,
        exact=False,
    )


def _cast(put: Put) -> Put:
    """Give a scalar the type that this Keras has for it."""
    wanted = value_of(put.variable).dtype
    return put._replace(value=put.value.astype(wanted)) if put.value.ndim == 0 else put


def _crossing_note(
    optimizer: Any,
    live: LiveModel,
    stored: StoredFile,
    state: StoredOptimizer,
    places: Mapping[str, int],
    values: Mapping[Address, numpy.ndarray],
) -> str:
    kind = type(optimizer).__name__
    source = source_optimizer(state, optimizer)
    if source is None:
        return (
            f"the file is of {state.library}, which is not installed here: how far its {kind} "
            f"parts from that of {live.flavour.word} could not be tried"
        )
    flavour, other = source
    _, held, _ = build_scratch(other, live.trainable, flavour)
    theirs = values_by_words(other, held, state, places, stored)
    size = trial_difference(live, (flavour, other, theirs), (live.flavour, optimizer, values))
    rules = f"{kind} of {state.library} and of {live.flavour.word}"
    if size == 0.0:
        return f"five trial steps by {rules} gave equal bits; other gradients may round otherwise"
    return f"five trial steps by {rules} differ by {size:.1e} in the weights"


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

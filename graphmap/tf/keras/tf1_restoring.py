"""TF1 slots into a Keras optimizer: the stock class by formulas, or one that calls the stored op.

Formulas, measured over five steps against the run in TF1: docs/keras.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.errors import ReconstructionError
from graphmap.model.layouts import apply_layout
from graphmap.tf.keras.assigning import Put, put_values, read_stored
from graphmap.tf.keras.building import build_optimizer
from graphmap.tf.keras.flavour import Flavour, name_of, value_of
from graphmap.tf.keras.leftover import untouched
from graphmap.tf.keras.live import LiveModel, LiveWeight
from graphmap.tf.keras.pairing import Pairing, pair_weights
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.slots import Address, addresses
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.keras.stored_ops import FAMILIES
from graphmap.tf.keras.stored_rate import StoredRate
from graphmap.tf.keras.tf1_state import Tf1State, tf1_state
from graphmap.tf.keras.trial import trial_difference

if TYPE_CHECKING:
    import numpy

__all__ = ["restore_tf1"]


class _Stock(NamedTuple):
    """The Keras class of a TF1 one. options: {Keras' argument: TF1's}; slots: {word: attribute}."""

    cls: str
    options: Mapping[str, str]
    slots: Mapping[str, str]


_STOCK = {
    "GradientDescent": _Stock("SGD", {}, {}),
    "Adam": _Stock(
        "Adam",
        {"beta_1": "beta1", "beta_2": "beta2", "epsilon": "epsilon"},
        {"m": "_momentums", "v": "_velocities"},
    ),
    "Momentum": _Stock(
        "SGD", {"momentum": "momentum", "nesterov": "use_nesterov"}, {"momentum": "momentums"}
    ),
    "Adagrad": _Stock(
        "Adagrad",
        {"initial_accumulator_value": "initial_accumulator_value"},
        {"accumulator": "_accumulators"},
    ),
    "RMSProp": _Stock(
        "RMSprop",
        {"rho": "decay", "momentum": "momentum", "epsilon": "epsilon", "centered": "centered"},
        {"rms": "_velocities", "momentum": "_momentums", "mg": "_average_gradients"},
    ),
    "Adadelta": _Stock(
        "Adadelta",
        {"rho": "rho", "epsilon": "epsilon"},
        {"accum": "_accumulated_grads", "accum_update": "_accumulated_delta_vars"},
    ),
    "Ftrl": _Stock(
        "Ftrl",
        {
            name: name
            for name in FAMILIES["Ftrl"].arguments
        },
        {"accum": "_accumulators", "linear": "_linears"},
    ),
}  # fmt: skip


def restore_tf1(
    live: LiveModel, stored: StoredFile, name_map: Any, optimizer: Any, *, exact: bool
) -> tuple[Any, KerasReport]:
    """Return (optimizer, report) for a TF1 checkpoint; raises as `keras_optimizer` does."""
    state = tf1_state(stored, optimizer)
    pairing = pair_weights(live, stored, name_map, trained_only=True)
    slots = _slots_of_weights(live, stored, state, pairing)
    keys = [key for words in slots.values() for key in words.values()]
    raw = read_stored(
        stored, [*keys, *state.powers.values(), *([state.step] if state.step else [])]
    )
    count, doubts = _count(state, raw)
    ours = _exact_optimizer(live.flavour, state)
    build_optimizer(ours, live)
    unconverted = _exact_values(live, state, slots, pairing, raw, count)
    if exact:
        return ours, _put(ours, live, unconverted, stored, state, pairing, doubts, exact=True)
    stock = _stock_optimizer(live.flavour, state)
    build_optimizer(stock, live)
    values = _stock_values(live, stock, state, unconverted, count)
    size = trial_difference(live, (live.flavour, ours, unconverted), (live.flavour, stock, values))
    told = [*doubts, *_notes(state, size)]
    return stock, _put(stock, live, values, stored, state, pairing, told, exact=False)


# TF1 leaves the slots of rows that a batch does not have; Keras' classes let all of them decay.
_ROW_BY_ROW = ("Momentum", "RMSProp", "Adadelta")


def _notes(state: Tf1State, size: float) -> list[str]:
    """Return how far a trial parted, and what a trial cannot show."""
    notes = [_sentence(state, size)]
    if state.sparse and state.kind in _ROW_BY_ROW:
        notes.append(
            f"the stored op moves only the rows of {state.sparse[0]} that a batch has, and Keras' "
            "class all of them, as their slots decay: there steps differ in principle; exact=True "
            "does as the stored op"
        )
    return notes


def _sentence(state: Tf1State, size: float) -> str:
    if size == 0.0:
        return (
            "five trial steps by the stock class and by the stored op gave equal bits; other "
            "gradients may round otherwise, and exact=True calls the stored op"
        )
    text = (
        f"five trial steps by the stock class and by the stored op differ by {size:.1e} in the "
        "weights; exact=True calls the stored op"
    )
    if state.kind == "Momentum" and isinstance(state.rate, StoredRate):
        text += "; with a schedule they differ in principle: Keras keeps the rate inside momentum"
    return text


def _slots_of_weights(
    live: LiveModel, stored: StoredFile, state: Tf1State, pairing: Pairing
) -> dict[LiveWeight, Mapping[str, str]]:
    names = {v.checkpoint_key: v.name for v in stored.opened.variables if v.checkpoint_key}
    found: dict[LiveWeight, Mapping[str, str]] = {}
    for weight in live.trainable:
        primary = names.get(pairing.pairs[weight].key, "")
        if primary in state.slots:
            found[weight] = state.slots[primary]
    extra = len(state.slots) - len(found)
    lacking = [weight.name for weight in live.trainable if weight not in found]
    if (lacking and (state.slots or FAMILIES[state.kind].words)) or extra > 0:
        raise ReconstructionError(
            f"trained {len(state.slots)} weights, and the model trains {len(live.trainable)}"
            + (f"; without slots: {', '.join(lacking[:3])}" if lacking else ""),
            where=stored.path,
            remedy="Nothing has been assigned. Freeze and unfreeze the layers as in the stored "
            "run, or pass name_map={weight of the model: stored name}.",
        )
    return found


def _count(state: Tf1State, raw: Mapping[str, numpy.ndarray]) -> tuple[int, list[str]]:
    """Return how often the optimizer has stepped, and what speaks against it.

    A power is beta^(t+1); float32 beta2, as beta1 ** t is lost in rounding after some 900 steps.
    """
    import numpy

    step = None if state.step is None else int(raw[state.step])
    power = state.powers.get("beta2_power")
    if power is None:
        return step or 0, []
    value = float(raw[power])
    beta = float(numpy.float32(state.hyperparameters["beta2"]))
    if not 0.0 < value < 1.0 or not 0.0 < beta < 1.0:
        return step or 0, []
    counted = round(log(value) / log(beta)) - 1
    if step is None or step == counted:
        return counted, []
    return counted, [
        f"the step is {step}, but the powers say that this optimizer has stepped {counted} times: "
        "the powers count"
    ]


def _exact_optimizer(flavour: Flavour, state: Tf1State) -> Any:
    if flavour.is_three:
        from graphmap.tf.keras import exact_keras as exact
    else:
        from graphmap.tf.keras import exact_tf_keras as exact  # type: ignore[no-redef]
    rate: Any = state.rate
    if isinstance(rate, StoredRate):
        rate = exact.StoredSchedule(**rate.config())
    return exact.StoredUpdate(state.kind, dict(state.hyperparameters), learning_rate=rate)


def _exact_values(
    live: LiveModel,
    state: Tf1State,
    slots: Mapping[LiveWeight, Mapping[str, str]],
    pairing: Pairing,
    raw: Mapping[str, numpy.ndarray],
    count: int,
) -> dict[Address, numpy.ndarray]:
    """Return the slots, powers and step as they are stored, for the optimizer of ours."""
    import numpy

    step = count if state.step is None else int(raw[state.step])
    values = {Address((), "_iterations"): numpy.asarray(step, numpy.int64)}
    for at, weight in enumerate(live.trainable):
        layout = pairing.layouts.get(weight, "same")
        for word, key in slots.get(weight, {}).items():
            value = apply_layout(raw[key], layout, weight.shape, weight.name)
            values[Address((), f"_slots_{word}", at)] = value
    if isinstance(state.rate, float):
        values[Address((), "_learning_rate")] = numpy.asarray(state.rate)
    for name, key in state.powers.items():
        values[Address((), f"_{name}")] = raw[key]
    return values


def _stock_optimizer(flavour: Flavour, state: Tf1State) -> Any:
    stock = _STOCK[state.kind]
    config: dict[str, Any] = {
        mine: state.hyperparameters[theirs]
        for mine, theirs in stock.options.items()
        if theirs in state.hyperparameters
    }
    if state.kind == "Adagrad":
        config["epsilon"] = 0.0
    rate: Any = state.rate
    if isinstance(rate, StoredRate):
        ours = _exact_optimizer(flavour, state)
        rate = ours._learning_rate
    return getattr(flavour.module.optimizers, stock.cls)(learning_rate=rate, **config)


def _stock_values(
    live: LiveModel,
    stock: Any,
    state: Tf1State,
    unconverted: Mapping[Address, numpy.ndarray],
    count: int,
) -> dict[Address, numpy.ndarray]:
    import numpy

    held = addresses(stock, [weight.variable for weight in live.trainable])
    by_attribute = {f"_slots_{word}": name for word, name in _STOCK[state.kind].slots.items()}
    values: dict[Address, numpy.ndarray] = {}
    for address, value in unconverted.items():
        attribute = by_attribute.get(address.attribute, address.attribute)
        target = Address((), attribute, address.at)
        if target in held:
            values[target] = value
    if state.kind == "Momentum":
        rate: Any = state.rate
        if isinstance(rate, StoredRate):
            rate = rate.at(numpy.int64(count)).numpy()
        for at in [one for one in values if one.at is not None]:
            values[at] = -(values[at].dtype.type(rate)) * values[at]
    values[Address((), "_iterations")] = numpy.asarray(count, numpy.int64)
    return values


def _put(
    optimizer: Any,
    live: LiveModel,
    values: Mapping[Address, numpy.ndarray],
    stored: StoredFile,
    state: Tf1State,
    pairing: Pairing,
    notes: list[str],
    *,
    exact: bool,
) -> KerasReport:
    targets = addresses(optimizer, [weight.variable for weight in live.trainable])
    lacking = [name_of(v) for a, v in targets.items() if a.at is not None and a not in values]
    if lacking:
        raise ReconstructionError(
            f"has no value for {len(lacking)} slots, such as {lacking[0]}",
            where=stored.path,
            remedy="Nothing has been assigned. Check the class and options in optimizer=.",
        )
    puts = []
    for address, value in values.items():
        variable = targets[address]
        puts.append(Put(name_of(variable), variable, value.astype(value_of(variable).dtype)))
    put_values(puts, stored.path)
    return KerasReport(
        restored=tuple(put.name for put in puts),
        untouched=untouched(targets, values),
        assumed=(*state.assumed, *state.doubts),
        notes=tuple(notes),
        how=pairing.how,
        exact=exact and not state.doubts and not state.assumed,
    )

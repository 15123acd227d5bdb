"""State of one Keras in an optimizer of the other: Keras 2 into Keras 3, back, and legacy into new.

Slots are paired by what the file calls them; a few trial steps by both rules say how far they part.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from graphmap.errors import ReconstructionError
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.assigning import read_stored
from graphmap.tf.keras.flavour import Flavour
from graphmap.tf.keras.slots import SLOTS, Address, is_legacy
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.runtime import tensorflow

if TYPE_CHECKING:
    import numpy

__all__ = ["fitting_options", "is_foreign", "source_optimizer", "values_by_words"]

_LIBRARY_MODULES = {"keras 3": "keras", "keras 2": "tf_keras", "keras 2 legacy": "tf_keras"}
_OF_NO_WEIGHT = frozenset({"name", "jit_compile", "is_legacy_optimizer"})
# words of files -> attributes that may hold it; the first that the optimizer has is meant.
# Sources: keras/src/optimizers, tf_keras/src/optimizers and its legacy folder: each `build`.
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "m": ("_momentums", "momentums", "_m"),
    "momentum": ("_momentums", "momentums", "_m"),
    "v": ("_velocities", "_u"),
    "velocity": ("_velocities",),
    "vhat": ("_velocity_hats",),
    "velocity_hat": ("_velocity_hats",),
    "u": ("_u",),
    "norm": ("_u",),
    "rms": ("_velocities",),
    "mg": ("_average_gradients",),
    "average_gradient": ("_average_gradients",),
    "accumulator": ("_accumulators",),
    "accum_grad": ("_accumulated_grads",),
    "accum_var": ("_accumulated_delta_vars",),
    "accumulated_grad": ("_accumulated_grads",),
    "accumulated_delta_var": ("_accumulated_delta_vars",),
    "linear": ("_linears",),
    "average": ("_model_variables_moving_average",),
}


def is_foreign(state: StoredOptimizer, optimizer: Any, flavour: Flavour) -> bool:
    """Whether a file's optimizer is of another library than the live one."""
    mine = "keras 3" if flavour.is_three else "keras 2"
    if is_legacy(optimizer):
        mine = "keras 2 legacy"
    return state.library is not None and state.library != mine


def fitting_options(cls: Any, options: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the options that a class takes; raises where it lacks one that was in use."""
    taken = inspect.signature(cls.__init__).parameters
    kept = {name: value for name, value in options.items() if name in taken and name != "name"}
    lost = sorted(
        name
        for name, value in options.items()
        if name not in kept and name not in _OF_NO_WEIGHT and value not in (None, False, 0, 0.0)
    )
    if lost:
        raise ReconstructionError(
            f"uses {lost[0]}={options[lost[0]]!r}, which {cls.__module__.split('.')[0]}'s {kind} "
            "does not have",
            where="optimizer",
            remedy="Nothing has been assigned. Pass optimizer=, an instance that does the same, "
            "such as one with a schedule in place of decay.",
        )
    return kept


def values_by_words(
    optimizer: Any,
    held: Mapping[Address, Any],
    state: StoredOptimizer,
    places: Mapping[str, int],
    stored: StoredFile,
) -> dict[Address, numpy.ndarray]:
    """Return what each variable of an optimizer gets, by the words of the file.

    places: {key of a trained weight: its index}. Raises ReconstructionError where a word has no
    place in the optimizer, or a slot's word or weight is not known.
    """
    keys: dict[Address, str] = {}
    for slot in state.slots:
        if slot.word is None or slot.primary is None:
            raise ReconstructionError(
                "does not tell what each of its slots is, or whose",
                where=stored.path,
                remedy="Nothing has been assigned. Restore it in the Keras that wrote it, and save "
                "an .h5 or a tf.train.Checkpoint there.",
            )
        address = _address(slot.word, places[slot.primary], optimizer, held)
        if address is not None:
            keys[address] = slot.key
        elif not _is_idle(slot.word, state, optimizer):
            raise ReconstructionError(
                f"keeps {slot.word!r} for each weight, which {type(optimizer).__name__} does not",
                where=stored.path,
                remedy="Nothing has been assigned. Class or options differ (amsgrad, momentum, "
                "centered, use_ema): pass optimizer= with those of the saved run.",
            )
    for names, key in (
        (("_iterations", "iter"), state.iterations),
        (("_learning_rate", "learning_rate"), state.learning_rate),
    ):
        found = next((Address((), n) for n in names if Address((), n) in held), None)
        if key is not None and found is not None:
            keys[found] = key
    raw = read_stored(stored, keys.values())
    values = {address: raw[key] for address, key in keys.items()}
    product = Address((), "_u_product")
    if product in held:
        steps = int(raw[state.iterations]) if state.iterations else 0
        values[product] = _product(optimizer, steps)
    return values


def _address(word: str, at: int, optimizer: Any, held: Mapping[Address, Any]) -> Address | None:
    if is_legacy(optimizer):
        address = Address((SLOTS,), word, at)
        return address if address in held else None
    tried = (Address((), name, at) for name in _ATTRIBUTES.get(word, ()))
    return next((address for address in tried if address in held), None)


def _is_idle(word: str, state: StoredOptimizer, optimizer: Any) -> bool:
    """Whether a slot does nothing: tf_keras' SGD keeps momenta that it does not use."""
    return word in ("m", "momentum") and not getattr(optimizer, "momentum", 1.0)


def _product(optimizer: Any, steps: int) -> numpy.ndarray:
    """Return Nadam's product over the steps as Keras 3 makes it: one factor a step."""
    tf = tensorflow()
    product = tf.ones([], tf.float32)
    for step in range(steps):
        factor = optimizer.beta_1 * (1.0 - 0.5 * tf.pow(0.96, tf.cast(step + 1, tf.float32)))
        product = product * factor
    result: numpy.ndarray = product.numpy()
    return result


def source_optimizer(state: StoredOptimizer, live_optimizer: Any) -> tuple[Flavour, Any] | None:
    """Return an optimizer of the library that wrote the file; None where that is not installed."""
    name = _LIBRARY_MODULES[str(state.library)]
    try:
        module = import_module(name)
    except ImportError:
        return None
    flavour = Flavour("Keras 3" if name == "keras" else "tf_keras", module, name == "keras")
    home = module.optimizers.legacy if state.library == "keras 2 legacy" else module.optimizers
    cls = getattr(home, type(live_optimizer).__name__, None)
    if cls is None:
        return None
    options = dict(state.options or live_optimizer.get_config())
    if state.options is None:
        options = fitting_options(cls, options, cls.__name__)
    return flavour, cls.from_config(options)

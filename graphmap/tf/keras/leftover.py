"""What an optimizer keeps once and a file does not hold: from the config, replayed, or assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphmap.errors import ReconstructionError
from graphmap.model.optimizer_state import StoredOptimizer
from graphmap.tf.keras.flavour import dtype_of, name_of, value_of
from graphmap.tf.keras.slots import LOSS_SCALE, Address
from graphmap.tf.keras.stored import StoredFile
from graphmap.tf.runtime import tensorflow

if TYPE_CHECKING:
    import numpy

__all__ = ["Leftover", "check_whole", "fill", "lacks_scale", "untouched"]

_COUNTERS = ("_iterations", "iter")
_RATES = ("_learning_rate", "learning_rate")
_DERIVED = "_current_learning_rate"  # of a schedule, computed anew in each step
_PRODUCT = "_u_product"


class Leftover:
    """Values that are not read but computed; sentences; and whether nothing was guessed."""

    def __init__(self) -> None:
        self.values: dict[Address, numpy.ndarray] = {}
        self.assumed: list[str] = []
        self.is_exact = True


def check_whole(
    targets: Mapping[Address, Any], keys: Mapping[Address, str], stored: StoredFile
) -> None:
    """Raise ReconstructionError where a slot or the count of steps has no stored value."""
    lacking = [
        name_of(variable)
        for address, variable in targets.items()
        if address not in keys
        and (address.at is not None or (not address.owner and address.attribute in _COUNTERS))
    ]
    if lacking:
        raise ReconstructionError(
            f"has no value for {len(lacking)} variables of the optimizer, such as {lacking[0]}",
            where=stored.path,
            remedy="Nothing has been assigned. Class or options differ from those of the saved "
            "run, or it was saved before a training step; pass optimizer= with what trained it.",
        )


def untouched(targets: Mapping[Address, Any], values: Mapping[Address, Any]) -> tuple[str, ...]:
    """Return the names of what kept its initial value; a schedule's rate of the moment is none."""
    return tuple(
        name_of(variable)
        for address, variable in targets.items()
        if address not in values and address.attribute != _DERIVED
    )


def fill(
    optimizer: Any,
    targets: Mapping[Address, Any],
    values: Mapping[Address, numpy.ndarray],
    state: StoredOptimizer,
    trained: Sequence[Any],
) -> Leftover:
    """Say where each variable that has no stored value gets it from."""
    result = Leftover()
    for address, variable in targets.items():
        if address in values or address.attribute == _DERIVED:
            continue
        if address.attribute in _RATES:
            rate = (state.options or {}).get("learning_rate")
            if isinstance(rate, int | float):
                result.values[address] = value_of(variable).dtype.type(rate)
            else:
                result.assumed.append(
                    f"the rate is {float(variable.numpy()):g}, as the caller's optimizer says: "
                    "this file holds none"
                )
        elif address.attribute == _PRODUCT:
            steps = next(int(v) for a, v in values.items() if a.attribute in _COUNTERS)
            result.values[address] = _replayed_product(optimizer, steps, len(trained), variable)
            result.assumed.append(
                f"{_PRODUCT} of Nadam, which this file does not hold, is replayed over {steps} "
                "steps as one compiled train function makes it"
            )
        elif LOSS_SCALE in address.owner:
            if address.attribute != "current_loss_scale":
                continue
            result.is_exact = False
            result.assumed.append(
                f"the loss scale starts at {float(variable.numpy()):g} again: tf_keras does not "
                "store it in this file, so steps differ if it had changed; a tf.train.Checkpoint "
                "has it"
            )
        elif state.options is None or address.attribute not in state.options:
            result.is_exact = False
            result.assumed.append(
                f"{name_of(variable)} keeps its initial value: this file does not hold it"
            )
    return result


def lacks_scale(model: Any, optimizer: Any) -> str:
    """Return a sentence where `compile` will wrap the optimizer in a loss scale of its own; or "".

    tf_keras' `.keras`, `.weights.h5` and h5 name the optimizer that `compile` was given, and do not
    hold the scale in which it was wrapped.
    """
    layers = getattr(model, "layers", ())
    is_half = any(getattr(layer, "compute_dtype", None) == "float16" for layer in layers)
    if not is_half or hasattr(optimizer, "inner_optimizer"):
        return ""
    return (
        "the model computes in float16, and this file holds no loss scale: compile() starts one "
        "afresh, so steps differ if the stored run had changed its own; a tf.train.Checkpoint "
        "has it"
    )


def _replayed_product(optimizer: Any, steps: int, count: int, variable: Any) -> numpy.ndarray:
    """Return tf_keras Nadam's product after some steps, in its own arithmetic and order.

    It is multiplied once for every weight and step, but for the n-th weight in step n - 1: there
    a counter, fixed while the function was traced, equals the step's (nadam.py: update_step).
    """
    tf = tensorflow()
    dtype = dtype_of(variable)
    beta = tf.cast(optimizer.beta_1, dtype)
    product = tf.ones([], dtype)
    for step in range(steps):
        power = tf.pow(tf.cast(0.96, dtype), tf.cast(step + 1, dtype))
        factor = beta * (1.0 - 0.5 * power)
        for number in range(count):
            if number != step + 1:
                product = product * factor
    result: numpy.ndarray = product.numpy()
    return result

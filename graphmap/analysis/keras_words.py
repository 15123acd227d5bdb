"""Keras' own optimizers (optimizer_v2) under their own words.

They use the fused ops of TF1, but keep their rates in variables beside an `iter` counter, and
call classes, arguments and slots differently. Source: keras/optimizers/legacy of TF 2.x.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from graphmap.analysis.schedules import describe
from graphmap.analysis.values import Frame, Value
from graphmap.model.graph import GraphModel

__all__ = ["KerasWords", "keras_scope", "keras_words"]

_KINDS = {"GradientDescent": "SGD", "RMSProp": "RMSprop", "AdaMax": "Adamax"}
_ARGUMENTS = {"beta1": "beta_1", "beta2": "beta_2", "use_nesterov": "nesterov", "decay": "rho"}
_SLOTS = {
    "Adadelta": {"accum": "accum_grad", "accum_update": "accum_var"},
    "Ftrl": {"accum": "accumulator"},
}


class KerasWords(NamedTuple):
    """What Keras calls an update."""

    kind: str
    hyperparameters: dict[str, Any]
    slots: dict[str, str]
    non_slots: dict[str, str]


def keras_scope(graph: GraphModel, hyperparameters: dict[str, Any]) -> str | None:
    """Return the scope of the Keras optimizer whose rate this is; None for any other optimizer."""
    rate = hyperparameters.get("learning_rate")
    if not isinstance(rate, dict):
        return None
    told = (rate["schedule"] or {}).get("depends_on", ()) if rate["schedule"] else (rate["tensor"],)
    for tensor in told:
        scope = tensor.partition(":")[0].rpartition("/")[0]
        if f"{scope}/iter" in graph.index and f"{scope}/learning_rate" in graph.index:
            return str(scope)
    return None


def keras_words(
    graph: GraphModel,
    scope: str,
    kind: str,
    hyperparameters: dict[str, Any],
    slots: dict[str, str],
) -> KerasWords:
    """Word an update as Keras does; a decayed rate becomes rate and decay again."""
    told = {_ARGUMENTS.get(name, name): value for name, value in hyperparameters.items()}
    told.pop("use_locking", None)  # always on, and no argument
    for argument in ("learning_rate", "decay"):
        name = f"{scope}/{argument}"
        if name in graph.index:
            told[argument] = describe(Value(Frame(graph), graph.index[name]))
    words = _SLOTS.get(kind, {})
    return KerasWords(
        f"keras.{_KINDS.get(kind, kind)}",
        told,
        {words.get(word, word): slot for word, slot in slots.items()},
        {"iterations": f"{scope}/iter"},
    )

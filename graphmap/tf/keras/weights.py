"""Stored weights into a live Keras model: all checks first, then assign, then read back."""

from __future__ import annotations

from typing import Any

from graphmap.model.layouts import apply_layout
from graphmap.tf.importing import open_any
from graphmap.tf.keras.assigning import Put, put_values, read_stored
from graphmap.tf.keras.flavour import flavour_of
from graphmap.tf.keras.live import LiveModel, live_keras_model
from graphmap.tf.keras.pairing import Pairing, pair_weights
from graphmap.tf.keras.report import KerasReport
from graphmap.tf.keras.stored import StoredFile

__all__ = ["load_weights"]

_RATES = ("rate", "stddev", "dropout", "recurrent_dropout")  # 0: a layer draws nothing


def load_weights(model: Any, path: Any, name_map: Any = None) -> KerasReport:
    """Assign stored weights to a built Keras model, Keras 3 or tf_keras, and read each back.

    path: any artifact with values. name_map: {weight of the model: stored name}, a NameMap or a
    path to one; weights that it does not name are resolved here. Layouts of a map are applied.
    Raises UnresolvedNameError for weights that are missing or ambiguous, RestoreError for other
    shapes or dtypes, before anything is assigned.
    """
    live = live_keras_model(model, flavour_of(model))
    stored = StoredFile(open_any(path))
    pairing = pair_weights(live, stored, name_map)
    put_values(weight_values(pairing, stored), stored.path)
    lacking = [weight.name for weight in live.weights if weight not in pairing.pairs]
    notes = []
    if lacking:
        notes.append(
            f"{lacking[0]} is not in the file, so random numbers such as those of dropout will be "
            "others than in the run that was saved"
        )
    elif not live.flavour.is_three and (random := _random_layer(live)) is not None:
        notes.append(
            f"{random} draws random numbers whose state tf_keras stores in no file: they will be "
            "others than in the run that was saved"
        )
    return KerasReport(
        restored=tuple(w.name for w in live.weights if w in pairing.pairs),
        untouched=tuple(lacking),
        notes=tuple(notes),
        how=pairing.how,
    )


def _random_layer(live: LiveModel) -> str | None:
    """Return the name of a layer of tf_keras that draws random numbers, such as dropout."""
    for layer in live.model._flatten_layers():
        is_random = any(cls.__name__ == "BaseRandomLayer" for cls in type(layer).__mro__)
        rates = [getattr(layer, word) for word in _RATES if hasattr(layer, word)]
        if is_random and (any(rates) or not rates):
            return str(layer.name)
    return None


def weight_values(pairing: Pairing, stored: StoredFile) -> list[Put]:
    """Return what each weight gets, layouts applied; nothing is assigned."""
    raw = read_stored(stored, [weight.key for weight in pairing.pairs.values()])
    return [
        Put(
            weight.name,
            weight.variable,
            apply_layout(
                raw[actual.key], pairing.layouts.get(weight, "same"), weight.shape, weight.name
            ),
        )
        for weight, actual in pairing.pairs.items()
    ]

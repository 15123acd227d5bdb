"""An optimizer of Keras 3 that calls the stored update op, and its schedule; imports Keras.

Registered as `graphmap>StoredUpdate`: import this module before `load_model` in a new process.
"""

from __future__ import annotations

from typing import Any

import keras

from graphmap.tf.keras.stored_ops import apply_stored_op, family_of
from graphmap.tf.keras.stored_rate import rate_from_config

__all__ = ["StoredSchedule", "StoredUpdate"]


@keras.saving.register_keras_serializable(package="graphmap")
class StoredSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rate of a stored graph; `config` as StoredRate gives it."""

    def __init__(self, **config: str) -> None:
        super().__init__()
        self._rate = rate_from_config(config)

    def __call__(self, step: Any) -> Any:
        return self._rate.at(keras.ops.convert_to_tensor(step))

    def get_config(self) -> dict[str, str]:
        return self._rate.config()


@keras.saving.register_keras_serializable(package="graphmap")
class StoredUpdate(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Goes on with the update op of a TF1 graph, bit for bit.

    kind: class in tf.compat.v1.train without "Optimizer". hyperparameters: its arguments.
    """

    def __init__(
        self,
        kind: str = "Adam",
        hyperparameters: dict[str, Any] | None = None,
        learning_rate: Any = 0.001,
        name: str = "stored_update",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.kind = kind
        self.hyperparameters = dict(hyperparameters or {})
        self._family = family_of(kind, self.hyperparameters)

    def build(self, variables: Any) -> None:
        """Make a list of slots for each word, and the powers."""
        if self.built:
            return
        super().build(variables)
        for word in self._family.words:
            setattr(self, f"_slots_{word}", self.add_optimizer_variables(variables, word))
        for power in self._family.powers:
            made = self.add_variable(shape=(), initializer="ones", name=power)
            setattr(self, f"_{power}", made)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Call the op for one weight."""
        at = self._get_variable_index(variable)
        words = self._family.words
        apply_stored_op(
            self.kind,
            getattr(variable, "value", variable) if hasattr(variable, "path") else variable,
            {word: getattr(self, f"_slots_{word}")[at].value for word in words},
            {power: getattr(self, f"_{power}").value.value() for power in self._family.powers},
            {**self._family.arguments, **self.hyperparameters, "learning_rate": learning_rate},
            gradient,
        )

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        """As Keras does; then the powers grow, as TF1's `_finish` lets them."""
        super()._backend_update_step(grads, trainable_variables, learning_rate)
        for power, of in self._family.powers.items():
            variable = getattr(self, f"_{power}")
            beta = {**self._family.arguments, **self.hyperparameters}[of]
            variable.assign(variable * keras.ops.cast(beta, variable.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        told = {"kind": self.kind, "hyperparameters": self.hyperparameters}
        return {**super().get_config(), **told}

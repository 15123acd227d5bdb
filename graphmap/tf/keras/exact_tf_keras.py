"""An optimizer of tf_keras that calls the stored update op, and its schedule; imports tf_keras.

Registered as `graphmap>StoredUpdate`: import this module before `load_model` in a new process.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from graphmap.tf.keras.stored_ops import apply_stored_op, family_of
from graphmap.tf.keras.stored_rate import rate_from_config

__all__ = ["StoredSchedule", "StoredUpdate"]


@tf_keras.saving.register_keras_serializable(package="graphmap")
class StoredSchedule(
    tf_keras.optimizers.schedules.LearningRateSchedule  # type: ignore[misc]
):
    """The learning rate of a stored graph; `config` as StoredRate gives it."""

    def __init__(self, **config: str) -> None:
        self._rate = rate_from_config(config)

    def __call__(self, step: Any) -> Any:
        return self._rate.at(tf.convert_to_tensor(step))

    def get_config(self) -> dict[str, str]:
        return self._rate.config()


@tf_keras.saving.register_keras_serializable(package="graphmap")
class StoredUpdate(tf_keras.optimizers.Optimizer):  # type: ignore[misc]
    """Goes on with the update op of a TF1 graph, bit for bit.

    kind: class in tf.compat.v1.train without "Optimizer". hyperparameters: its arguments.
    """

    def __init__(
        self,
        kind: str = "Adam",
        hyperparameters: dict[str, Any] | None = None,
        learning_rate: Any = 0.001,
        name: str = "StoredUpdate",
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.kind = kind
        self.hyperparameters = dict(hyperparameters or {})
        self._family = family_of(kind, self.hyperparameters)

    def build(self, var_list: Any) -> None:
        """Make a list of slots for each word, and the powers."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._built = True
        for word in self._family.words:
            made = [self.add_variable_from_reference(variable, word) for variable in var_list]
            setattr(self, f"_slots_{word}", made)
        for power in self._family.powers:
            setattr(self, f"_{power}", self.add_variable([], initializer="ones", name=power))

    def update_step(self, gradient: Any, variable: Any) -> None:
        """Call the op for one weight."""
        at = self._index_dict[self._var_key(variable)]
        words = self._family.words
        apply_stored_op(
            self.kind,
            variable,
            {word: getattr(self, f"_slots_{word}")[at] for word in words},
            {power: getattr(self, f"_{power}").value() for power in self._family.powers},
            {**self._family.arguments, **self.hyperparameters, "learning_rate": self.learning_rate},
            gradient,
        )

    def _deduplicate_sparse_grad(self, grads: Any) -> Any:
        """Leave rows that occur twice to the op, which may take them one after the other."""
        return grads

    def _internal_apply_gradients(self, grads_and_vars: Any) -> Any:
        """As tf_keras does; then the powers grow, as TF1's `_finish` lets them."""
        done = super()._internal_apply_gradients(grads_and_vars)
        for power, of in self._family.powers.items():
            variable = getattr(self, f"_{power}")
            beta = {**self._family.arguments, **self.hyperparameters}[of]
            variable.assign(variable * tf.cast(beta, variable.dtype))
        return done

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        told = {
            "kind": self.kind,
            "hyperparameters": dict(self.hyperparameters),
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
        }
        return {**super().get_config(), **told}

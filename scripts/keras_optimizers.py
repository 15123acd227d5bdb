"""Optimizers for check_keras, of Keras and of somebody's own."""

from __future__ import annotations

from typing import Any


def optimizers(keras: Any) -> dict[str, Any]:
    """Return {name: maker}."""
    made = keras.optimizers
    schedule = lambda: made.schedules.ExponentialDecay(0.02, 3, 0.8)  # noqa: E731
    average = {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3}
    found = {
        "SGD": lambda: made.SGD(0.01),
        "SGD, momentum": lambda: made.SGD(0.01, momentum=0.9),
        "SGD, Nesterov": lambda: made.SGD(0.01, momentum=0.9, nesterov=True),
        "RMSprop": lambda: made.RMSprop(0.01),
        "RMSprop, centered": lambda: made.RMSprop(0.01, momentum=0.5, centered=True),
        "Adam": lambda: made.Adam(0.01),
        "Adam, amsgrad": lambda: made.Adam(0.01, amsgrad=True),
        "Adam, schedule": lambda: made.Adam(schedule()),
        "Adam, EMA, clipnorm": lambda: made.Adam(0.01, clipnorm=1.0, **average),
        "AdamW": lambda: made.AdamW(0.01, weight_decay=0.01),
        "Adamax": lambda: made.Adamax(0.01),
        "Nadam": lambda: made.Nadam(0.01),
        "Adagrad": lambda: made.Adagrad(0.05),
        "Adadelta": lambda: made.Adadelta(1.0),
        "Ftrl": lambda: made.Ftrl(0.05),
        "Lion": lambda: made.Lion(0.001),
    }
    found |= own_classes(keras)
    if keras.__name__ == "keras":
        found |= {
            "SGD, averaging": lambda: made.SGD(0.01, momentum=0.9, **average),
            "Adam, accumulation": lambda: made.Adam(0.01, gradient_accumulation_steps=3),
            "Lamb": lambda: made.Lamb(0.01),
            "Adafactor": lambda: made.Adafactor(0.01),
            "Muon": lambda: made.Muon(0.01),
            "LossScale(Adam)": lambda: made.LossScaleOptimizer(made.Adam(0.01)),
        }
    else:
        old = made.legacy
        wrap = keras.mixed_precision.LossScaleOptimizer
        found |= {
            "LossScale(Adam)": lambda: wrap(made.Adam(0.01)),
            "legacy.Adam": lambda: old.Adam(0.01),
            "legacy.SGD, momentum": lambda: old.SGD(0.01, momentum=0.9),
            "legacy.RMSprop, centered": lambda: old.RMSprop(0.01, momentum=0.5, centered=True),
            "legacy.Nadam": lambda: old.Nadam(0.01),
            "legacy.Ftrl": lambda: old.Ftrl(0.05),
        }
    return found


def own_classes(keras: Any) -> dict[str, Any]:
    """Optimizers of somebody's own: slow weights beside the fast ones, and gradients centred."""
    made = keras.optimizers

    class Lookahead(made.SGD):  # type: ignore[misc, name-defined]
        """Every second step a slow copy moves towards the weight, and the weight goes there."""

        def build(self, variables: Any) -> None:
            super().build(variables)
            if hasattr(self, "_slow"):
                return
            if keras.__name__ == "keras":
                self._slow = self.add_optimizer_variables(variables, "slow")
            else:
                self._slow = [self.add_variable_from_reference(v, "slow") for v in variables]

        def update_step(self, gradient: Any, variable: Any, *rate: Any) -> None:
            super().update_step(gradient, variable, *rate)
            if keras.__name__ == "keras":
                slow = self._slow[self._get_variable_index(variable)]
            else:
                slow = self._slow[self._index_dict[self._var_key(variable)]]
            turn = 1.0 if int(self.iterations) % 2 else 0.0
            slow.assign(slow + turn * 0.5 * (variable - slow))
            variable.assign(turn * slow + (1.0 - turn) * variable)

    class Centred(made.Adam):  # type: ignore[misc, name-defined]
        """Adam on gradients whose mean is taken away; its slots are Adam's."""

        def update_step(self, gradient: Any, variable: Any, *rate: Any) -> None:
            import tensorflow as tf

            super().update_step(gradient - tf.reduce_mean(gradient), variable, *rate)

    def maker(cls: Any, **options: Any) -> Any:
        make = lambda: cls(0.01, **options)  # noqa: E731
        make.is_own = True  # type: ignore[attr-defined]
        return make

    return {
        "own: Lookahead(SGD)": maker(Lookahead, momentum=0.9),
        "own: centred Adam": maker(Centred),
    }

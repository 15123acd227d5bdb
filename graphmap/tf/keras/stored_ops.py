"""The update ops of tf.compat.v1.train, called with slots as they were stored.

Which arguments each op takes, and in which order: tensorflow/python/training/{adam, momentum,
rmsprop, adagrad, adadelta, ftrl, gradient_descent}.py of TF 1.15. Only the op itself gives the
same bits: the formulas of Keras round otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphmap.errors import ReconstructionError
from graphmap.tf.runtime import tensorflow

__all__ = ["FAMILIES", "Family", "apply_stored_op", "family_of"]


class Family(NamedTuple):
    """An optimizer of TF1. words: of its slots; powers: {variable: the argument it is a power of}.

    arguments: the constructor's, with the values where a file leaves them out.
    """

    words: tuple[str, ...]
    powers: Mapping[str, str]
    arguments: Mapping[str, float]


FAMILIES: Mapping[str, Family] = {
    "GradientDescent": Family((), {}, {}),
    "Adam": Family(
        ("m", "v"),
        {"beta1_power": "beta1", "beta2_power": "beta2"},
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    ),
    "Momentum": Family(("momentum",), {}, {"momentum": 0.9, "use_nesterov": False}),
    "Adagrad": Family(("accumulator",), {}, {"initial_accumulator_value": 0.1}),
    "RMSProp": Family(
        ("rms", "momentum"),
        {},
        {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10, "centered": False},
    ),
    "Adadelta": Family(("accum", "accum_update"), {}, {"rho": 0.95, "epsilon": 1e-8}),
    "Ftrl": Family(
        ("accum", "linear"),
        {},
        {
            "learning_rate_power": -0.5,
            "initial_accumulator_value": 0.1,
            "l1_regularization_strength": 0.0,
            "l2_regularization_strength": 0.0,
            "l2_shrinkage_regularization_strength": 0.0,
            "beta": 0.0,
        },
    ),
}


def family_of(kind: str, hyperparameters: Mapping[str, Any]) -> Family:
    """Return the family of a class; raises ReconstructionError where there is none here."""
    name = kind.removesuffix("Optimizer")
    family = FAMILIES.get(name)
    if family is None:
        raise ReconstructionError(
            f"{kind} has no counterpart in Keras here",
            where="optimizer",
            remedy=f"Known are {', '.join(FAMILIES)}; gmtf.reconstruct_train_op rebuilds any.",
        )
    if name == "RMSProp" and hyperparameters.get("centered"):
        return family._replace(words=("rms", "mg", "momentum"))
    return family


def apply_stored_op(
    kind: str,
    variable: Any,
    slots: Mapping[str, Any],
    powers: Mapping[str, Any],
    options: Mapping[str, Any],
    gradient: Any,
) -> None:
    """Update a variable and its slots by the op that the stored graph ran.

    variable, slots: tf.Variables. powers: values. options: `learning_rate` as a tensor, and the
    constructor's arguments. gradient: a tensor, or IndexedSlices for rows.
    """
    tf = tensorflow()
    options = {**options, "learning_rate": tf.convert_to_tensor(options["learning_rate"])}
    if isinstance(gradient, tf.IndexedSlices):
        if kind == "Adam":
            _sparse_adam(variable, slots, powers, options, gradient)
            return
        if kind == "GradientDescent":
            # alone among them it takes a row that occurs twice twice, and does not sum first
            updates = gradient.values * _as(variable.dtype, options["learning_rate"])
            tf.raw_ops.ResourceScatterSub(
                resource=variable.handle, indices=gradient.indices, updates=updates
            )
            return
        values, rows = _summed(gradient)
        given = {"grad": values, "indices": rows}
    else:
        given = {"grad": gradient}
    name, arguments = _call(kind, slots, powers, options, is_sparse="indices" in given)
    cast = {key: _as(variable.dtype, value) for key, value in arguments.items()}
    if name == "ResourceApplyGradientDescent":
        given = {"delta": given["grad"]}
    getattr(tf.raw_ops, name)(var=variable.handle, **given, **cast)


def _summed(gradient: Any) -> tuple[Any, Any]:
    """Return (values, rows) of IndexedSlices, each row once: optimizer.py's deduplication."""
    tf = tensorflow()
    rows, inverse = tf.unique(gradient.indices)
    return tf.math.unsorted_segment_sum(gradient.values, inverse, tf.shape(rows)[0]), rows


def _as(dtype: Any, value: Any) -> Any:
    tf = tensorflow()
    if hasattr(value, "handle"):
        return value.handle
    if isinstance(value, bool):
        return value
    return tf.cast(value, dtype) if tf.is_tensor(value) else tf.constant(value, dtype)


def _call(
    kind: str,
    slots: Mapping[str, Any],
    powers: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    is_sparse: bool,
) -> tuple[str, dict[str, Any]]:
    """Return (op, its arguments beside variable and gradient)."""
    sparse = "Sparse" if is_sparse else ""
    rate = options["learning_rate"]
    if kind == "GradientDescent":
        return "ResourceApplyGradientDescent", {"alpha": rate}
    if kind == "Adam":
        betas = {word: options[word] for word in ("beta1", "beta2", "epsilon")}
        held = {"m": slots["m"], "v": slots["v"]}
        return "ResourceApplyAdam", {**held, **powers, "lr": rate, **betas}
    if kind == "Momentum":
        nesterov = bool(options["use_nesterov"])
        momentum = {"momentum": options["momentum"], "use_nesterov": nesterov}
        accumulator = {"accum": slots["momentum"]}
        return f"Resource{sparse}ApplyMomentum", {**accumulator, "lr": rate, **momentum}
    if kind == "Adagrad":
        return f"Resource{sparse}ApplyAdagrad", {"accum": slots["accumulator"], "lr": rate}
    if kind == "RMSProp":
        held = {"ms": slots["rms"], "mom": slots["momentum"], "lr": rate}
        rho = {word: options[of] for word, of in _RMSPROP.items()}
        if "mg" in slots:
            return f"Resource{sparse}ApplyCenteredRMSProp", {**held, "mg": slots["mg"], **rho}
        return f"Resource{sparse}ApplyRMSProp", {**held, **rho}
    if kind == "Adadelta":
        held = {"accum": slots["accum"], "accum_update": slots["accum_update"], "lr": rate}
        both = {"rho": options["rho"], "epsilon": options["epsilon"]}
        return f"Resource{sparse}ApplyAdadelta", {**held, **both}
    held = {"accum": slots["accum"], "linear": slots["linear"], "lr": rate}
    told = {word: options[of] for word, of in _FTRL.items()}
    shrinkage = options["l2_shrinkage_regularization_strength"]
    if shrinkage > 0:
        return f"Resource{sparse}ApplyFtrlV2", {**held, **told, "l2_shrinkage": shrinkage}
    return f"Resource{sparse}ApplyFtrl", {**held, **told}


_RMSPROP = {"rho": "decay", "momentum": "momentum", "epsilon": "epsilon"}
_FTRL = {
    "l1": "l1_regularization_strength",
    "l2": "l2_regularization_strength",
    "lr_power": "learning_rate_power",
}


def _sparse_adam(
    variable: Any,
    slots: Mapping[str, Any],
    powers: Mapping[str, Any],
    options: Mapping[str, Any],
    gradient: Any,
) -> None:
    """Update as adam.py's _apply_sparse_shared does: every row decays, the given ones are added."""
    tf = tensorflow()
    values, rows = _summed(gradient)
    dtype = variable.dtype
    beta1, beta2, epsilon, rate = (
        _as(dtype, options[word]) for word in ("beta1", "beta2", "epsilon", "learning_rate")
    )
    power1, power2 = _as(dtype, powers["beta1_power"]), _as(dtype, powers["beta2_power"])
    rate = rate * tf.sqrt(1 - power2) / (1 - power1)
    m, v = slots["m"], slots["v"]
    m.assign(m * beta1)
    m.scatter_add(tf.IndexedSlices(values * (1 - beta1), rows))
    v.assign(v * beta2)
    v.scatter_add(tf.IndexedSlices((values * values) * (1 - beta2), rows))
    variable.assign_sub(rate * m / (tf.sqrt(v) + epsilon))

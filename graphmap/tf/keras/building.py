"""Optimizers over variables: the one that is returned, and a scratch one over dummies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphmap.errors import ReconstructionError
from graphmap.tf.keras.flavour import Flavour
from graphmap.tf.keras.live import LiveModel, LiveWeight
from graphmap.tf.keras.slots import Address, addresses, is_legacy

__all__ = ["build_optimizer", "build_scratch"]


def build_optimizer(optimizer: Any, live: LiveModel) -> None:
    """Make the variables of an optimizer for those of a model.

    Raises ReconstructionError where it has been built for other ones.
    """
    trained = [weight.variable for weight in live.trainable]
    if is_legacy(optimizer):
        optimizer._create_all_weights(trained)
        return
    if not _is_built(optimizer):
        optimizer.build(trained)
        return
    if not _is_built_on(optimizer, trained):
        raise ReconstructionError(
            "has been built on other variables than those of the model",
            where="optimizer",
            remedy="Nothing has been assigned. Pass an optimizer that has not been used yet.",
        )


def _is_built(optimizer: Any) -> bool:
    return bool(getattr(optimizer, "built", getattr(optimizer, "_built", False)))


def _is_built_on(optimizer: Any, trained: Sequence[Any]) -> bool:
    """Whether the i-th variable of the optimizer is the i-th of the model."""
    core = getattr(optimizer, "inner_optimizer", optimizer)
    own = getattr(core, "_trainable_variables", None)
    if own is not None:
        return [id(v) for v in own] == [id(v) for v in trained]
    index = getattr(core, "_index_dict", {})
    return index == {core._var_key(variable): at for at, variable in enumerate(trained)}


def build_scratch(
    optimizer: Any, order: Sequence[LiveWeight], flavour: Flavour
) -> tuple[Any, dict[Address, Any], list[Any]]:
    """Return an optimizer of the same class and options over dummies, its addresses, the dummies.

    Its variables stand in the order in which such an optimizer writes them.
    """
    scratch = type(optimizer).from_config(optimizer.get_config())
    dummies = [_dummy(weight, flavour) for weight in order]
    if is_legacy(scratch):
        scratch._create_all_weights(dummies)
    else:
        scratch.build(dummies)
    return scratch, addresses(scratch, dummies), dummies


def _dummy(weight: LiveWeight, flavour: Flavour) -> Any:
    import numpy

    if flavour.is_three:
        return flavour.module.Variable(
            numpy.zeros(weight.shape, numpy.float32), dtype=weight.dtype, name="dummy"
        )
    from graphmap.tf.runtime import tensorflow

    tf = tensorflow()
    return tf.Variable(tf.zeros(weight.shape, weight.dtype), name="dummy")

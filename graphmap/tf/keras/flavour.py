"""Which Keras a model is of, and the few things that Keras 3 and tf_keras call differently."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.errors import UsageError

if TYPE_CHECKING:
    import numpy

__all__ = [
    "Flavour",
    "dtype_of",
    "flavour_of",
    "is_variable",
    "name_of",
    "shape_of",
    "value_of",
]


class Flavour(NamedTuple):
    """The Keras of a model. word: as users write it; module: the imported package."""

    word: str
    module: Any
    is_three: bool


def flavour_of(model: Any) -> Flavour:
    """Return the Keras that a model (or optimizer) is of; raises UsageError for anything else."""
    for cls in type(model).__mro__:
        root = cls.__module__.partition(".")[0]
        module = sys.modules.get(root)
        if root in ("keras", "tf_keras") and module is not None:
            version = str(module.__version__)
            is_three = not version.startswith(("1.", "2."))
            return Flavour("Keras 3" if is_three else "tf_keras", module, is_three)
    raise UsageError(
        f"is a {type(model).__name__}, not a Keras model",
        where="model",
        remedy="Pass a keras.Model or a tf_keras.Model.",
    )


def is_variable(item: Any) -> bool:
    """Tell whether an object is a variable of either Keras; a layer or list is none."""
    return hasattr(item, "assign") and hasattr(item, "shape") and hasattr(item, "dtype")


def name_of(variable: Any) -> str:
    """Return the name that users read: the path in Keras 3, the name without :0 in tf_keras."""
    path = getattr(variable, "path", None)
    return path if isinstance(path, str) else str(variable.name).removesuffix(":0")


def shape_of(variable: Any) -> tuple[int, ...]:
    """Return the sizes of a variable, which is built and has no unknown ones."""
    return tuple(int(size) for size in variable.shape)


def dtype_of(variable: Any) -> str:
    """Return TensorFlow's word; under mixed precision that of what is stored, not of the cast."""
    dtype = getattr(variable, "true_dtype", variable.dtype)
    return str(getattr(dtype, "name", dtype))


def value_of(variable: Any) -> numpy.ndarray:
    """Return the value as an array of the variable's own dtype."""
    import numpy

    return numpy.asarray(variable.numpy())

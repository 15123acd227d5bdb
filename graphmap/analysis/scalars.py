"""Constant scalars of a graph, computed in their own dtype; numpy only where Python cannot do it.

Rates and decays are one float32 in a Const, or a sum or quotient of a few: Python's doubles give
these exactly (Figueroa, "When is double rounding innocuous?", 1995: 53 bits are enough for one
operation on 24). numpy, a tenth of reading a training graph, is for the rest.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.model.graph import Node, TensorValue

if TYPE_CHECKING:
    import numpy

__all__ = ["ARITHMETIC", "Scalar", "compute", "constant", "shortest"]

_SIZE_LIMIT = 4_000_000  # elements of a Const that is decoded to see whether it is uniform
_FLOAT = struct.Struct("<f")
_DIGITS = 9  # of a decimal that tells every float32

# the ops that a constant hyper-parameter is computed with, by the numpy function that does it
ARITHMETIC: dict[str, str] = {
    "Add": "add", "AddV2": "add", "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide",
    "Div": "divide", "Pow": "power", "Maximum": "maximum", "Minimum": "minimum",
    "Neg": "negative", "Sqrt": "sqrt", "Square": "square", "Exp": "exp", "Log": "log",
    "Floor": "floor", "Cos": "cos",
}  # fmt: skip
_IN_PYTHON: dict[str, Callable[..., float]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "negative": operator.neg, "sqrt": math.sqrt,
    "square": lambda value: value * value,
}  # fmt: skip


class Scalar(NamedTuple):
    """dtype: numpy's name of it, which is TensorFlow's word too."""

    dtype: str
    value: float | int | bool


def constant(node: Node) -> Scalar | None:
    """Return the value of a Const, all of whose elements are equal; None of any other."""
    stored = node.attrs.get("value")
    if not isinstance(stored, TensorValue) or stored.dtype in {"string", "resource", "variant"}:
        return None
    size = math.prod(stored.shape)
    if not 0 < size <= _SIZE_LIMIT:
        return None
    plain = stored.plain() if size == 1 else None
    if plain:
        return Scalar(stored.dtype, plain[0])
    array = stored.array().reshape(-1)
    first: numpy.generic = array[0]
    return Scalar(array.dtype.name, first.item()) if size == 1 or (array == first).all() else None


def compute(op: str, values: Sequence[Scalar]) -> Scalar | None:
    """Return what an op of ARITHMETIC makes of scalars; None where they are not for it."""
    function = ARITHMETIC[op]
    dtypes = {value.dtype for value in values}
    if function in _IN_PYTHON and len(dtypes) == 1 and dtypes <= {"float32", "float64"}:
        dtype = dtypes.pop()
        try:
            result = _IN_PYTHON[function](*[value.value for value in values])
            if dtype == "float32":
                result = _FLOAT.unpack(_FLOAT.pack(result))[0]
            return Scalar(dtype, result)
        except (ArithmeticError, TypeError, ValueError):  # by zero, too large: numpy has words
            pass
    return _by_numpy(function, values)


def _by_numpy(function: str, values: Sequence[Scalar]) -> Scalar | None:
    import numpy

    try:
        given = [numpy.dtype(dtype).type(value) for dtype, value in values]
        with numpy.errstate(all="ignore"):
            result: Any = getattr(numpy, function)(*given)
    except (TypeError, ValueError):
        return None
    return Scalar(result.dtype.name, result.item())


def shortest(scalar: Scalar) -> float | int | bool:
    """Return the shortest Python number that is this value in its dtype.

    float32 0.021 is 0.021, not 0.020999999716877937.
    """
    dtype, value = scalar
    if dtype == "float32" and math.isfinite(value):
        return _shortest_float32(value)
    if "float" in dtype and dtype != "float64":
        import numpy

        return float(str(numpy.dtype(dtype).type(value)))
    return value


def _shortest_float32(value: float) -> float:
    for digits in range(1, _DIGITS):
        short = float(f"{value:.{digits}g}")
        try:
            if _FLOAT.unpack(_FLOAT.pack(short))[0] == value:
                return short
        except OverflowError:  # rounded beyond the largest
            continue
    return float(f"{value:.{_DIGITS}g}")

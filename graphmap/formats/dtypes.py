"""TensorFlow's data types: enum number, word, size in bytes, numpy type.

Source: tensorflow/core/framework/types.proto; a number over 100 is the reference form of the type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphmap.errors import MissingDependencyError, UnsupportedArtifactError

if TYPE_CHECKING:
    import numpy

__all__ = ["NAMES", "SIZES", "dtype_name", "numpy_dtype", "shaped"]

# number -> TensorFlow's word (tf.DType.name)
NAMES: dict[int, str] = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 11: "qint8", 12: "quint8", 13: "qint32",
    14: "bfloat16", 15: "qint16", 16: "quint16", 17: "uint16", 18: "complex128", 19: "float16",
    20: "resource", 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2",
    25: "float8_e4m3fn", 26: "float8_e4m3fnuz", 27: "float8_e4m3b11fnuz", 28: "float8_e5m2fnuz",
    29: "int4", 30: "uint4", 31: "int2", 32: "uint2", 33: "float4_e2m1fn",
}  # fmt: skip

# word -> bytes of one element in a file; absent where the size is not fixed (string, variant)
SIZES: dict[str, int] = {
    "float32": 4, "float64": 8, "int32": 4, "uint8": 1, "int16": 2, "int8": 1, "complex64": 8,
    "int64": 8, "bool": 1, "qint8": 1, "quint8": 1, "qint32": 4, "bfloat16": 2, "qint16": 2,
    "quint16": 2, "uint16": 2, "complex128": 16, "float16": 2, "uint32": 4, "uint64": 8,
    "float8_e5m2": 1, "float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e4m3b11fnuz": 1,
    "float8_e5m2fnuz": 1, "int4": 1, "uint4": 1, "int2": 1, "uint2": 1, "float4_e2m1fn": 1,
}  # fmt: skip

_ML_DTYPES = frozenset(
    name for name in SIZES if name.startswith(("bfloat", "float8", "float4"))
) | {"int4", "uint4", "int2", "uint2"}


def dtype_name(number: int) -> str:
    """Return TensorFlow's word for an enum number; a reference type ends in "_ref".

    >>> dtype_name(1), dtype_name(101), dtype_name(77)
    ('float32', 'float32_ref', 'dtype 77')
    """
    if number > 100 and number - 100 in NAMES:
        return f"{NAMES[number - 100]}_ref"
    return NAMES.get(number, f"dtype {number}")


def numpy_dtype(name: str) -> numpy.dtype[Any]:
    """Return the little-endian numpy type for a fixed-size type.

    Raises MissingDependencyError for types that numpy alone does not have, without ml_dtypes.
    """
    import numpy

    if name in _ML_DTYPES:
        try:
            import ml_dtypes
        except ImportError as cause:
            raise MissingDependencyError(
                f"values of type {name} need the package ml_dtypes",
                remedy="pip install ml_dtypes",
            ) from cause
        if not hasattr(ml_dtypes, name):
            raise MissingDependencyError(
                f"the installed ml_dtypes does not know {name}",
                remedy="pip install --upgrade ml_dtypes",
            )
        extended: numpy.dtype[Any] = numpy.dtype(getattr(ml_dtypes, name))
        return extended
    if name not in SIZES:
        raise UnsupportedArtifactError(
            f"values of type {name} cannot be read as numbers", remedy="Read another tensor."
        )
    plain: numpy.dtype[Any] = numpy.dtype(name.removeprefix("q")).newbyteorder("<")
    return plain


def shaped(array: numpy.ndarray, shape: tuple[int, ...]) -> numpy.ndarray:
    """Give an array its shape; its elements were counted.

    Raises UnsupportedArtifactError beyond the rank that numpy knows, 64 (before numpy 2, 32), where
    TensorFlow's is 254.
    """
    try:
        return array.reshape(shape)
    except ValueError as cause:
        raise UnsupportedArtifactError(
            f"a value of rank {len(shape)} is beyond what numpy can hold",
            remedy="Look at its shape only.",
        ) from cause

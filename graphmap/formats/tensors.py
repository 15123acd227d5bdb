"""Decoding the values of a TensorProto (tensorflow/core/framework/tensor.proto)."""

from __future__ import annotations

from math import prod
from struct import calcsize, unpack
from typing import TYPE_CHECKING, Any

from graphmap.errors import CorruptArtifactError
from graphmap.formats.dtypes import SIZES, numpy_dtype, shaped

if TYPE_CHECKING:
    import numpy

__all__ = ["Content", "decode_tensor", "element_count", "plain_values", "tensor_defect"]

Content = bytes | memoryview  # what a TensorProto's tensor_content is, or was before it was cut out

_MAX_RANK = 254  # TensorShape::MaxDimensions
_OPAQUE = ("resource", "variant")  # handles, which have no plain values
_EXPANDED = 256 << 20  # bytes; a last value that is repeated may declare 2^62 of them in a few

# word -> the repeated field that holds its values
_FIELDS = {
    "float32": "float_val", "float64": "double_val", "int64": "int64_val", "bool": "bool_val",
    "uint32": "uint32_val", "uint64": "uint64_val", "int32": "int_val", "int16": "int_val",
    "int8": "int_val", "uint8": "int_val", "uint16": "int_val", "qint8": "int_val",
    "quint8": "int_val", "qint16": "int_val", "quint16": "int_val", "qint32": "int_val",
    "int4": "int_val", "uint4": "int_val", "int2": "int_val", "uint2": "int_val",
    "float16": "half_val", "bfloat16": "half_val", "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}  # fmt: skip

# word -> how one value lies in tensor_content; the types that Python has itself
_PLAIN = {"float32": "<f", "float64": "<d", "int32": "<i", "int64": "<q", "bool": "<?"}


def tensor_defect(
    proto: Any, dtype: str, shape: tuple[int, ...], content: Content | None = None
) -> str:
    """Say why a TensorProto cannot hold a value of this type and shape, or return "".

    content: its tensor_content, where that was cut out of the proto; None: still in it.
    Allocates nothing by what is declared: one value may stand for 2^62.
    """
    if dtype not in _FIELDS and dtype not in SIZES and dtype not in ("string", *_OPAQUE):
        return f"has the type {dtype!r}"
    if any(size < 0 for size in shape) or len(shape) > _MAX_RANK or prod(shape) >= 1 << 63:
        dims = ", ".join(map(str, shape[:8])) + (", ..." if len(shape) > 8 else "")
        return f"declares the shape [{dims}]"
    count = prod(shape)
    if dtype == "string":
        given, wanted = len(proto.string_val), count
    elif (content := content or proto.tensor_content) and dtype in SIZES:
        given, wanted = len(content), count * SIZES[dtype]
        return "" if given == wanted else f"holds {given} bytes where {wanted} are needed"
    elif dtype in _FIELDS:
        given = len(getattr(proto, _FIELDS[dtype])) // (2 if dtype.startswith("complex") else 1)
        wanted = count
    else:
        return ""
    return f"holds {given} values where its shape needs {wanted}" if given > wanted else ""


def element_count(proto: Any, dtype: str, content: Content | None = None) -> int:
    """Return how many elements a TensorProto really holds; a splat holds one.

    content: as for `tensor_defect`.
    """
    if dtype == "string":
        return len(proto.string_val)
    if (content := content or proto.tensor_content) and dtype in SIZES:
        return len(content) // SIZES[dtype]
    if dtype.startswith("float8"):
        return len(proto.float8_val)
    if dtype not in _FIELDS:
        return 0
    return len(getattr(proto, _FIELDS[dtype])) // (2 if dtype.startswith("complex") else 1)


def plain_values(
    proto: Any, dtype: str, shape: tuple[int, ...], content: Content | None = None
) -> list[Any] | None:
    """Return strings, or one value of a type that Python has; None for what numpy is needed for.

    content: as for `tensor_defect`. Raises CorruptArtifactError as `decode_tensor` does.
    """
    if dtype == "string":
        _check_expanded(proto, dtype, shape)
        return _strings(proto, prod(shape))
    form = _PLAIN.get(dtype)
    if form is None or any(size != 1 for size in shape):
        return None
    content = content or proto.tensor_content
    if content:
        return list(unpack(form, content)) if len(content) == calcsize(form) else None
    values = getattr(proto, _FIELDS[dtype])
    return list(values) if len(values) == 1 else None


def decode_tensor(
    proto: Any, dtype: str, shape: tuple[int, ...], content: Content | None = None
) -> numpy.ndarray:
    """Return the values of a TensorProto; a last value that stands for all the rest is repeated.

    content: as for `tensor_defect`; the array is then a view of it.
    """
    _check_expanded(proto, dtype, shape, content)
    count = prod(shape)
    if dtype != "string":
        return shaped(_numbers(proto, dtype, count, content or proto.tensor_content), shape)
    import numpy

    array = numpy.empty(count, dtype=object)
    array[:] = _strings(proto, count)
    return shaped(array, shape)


def _check_expanded(
    proto: Any, dtype: str, shape: tuple[int, ...], content: Content | None = None
) -> None:
    given = element_count(proto, dtype, content)
    repeated = prod(shape) - given
    if any(size < 0 for size in shape) or repeated * SIZES.get(dtype, 8) > _EXPANDED:
        raise CorruptArtifactError(
            f"a constant declares the shape {list(shape)[:8]} and holds {given} values",
            remedy="Look at its shape only; its values are not expanded.",
        )


def _strings(proto: Any, count: int) -> list[bytes]:
    values = list(proto.string_val)
    _check_count(len(values), count)
    return values + [values[-1] if values else b""] * (count - len(values))


def _numbers(proto: Any, dtype: str, count: int, content: Content) -> numpy.ndarray:
    import numpy

    target = numpy_dtype(dtype)
    if content:
        _check_bytes(len(content), count * target.itemsize)
        return numpy.frombuffer(content, dtype=target, count=count)
    if dtype.startswith("float8"):
        given = numpy.frombuffer(proto.float8_val, dtype=target)
    else:
        given = _from_field(getattr(proto, _FIELDS[dtype]), dtype, target)
    _check_count(len(given), count)
    if len(given) == count:
        return given
    fill = given[-1] if len(given) else target.type(0)
    return numpy.concatenate([given, numpy.full(count - len(given), fill, dtype=target)])


def _from_field(values: Any, dtype: str, target: numpy.dtype) -> numpy.ndarray:
    import numpy

    if dtype in ("float16", "bfloat16"):  # stored as the bits of the 16-bit number
        return numpy.array(values, dtype=numpy.uint32).astype("<u2").view(target)
    if dtype.startswith("complex"):
        half = numpy.float32 if dtype == "complex64" else numpy.float64
        return numpy.array(values, dtype=half)[: len(values) // 2 * 2].view(target)
    return numpy.array(values, dtype=numpy.int64 if "int4" in dtype else None).astype(target)


def _check_count(given: int, count: int) -> None:
    if given > count:
        raise CorruptArtifactError(
            f"a constant holds {given} values and declares {count}",
            remedy="The graph is damaged; write it again with the code that made it.",
        )


def _check_bytes(given: int, wanted: int) -> None:
    if given != wanted:
        raise CorruptArtifactError(
            f"a constant holds {given} bytes where its shape and type need {wanted}",
            remedy="The graph is damaged; write it again with the code that made it.",
        )

"""NodeDef attributes as plain values, decoded on access only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphmap.formats.dtypes import dtype_name
from graphmap.formats.tensors import decode_tensor, tensor_defect
from graphmap.model.graph import AttrValue, Dims, FunctionRef, ShapeValue, TensorValue

if TYPE_CHECKING:
    import numpy

__all__ = ["AttrMap", "shape_dims", "tensor_value"]


class AttrMap(Mapping[str, AttrValue]):
    """The attrs of one node, over the proto map."""

    __slots__ = ("_attr",)

    def __init__(self, attr: Any) -> None:
        self._attr = attr

    def __getitem__(self, name: str) -> AttrValue:
        if name not in self._attr:  # a proto map would add the key
            raise KeyError(name)
        return attr_value(self._attr[name])

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._attr))

    def __len__(self) -> int:
        return len(self._attr)

    def __contains__(self, name: object) -> bool:
        return name in self._attr

    def functions(self) -> Iterator[str]:
        """Yield the functions that attrs name, without decoding the others."""
        for proto in self._attr.values():
            kind = proto.WhichOneof("value")
            if kind == "func":
                yield proto.func.name
            elif kind == "list":
                yield from [func.name for func in proto.list.func]

    def __repr__(self) -> str:
        return f"AttrMap({dict(self)!r})"


def attr_value(proto: Any) -> AttrValue:
    """Return the plain value of an AttrValue proto; one that holds nothing is an empty list."""
    kind = proto.WhichOneof("value")
    if kind is None:
        return ()
    if kind == "list":
        return _list_value(proto.list)
    return _SCALARS[kind](getattr(proto, kind))


def _list_value(proto: Any) -> tuple[AttrValue, ...]:
    for kind, convert in _SCALARS.items():
        values = getattr(proto, kind, None) if kind != "placeholder" else None
        if values:
            return tuple(convert(value) for value in values)
    return ()


def shape_dims(proto: Any) -> Dims:
    """Return the sizes of a TensorShapeProto."""
    if proto.unknown_rank:
        return None
    return tuple(dim.size if dim.size >= 0 else None for dim in proto.dim)


def tensor_value(proto: Any) -> TensorValue:
    """Return a TensorProto as a value that is decoded on demand."""
    dtype = dtype_name(proto.dtype)
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)

    def decode() -> numpy.ndarray:
        return decode_tensor(proto, dtype, shape)

    def check() -> str:
        return tensor_defect(proto, dtype, shape)

    return TensorValue(dtype, shape, decode, check)


_SCALARS: dict[str, Callable[[Any], AttrValue]] = {
    "s": bytes,
    "i": int,
    "f": float,
    "b": bool,
    "type": dtype_name,
    "shape": lambda proto: ShapeValue(shape_dims(proto)),
    "tensor": tensor_value,
    "func": lambda proto: FunctionRef(proto.name),
    "placeholder": str,
}

"""NodeDef attributes as plain values, decoded on access only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphmap.formats.dtypes import dtype_name
from graphmap.formats.tensors import Content, decode_tensor, plain_values, tensor_defect
from graphmap.model.attr_facts import NOTHING, Told, places_of
from graphmap.model.graph import AttrValue, Dims, FunctionRef, ShapeValue, TensorValue

if TYPE_CHECKING:
    import numpy

__all__ = ["AttrMap", "attr_value", "shape_dims", "tensor_value"]

_TYPES = frozenset({"type", "placeholder"})  # kinds of value that are decoded as a string


class AttrMap(Mapping[str, AttrValue]):
    """The attrs of one node, over the proto map."""

    __slots__ = ("_held",)

    def __init__(self, attr: Any) -> None:
        self._held = attr

    def _map(self) -> Any:
        return self._held

    def _value(self, name: str, proto: Any) -> AttrValue:
        """Return the value of an AttrValue proto; `name` is its key here."""
        return attr_value(proto)

    def __getitem__(self, name: str) -> AttrValue:
        attr = self._map()
        if name not in attr:  # a proto map would add the key
            raise KeyError(name)
        return self._value(name, attr[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an attr, or the default."""
        attr = self._map()
        return self._value(name, attr[name]) if name in attr else default

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._map()))

    def __len__(self) -> int:
        return len(self._map())

    def __contains__(self, name: object) -> bool:
        return name in self._map()

    def told(self, *, in_body: bool) -> Told:
        """Return what `told_by` says of any attrs, from the proto: nothing is decoded."""
        attr = self._map()
        calls = tuple(filter(None, self._functions(attr)))
        places: tuple[str, ...] = ()
        is_typeless = False
        if not in_body:
            if "_class" in attr:
                places = tuple(places_of(attr["_class"].list.s))
            if "dtype" in attr:
                is_typeless = attr["dtype"].WhichOneof("value") not in _TYPES
        return Told(places, is_typeless, calls) if places or is_typeless or calls else NOTHING

    def _functions(self, attr: Any) -> Iterator[str]:
        for proto in attr.values():
            kind = proto.WhichOneof("value")
            if kind == "func":
                yield proto.func.name
            elif kind == "list":
                yield from [func.name for func in proto.list.func]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"


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


def tensor_value(proto: Any, content: Content | None = None) -> TensorValue:
    """Return a TensorProto as a value that is decoded on demand; content: as in `decode_tensor`."""
    dtype = dtype_name(proto.dtype)
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)

    def decode() -> numpy.ndarray:
        return decode_tensor(proto, dtype, shape, content)

    def check() -> str:
        return tensor_defect(proto, dtype, shape, content)

    def plain() -> list[Any] | None:
        return plain_values(proto, dtype, shape, content)

    return TensorValue(dtype, shape, decode, check, plain)


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

"""The object graph of a TF2 SavedModel: what it names and does not hold.

Source: tensorflow/core/protobuf/saved_object_graph.proto. Decoded by hand, as it is of no use
beyond this check: the objects of a large model are megabytes that nobody else asks for.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from math import prod
from typing import NamedTuple

from graphmap.formats.wire import WireError, fields, signed
from graphmap.model.sentences import examples

__all__ = ["object_defects"]

_CHILDREN, _DEPENDENCIES, _SLOTS = 1, 15, 3
_ASSET, _FUNCTION, _VARIABLE, _BARE_FUNCTION = 5, 6, 7, 8


class _Found(NamedTuple):
    """What the objects refer to."""

    objects: list[int]
    functions: list[str]
    assets: list[int]
    shapes: list[str]


def object_defects(data: bytes, functions: Container[str], assets: int) -> tuple[str, ...]:
    """Return one sentence for each kind of defect of a SavedObjectGraph.

    functions: names in the graph's library. assets: how many asset files the MetaGraph lists.
    """
    try:
        count, concrete, found = _walk(data)
    except WireError as cause:
        return (f"the object graph {cause}",)
    defects = []
    if any(not 0 <= number < count for number in found.objects):
        defects.append(f"the object graph refers to objects past its {count}")
    absent = sorted({n for n in found.functions if n not in concrete and n not in functions})
    if absent:
        defects.append(f"the object graph names functions that are not there: {examples(absent)}")
    if any(not 0 <= number < assets for number in found.assets):
        defects.append(f"the object graph refers to asset files past the {assets} listed")
    if found.shapes:
        defects.append(f"the object graph has variables of over 2^63: {examples(found.shapes)}")
    return tuple(defects)


def _walk(data: bytes) -> tuple[int, set[str], _Found]:
    """Return the number of objects, the names of concrete functions, and the references."""
    count, concrete = 0, set()
    found = _Found([], [], [], [])
    for number, value in fields(data):
        if number == 1 and isinstance(value, bytes):
            count += 1
            _object(value, found)
        elif number == 2 and isinstance(value, bytes):
            concrete.add(_text(value, 1))
    return count, concrete, found


def _object(data: bytes, found: _Found) -> None:
    for number, value in fields(data):
        if not isinstance(value, bytes):
            continue
        if number in (_CHILDREN, _DEPENDENCIES):
            found.objects.append(_number(value, 1))
        elif number == _SLOTS:
            found.objects.extend((_number(value, 1), _number(value, 3)))
        elif number == _ASSET:
            found.assets.append(_number(value, 1))
        elif number == _FUNCTION:
            found.functions.extend(_texts(value, 1))
        elif number == _BARE_FUNCTION:
            found.functions.append(_text(value, 1))
        elif number == _VARIABLE and _is_huge(value):
            found.shapes.append(_text(value, 6))


def _is_huge(variable: bytes) -> bool:
    sizes = [
        _number(dim, 1)
        for number, shape in fields(variable)
        if number == 2 and isinstance(shape, bytes)
        for part, dim in fields(shape)
        if part == 2 and isinstance(dim, bytes)
    ]
    return prod(size for size in sizes if size > 0) >= 1 << 63


def _number(data: bytes, wanted: int) -> int:
    value = 0
    for number, field in fields(data):
        if number == wanted and isinstance(field, int):
            value = signed(field)
    return value


def _texts(data: bytes, wanted: int) -> Iterator[str]:
    for number, field in fields(data):
        if number == wanted and isinstance(field, bytes):
            yield field.decode("utf-8", "backslashreplace")


def _text(data: bytes, wanted: int) -> str:
    return next(_texts(data, wanted), "")

"""The object graph of tf.train.Checkpoint and TF2 SavedModels: full names and exact slots.

Source: tensorflow/core/protobuf/trackable_object_graph.proto.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from graphmap.formats.wire import fields
from graphmap.model.meta import ObjectNode, SlotVariable
from graphmap.model.stored import StoredTensor

__all__ = ["ATTRIBUTE_SUFFIX", "ObjectGraph", "named_tensors", "parse_object_graph"]

ATTRIBUTE_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


class ObjectGraph(NamedTuple):
    """full_names: by checkpoint key, where stored. slots: pairings whose both ends have a key.

    keys: all that objects claim. astray: whether an object refers to one that is not there.
    """

    full_names: dict[str, str]
    slots: tuple[SlotVariable, ...]
    keys: frozenset[str] = frozenset()
    astray: bool = False
    nodes: tuple[ObjectNode, ...] = ()


def parse_object_graph(data: bytes) -> ObjectGraph:
    """Decode a TrackableObjectGraph; raises WireError."""
    full_names: dict[str, str] = {}
    nodes: list[ObjectNode] = []
    references: list[tuple[int, str, int, int]] = []
    keys: set[str] = set()
    farthest = 0  # object that another refers to
    for number, node in fields(data):
        if number != 1 or not isinstance(node, bytes):
            continue
        value_key, value_name = None, ""
        children: list[tuple[str, int]] = []
        for part, value in fields(node):
            if not isinstance(value, bytes):
                continue
            if part == 2:
                name, full_name, key = _attribute(value)
                keys.add(key)
                if key and full_name:
                    full_names[key] = full_name
                if key and (value_key is None or name == "VARIABLE_VALUE"):
                    value_key, value_name = key, full_name
            elif part == 3:
                references.append((*_slot(value), len(nodes)))
            elif part == 1:
                children.append(_child(value))
        farthest = max([farthest, *(number for _, number in children)])
        nodes.append(ObjectNode(tuple(children), value_key, value_name))
    slots = []
    farthest = max([farthest, *(max(primary, variable) for primary, _, variable, _ in references)])
    for primary, slot, variable, owner in references:
        if max(primary, variable) < len(nodes):
            primary_key, slot_key = nodes[primary].key, nodes[variable].key
            if primary_key and slot_key:
                slots.append(SlotVariable(primary_key, slot, slot_key, owner))
    astray = bool(farthest) and farthest >= len(nodes)
    found = frozenset(keys - {""})
    return ObjectGraph(full_names, tuple(sorted(slots)), found, astray, tuple(nodes))


def named_tensors(
    tensors: tuple[StoredTensor, ...], full_names: dict[str, str]
) -> tuple[StoredTensor, ...]:
    """Give every tensor its full name where that is stored and unique, else its shortened key."""
    counts = Counter(full_names.get(tensor.key) for tensor in tensors)
    names = [_name(tensor.key, full_names.get(tensor.key), counts) for tensor in tensors]
    uses = Counter(names)
    return tuple(
        tensor._replace(name=name if uses[name] == 1 else tensor.key)
        for tensor, name in zip(tensors, names, strict=True)
    )


def _name(key: str, full_name: str | None, counts: Counter[str | None]) -> str:
    if full_name and counts[full_name] == 1:
        return full_name
    return key.removesuffix(ATTRIBUTE_SUFFIX)


def _attribute(data: bytes) -> tuple[str, str, str]:
    """Return (name, full_name, checkpoint_key) of a SerializedTensor."""
    texts = {number: value for number, value in fields(data) if isinstance(value, bytes)}
    name, full_name, key = (
        texts.get(number, b"").decode("utf-8", "backslashreplace") for number in (1, 2, 3)
    )
    return name, full_name, key


def _child(data: bytes) -> tuple[str, int]:
    """Return (attribute, node) of an ObjectReference; a negative node is far past the end."""
    name, node = "", 0
    for number, value in fields(data):
        if number == 1 and isinstance(value, int):
            node = value
        elif number == 2 and isinstance(value, bytes):
            name = value.decode("utf-8", "backslashreplace")
    return name, node


def _slot(data: bytes) -> tuple[int, str, int]:
    """Return (primary node, slot word, slot node) of a SlotVariableReference."""
    primary = variable = 0
    slot = ""
    for number, value in fields(data):
        if isinstance(value, bytes):
            slot = value.decode("utf-8", "backslashreplace")
        elif number == 1:
            primary = value
        elif number == 3:
            variable = value
    return primary, slot, variable

"""TensorFlow's messages, as far as graphmap reads them, without TensorFlow.

The classes live in a private descriptor pool: TensorFlow's own definitions, loaded in the same
process, cannot clash with them, and no generated code ties us to one protobuf version.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["message_class"]

_PACKAGE = "graphmap.schema"
_CLASSES: dict[str, Any] = {}  # by full name of a message; as many as the schema has


@cache
def _pool() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool

    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(Path(__file__).with_name("tf_subset.desc").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


@cache
def message_class(name: str) -> Any:
    """Return the class of one message, such as "GraphDef"; KeyError for an unknown name."""
    return _class_of(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def _class_of(descriptor: Any) -> Any:
    """Return the class of a message; it and those of its fields are kept.

    protobuf holds classes weakly: those of fields would be made anew for each file, and be
    garbage that only a full collection frees, 20 KB for each artifact of a scan.
    """
    from google.protobuf import message_factory

    name = descriptor.full_name
    if name not in _CLASSES:
        _CLASSES[name] = message_factory.GetMessageClass(descriptor)
        for field in descriptor.fields:
            if field.message_type is not None:
                _class_of(field.message_type)
    return _CLASSES[name]

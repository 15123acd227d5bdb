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
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))

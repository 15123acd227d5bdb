"""What a SavedModel holds beside the one graph that a reader takes: every graph, Keras metadata.

Sources: tensorflow/core/protobuf/{saved_model,saved_object_graph}.proto (SavedModel.meta_graphs 2,
MetaGraphDef.object_graph_def 7, SavedObjectGraph.nodes 1, SavedObject.user_object 4,
SavedUserObject.metadata 3); keras/protobuf/saved_metadata.proto (nodes 1: path 3, identifier 4,
metadata 5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from graphmap.errors import ArtifactError, CorruptArtifactError
from graphmap.files import read_file, stays_inside
from graphmap.formats.metagraph import meta_info
from graphmap.formats.saved_protos import saved_protos
from graphmap.formats.wire import WireError, fields
from graphmap.model.graph import GraphModel
from graphmap.model.stored import MetaInfo

__all__ = ["SavedGraph", "keras_metadata", "proto_files", "saved_graphs", "training_texts"]

_PROTOS = ("saved_model.pb", "saved_model.pbtxt")
_METADATA = "keras_metadata.pb"
_METADATA_LIMIT = 256 << 20  # bytes
_TEXT_METADATA = re.compile(rb'\bmetadata:\s*"((?:[^"\\]|\\.)*)"')


class SavedGraph(NamedTuple):
    """One MetaGraph of a SavedModel file."""

    file: str
    graph: GraphModel
    meta: MetaInfo


def proto_files(folder: str) -> list[str]:
    """Return the files of a SavedModel's folder that hold its MetaGraphs; mostly one."""
    return _present(folder, _PROTOS)


def saved_graphs(folder: str) -> Iterator[SavedGraph]:
    """Yield every MetaGraph of the folder's .pb and .pbtxt, those with the same tags too."""
    for file in proto_files(folder):
        stored = saved_protos(file, is_text=file.endswith(".pbtxt"))
        for position, meta_graph in enumerate(stored.meta_graphs):
            meta, _ = meta_info(meta_graph, file)
            yield SavedGraph(file, stored.graph(position), meta)


def keras_metadata(folder: str) -> Iterator[tuple[str, str, bytes]]:
    """Yield (file, object, JSON text) of each Keras object that the SavedModel describes."""
    for file in _present(folder, (_METADATA, *_PROTOS)):
        data = read_file(file)
        if file.endswith(".pbtxt"):
            found = _text_metadata(data)
        else:
            walk = _metadata_file if file.endswith(_METADATA) else _object_graphs
            try:
                found = list(walk(data))
            except WireError as cause:
                raise CorruptArtifactError(
                    f"cannot be read: {cause}", where=file, remedy="Copy the file again."
                ) from cause
        for name, text in found:
            yield file, name, text


def training_texts(folder: str, objects: bytes) -> list[bytes]:
    """Return the JSON of the Keras objects that were compiled; [] where it cannot be read.

    objects: the SavedObjectGraph, which holds them where there is no file of their own.
    """
    file = os.path.join(folder, _METADATA)
    try:
        if os.path.isfile(file) and stays_inside(file, os.path.join(folder, _PROTOS[0])):
            texts = [text for _, text in _metadata_file(read_file(file, _METADATA_LIMIT))]
        else:
            texts = [text for _, text in _user_objects(objects)]
    except (ArtifactError, WireError):
        return []  # the variables are there without it
    return [text for text in texts if b'"optimizer_config"' in text]


def _present(folder: str, names: tuple[str, ...]) -> list[str]:
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if os.path.isfile(path)]


def _messages(data: bytes, number: int) -> Iterator[bytes]:
    for field, value in fields(data):
        if field == number and isinstance(value, bytes):
            yield value


def _strings(data: bytes) -> dict[int, bytes]:
    return {number: value for number, value in fields(data) if isinstance(value, bytes)}


def _metadata_file(data: bytes) -> Iterator[tuple[str, bytes]]:
    for node in _messages(data, 1):
        told = _strings(node)
        if told.get(5):
            yield _text(told.get(3) or told.get(4, b"")), told[5]


def _object_graphs(data: bytes) -> Iterator[tuple[str, bytes]]:
    for meta_graph in _messages(data, 2):
        for objects in _messages(meta_graph, 7):
            yield from _user_objects(objects)


def _user_objects(objects: bytes) -> Iterator[tuple[str, bytes]]:
    for node in _messages(objects, 1):
        for user_object in _messages(node, 4):
            told = _strings(user_object)
            if told.get(3):
                yield _text(told.get(1, b"")), told[3]


def _text_metadata(data: bytes) -> list[tuple[str, bytes]]:
    from google.protobuf import text_encoding

    return [
        ("", bytes(text_encoding.CUnescape(found.group(1).decode("utf-8", "replace"))))
        for found in _TEXT_METADATA.finditer(data)
    ]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")

"""From a path to what is stored there; the kind is found from the content.

To add a kind: write its module with a reader, and a row in READERS. Heavy imports stay inside the
readers: listing a checkpoint must not pay for protobuf, nor for pathlib, which costs a tenth of it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from graphmap.errors import ArtifactError, UnknownFormatError
from graphmap.formats.footer import is_table
from graphmap.formats.sniff import (
    Look,
    damage_hint,
    is_hdf5,
    is_keras_zip,
    look_at,
    refuse_foreign,
)
from graphmap.model.stored import StoredModel

__all__ = ["READERS", "Reader", "read_artifact"]

STANDARD_INPUT = "-"
_SHARD = r"\.data-\d{5}-of-\d{5}$"
_V1_SHARD = r"-\d{5}-of-\d{5}$"
_LISTING_SUFFIXES = (".txt", ".tsv", ".json")
_BINARY_SUFFIXES = (".pb", ".h5", ".hdf5", ".keras", ".safetensors", ".ckpt")  # never a listing
_PROTOS = ("graphdef", "metagraph", "saved-model")
_SUFFIX_KINDS = {
    ".meta": ("metagraph", "checkpoint", "object-checkpoint", "checkpoint-v1"),
    ".keras": ("keras-zip",),
    ".h5": ("keras-h5",),
    ".safetensors": ("safetensors",),
}
_SAFETENSORS_INDEX = ".safetensors.index.json"  # its reader is not loaded to ask
_TEXT_SUFFIXES = {".pbtxt": "graphdef", ".meta": "metagraph"}  # where the text itself does not tell


class Request(NamedTuple):
    """What the user asked for, beside the file."""

    typed: str
    tags: str | None
    notes: tuple[str, ...] = ()


class Reader(NamedTuple):
    """Reads one kind of file. `sniff` looks at content; the first reader that says yes reads."""

    kind: str
    sniff: Callable[[Look], bool]
    read: Callable[[Look, Request], StoredModel]


def read_artifact(path: str, *, tags: str | None = None, step: int | None = None) -> StoredModel:
    """Read the artifact at `path`: a file, a folder, a checkpoint prefix, or "-".

    tags: comma-separated, chooses among the graphs of a SavedModel. step: chooses among the
    checkpoints of a folder. No tensor value is read. Raises ArtifactError and its children.
    """
    if path == STANDARD_INPUT:
        return _read_standard_input()
    request = Request(path, tags)
    if "\0" in path:
        raise ArtifactError("is no path", where=repr(path), remedy="Check the path.")
    if os.path.isdir(path) and not (step is None and _is_prefix(path)):
        return _read_folder(path, step, request)
    if ".data-" in path:
        path = re.sub(_SHARD, "", path)
    if not os.path.exists(path):
        return _read_prefix(path, request)
    return _read_file(path, request)


def _read_folder(path: str, step: int | None, request: Request) -> StoredModel:
    from graphmap.formats.folder import choose_in_folder

    choice = choose_in_folder(path, step)
    request = request._replace(notes=choice.notes)
    if choice.prefix is not None:
        return _read_prefix(choice.prefix, request)
    return _read_file(str(choice.file), request)


def _is_prefix(path: str) -> bool:
    """Tell whether a checkpoint lies beside a folder of the same name."""
    return not path.endswith("/") and os.path.isfile(f"{path}.index")


def _read_prefix(prefix: str, request: Request) -> StoredModel:
    if os.path.exists(f"{prefix}.index"):
        return _read_file(f"{prefix}.index", request)
    if os.path.isfile(prefix):
        return _read_file(prefix, request)
    parent, name = os.path.split(prefix)
    parent = parent or "."
    siblings = sorted(os.listdir(parent)) if os.path.isdir(parent) else []
    if any(sibling.startswith(name) and re.search(_V1_SHARD, sibling) for sibling in siblings):
        return _read_v1(prefix, request)
    if os.path.exists(f"{prefix}.meta"):
        note = f"{prefix}.index is missing: read the graph only"
        return _read_file(f"{prefix}.meta", request._replace(notes=(*request.notes, note)))
    raise _missing(request.typed, siblings, parent)


def _read_file(path: str, request: Request) -> StoredModel:
    look = look_at(path)
    try:
        refuse_foreign(look)
        reader = next((reader for reader in READERS if reader.sniff(look)), None)
        if reader is None:
            hint = damage_hint(look.head) or "or its beginning is damaged"
            raise UnknownFormatError(
                f"is of no kind that graphmap knows; {hint}",
                where=path,
                remedy="Give a checkpoint, .meta, GraphDef, SavedModel or listing; "
                "copy it in binary mode.",
            )
    except UnknownFormatError:
        reader = _plugged_reader(look)
        if reader is None:
            raise
    model = reader.read(look, request)
    notes = (*request.notes, *_misnamed(look, model.kind))
    return model._replace(warnings=notes + model.warnings)


def _misnamed(look: Look, kind: str) -> Iterator[str]:
    """Yield that a file is not what its name says: TensorFlow and Keras go by the name."""
    suffix = os.path.splitext(look.path)[1]
    is_text = look.text is not None
    if suffix in (".pb", ".pbtxt") and is_text != (suffix == ".pbtxt") and kind in _PROTOS:
        yield f"{look.path}: is {'text' if is_text else 'binary'}, though named {suffix}"
    elif kind not in _SUFFIX_KINDS.get(suffix, kind):
        yield f"{look.path}: is of the kind {kind}, though named {suffix}"


def _plugged_reader(look: Look) -> Reader | None:
    """Return the reader of another package that knows this file; two that do are an error."""
    from graphmap.plugins import READERS as GROUP
    from graphmap.plugins import load_plugins

    found: list[tuple[str, Reader]] = [
        (name, reader) for name, reader in load_plugins(GROUP) if reader.sniff(look)
    ]
    if len(found) > 1:
        raise UnknownFormatError(
            f"is read by {len(found)} plug-ins: {', '.join(name for name, _ in found)}",
            where=look.path,
            remedy="Uninstall all but one of them.",
        )
    return found[0][1] if found else None


def _read_standard_input() -> StoredModel:
    from graphmap.formats.listing import LIMIT, listing_model

    data = sys.stdin.buffer.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise ArtifactError(
            f"standard input has over {LIMIT:,} bytes", remedy="Give a listing of names."
        )
    return listing_model(data, "standard input", STANDARD_INPUT)


def _missing(typed: str, siblings: list[str], parent: str) -> ArtifactError:
    from difflib import get_close_matches

    names = sorted({re.sub(r"\.index$", "", name) for name in siblings})
    close = get_close_matches(os.path.basename(typed), names, n=3)
    if close:
        remedy = f"Did you mean {' or '.join(os.path.join(parent, name) for name in close)}?"
    elif siblings:
        remedy = f"{parent} holds: {', '.join(siblings[:5])}"
    else:
        remedy = "Check the path; it is taken as it was typed."
    return ArtifactError("no such file, folder or checkpoint", where=typed, remedy=remedy)


# Readers -------------------------------------------------------------------------------------


def _is_table(look: Look) -> bool:
    return is_table(look.tail) or look.path.endswith(".index")


def _read_table(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.bundle import is_v1
    from graphmap.formats.checkpoint import read_checkpoint

    if not look.path.endswith(".index"):
        if is_v1(look.path):
            return _read_v1(look.path, request)
        raise UnknownFormatError(
            "is a checkpoint index whose name does not end in .index",
            where=look.path,
            remedy="Rename it to PREFIX.index, as its data files are named.",
        )
    return read_checkpoint(look.path.removesuffix(".index"), request.typed)


def _read_v1(path: str, request: Request) -> StoredModel:
    from graphmap.formats.checkpoint import add_meta_graph
    from graphmap.formats.v1 import read_v1

    model = read_v1(path, request.typed)
    return add_meta_graph(model, model.prefix or path, path)


def _is_safetensors(look: Look) -> bool:
    length = int.from_bytes(look.head[:8], "little")
    return look.head[8:9] == b"{" and 2 <= length <= look.size - 8


def _read_safetensors(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.safetensors import read_safetensors

    return read_safetensors(look.path, request.typed)


def _is_safetensors_index(look: Look) -> bool:
    return look.text is not None and look.path.endswith(_SAFETENSORS_INDEX)


def _read_safetensors_index(look: Look, request: Request) -> StoredModel:
    from graphmap.files import read_file
    from graphmap.formats.safetensors import INDEX_LIMIT, read_index

    return read_index(look.path, read_file(look.path, INDEX_LIMIT), request.typed)


def _read_hdf5(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.hdf5 import read_hdf5

    return read_hdf5(look.path, request.typed)


def _read_keras_zip(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.keras_zip import read_keras_zip

    return read_keras_zip(look.path, request.typed)


def _proto_kind(look: Look) -> str | None:
    from graphmap.formats.protokind import binary_kind, text_kind

    if look.text is None:
        return binary_kind(look.head)
    return text_kind(look.text) or _TEXT_SUFFIXES.get(os.path.splitext(look.path)[1])


def _read_graph(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.graphdef import read_graph

    return read_graph(look.path, request.typed, is_text=look.text is not None)


def _read_meta_graph(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.metagraph import read_meta_graph

    return read_meta_graph(look.path, request.typed, is_text=look.text is not None)


def _read_saved_model(look: Look, request: Request) -> StoredModel:
    from graphmap.formats.saved_model import read_saved_model

    is_text = look.text is not None
    return read_saved_model(look.path, request.typed, tags=request.tags, is_text=is_text)


def _is_state_file(look: Look) -> bool:
    return look.text is not None and look.text.lstrip().startswith("model_checkpoint_path:")


def _read_state_file(look: Look, request: Request) -> StoredModel:
    return _read_folder(os.path.dirname(look.path) or ".", None, request)


def _is_listing(look: Look) -> bool:
    if look.text is not None:
        return not look.path.endswith(_BINARY_SUFFIXES)
    return look.path.endswith(_LISTING_SUFFIXES) and b"\0" not in look.head


def _read_listing(look: Look, request: Request) -> StoredModel:
    from graphmap.files import read_file
    from graphmap.formats.listing import LIMIT, listing_model

    return listing_model(read_file(look.path, LIMIT), look.path, request.typed)


READERS: tuple[Reader, ...] = (
    Reader("checkpoint", _is_table, _read_table),
    Reader("keras-h5", is_hdf5, _read_hdf5),
    Reader("keras-zip", is_keras_zip, _read_keras_zip),
    Reader("safetensors", _is_safetensors, _read_safetensors),
    Reader("safetensors", _is_safetensors_index, _read_safetensors_index),
    Reader("graphdef", lambda look: _proto_kind(look) == "graphdef", _read_graph),
    Reader("metagraph", lambda look: _proto_kind(look) == "metagraph", _read_meta_graph),
    Reader("saved-model", lambda look: _proto_kind(look) == "saved-model", _read_saved_model),
    Reader("state file", _is_state_file, _read_state_file),
    Reader("listing", _is_listing, _read_listing),
)

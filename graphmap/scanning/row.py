"""The row of one artifact: what a person would note of it, as plain JSON values."""

from __future__ import annotations

import gc
import hashlib
import re
from itertools import count
from math import prod
from typing import TypedDict

from graphmap.analysis.architecture import architecture
from graphmap.api.artifact import Artifact, load
from graphmap.api.audit import audit
from graphmap.errors import GraphmapError, UnknownFormatError
from graphmap.model.variable import Variable
from graphmap.scanning.folders import open_file
from graphmap.scanning.items import Item

__all__ = ["COLUMNS", "Row", "content_digest", "describe", "died"]

SCHEMA = "graphmap.scan/1"
MAX_TOLD = 5  # warnings and train ops that a row tells in words
_STEP = re.compile(r"-(\d+)$")
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
_TELLING = (".h5", ".hdf5", ".keras", ".safetensors", ".index.json", ".index")
_BLOCK = 1 << 20  # bytes read at once
_TIDY = 20  # artifacts between two collections
_described = count(1)  # of this process


class Row(TypedDict):
    """One artifact of an inventory.

    status: "ok", "warned" (something is wrong with it, in `warnings`), "damaged" (it cannot be
    read, `error` says why) or "unknown" (no model, or of a kind that is not known).
    step: from the file name. parameters: elements of all weights of known shape. bytes: of its
    files. optimizer: kinds of its train ops, or of its slots. unsafe_ops: findings of `audit`
    above a note. architecture: groups models whatever their names. duplicate_of: the first path
    with the same content.
    """

    schema: str
    path: str
    status: str
    kind: str | None
    producer: str | None
    step: int | None
    variables: int
    weights: int
    parameters: int
    bytes: int
    files: int
    nodes: int | None
    optimizer: list[str]
    train_ops: list[str]
    unsafe_ops: int
    worst: str | None
    warnings: list[str]
    error: str | None
    fingerprint: str | None
    architecture: str | None
    duplicate_of: str | None


COLUMNS: dict[str, type] = {
    name: next(kind for kind in (int, list, str) if kind.__name__ in hint.__forward_arg__)
    for name, hint in Row.__annotations__.items()
}


def describe(item: Item) -> Row:
    """Open one artifact and note what it is; whatever is wrong with it is told in the row."""
    row = _empty(item)
    if item.problem:
        row["status"], row["error"] = "damaged", item.problem
        return row
    _tidy()
    try:
        _fill(row, load(item.path))
    except GraphmapError as error:
        is_foreign = isinstance(error, UnknownFormatError) and not _is_telling(item)
        row["status"] = "unknown" if is_foreign else "damaged"
        row["error"] = error.message
    except (Exception, RecursionError) as bug:  # a fault of ours must not end a scan of thousands
        row["status"] = "damaged"
        row["error"] = f"internal error: {type(bug).__name__}: {bug}"[:300]
    return row


def _tidy() -> None:
    """Free what earlier artifacts left in cycles, such as pyfive's files, every now and then.

    Python itself waits until a quarter of all objects is new, counted from the largest artifact.
    """
    if next(_described) % _TIDY == 0:
        gc.collect()


def died(item: Item) -> Row:
    """Return the row of an artifact whose reader was killed, as by a limit on memory."""
    row = _empty(item)
    row["status"], row["error"] = "damaged", "the process that read it died"
    return row


def content_digest(item: Item) -> str:
    """Return the SHA-256 of what an artifact holds, or "" where a file went away.

    Data files of a checkpoint are not read: its index holds the checksum of each tensor.
    """
    total = hashlib.sha256()
    files = [path for path in item.files if not _DATA.search(path)]
    for path in files:
        try:
            handle = open_file(path)
        except GraphmapError:
            return ""
        with open(handle, "rb") as stream:
            while block := stream.read(_BLOCK):
                total.update(block)
        total.update(b"\0end of file")
    return total.hexdigest()


def _empty(item: Item) -> Row:
    return {
        "schema": SCHEMA,
        "path": item.path,
        "status": "ok",
        "kind": None,
        "producer": None,
        "step": None,
        "variables": 0,
        "weights": 0,
        "parameters": 0,
        "bytes": item.size,
        "files": len(item.files),
        "nodes": None,
        "optimizer": [],
        "train_ops": [],
        "unsafe_ops": 0,
        "worst": None,
        "warnings": [],
        "error": None,
        "fingerprint": None,
        "architecture": None,
        "duplicate_of": None,
    }


def _fill(row: Row, artifact: Artifact) -> None:
    weights = [v for v in artifact.variables if v.role == "weight"]
    warnings = artifact.warnings
    found = audit(artifact)
    row["kind"] = artifact.kind
    row["producer"] = artifact.producer
    row["step"] = _step(artifact)
    row["variables"] = len(artifact.variables)
    row["weights"] = len(weights)
    row["parameters"] = sum(_elements(v) for v in weights)
    row["nodes"] = artifact.graph_size.nodes if artifact.graph_size else None
    row["train_ops"] = [op.name for op in artifact.train_ops][:MAX_TOLD]
    row["optimizer"] = _optimizers(artifact)
    row["unsafe_ops"] = len(found.serious)
    row["worst"] = found.worst
    row["warnings"] = list(warnings[:MAX_TOLD])
    if len(warnings) > MAX_TOLD:
        row["warnings"].append(f"and {len(warnings) - MAX_TOLD} more")
    row["fingerprint"] = artifact.fingerprint
    row["architecture"] = architecture(artifact.variables)
    if warnings:
        row["status"] = "warned"


def _step(artifact: Artifact) -> int | None:
    found = _STEP.search(artifact.opened.stored.prefix or "")
    return int(found[1]) if found else None


def _is_telling(item: Item) -> bool:
    """Tell whether a file name says that a model must be there."""
    return any(path.endswith(_TELLING) for path in item.files)


def _elements(variable: Variable) -> int:
    shape = variable.shape
    return 0 if shape is None or None in shape else prod(size or 0 for size in shape)


def _optimizers(artifact: Artifact) -> list[str]:
    """Return the kinds of the train ops, else the words of the slots, which tell the family."""
    kinds = sorted({spec.kind for op in artifact.train_ops for spec in op.optimizers})
    if kinds:
        return kinds
    words = sorted({v.slot for v in artifact.variables if v.role == "slot" and v.slot})
    return [f"slots {', '.join(words[:MAX_TOLD])}"] if words else []

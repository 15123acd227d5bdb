"""Everything that an artifact could do, from all of its graphs, configs and damage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from graphmap.analysis.effects import EFFECTS, Severity
from graphmap.analysis.unsafe import UnsafeOp, find_unsafe_ops
from graphmap.auditing.findings import SEVERITIES, Finding
from graphmap.auditing.keras_config import audit_config
from graphmap.errors import ArtifactError
from graphmap.files import read_file
from graphmap.formats.keras_texts import keras_texts, pickles_in
from graphmap.formats.saved_parts import keras_metadata, proto_files, saved_graphs
from graphmap.formats.sniff import damage_hint, is_hdf5, is_keras_zip, is_pickle, look_at
from graphmap.formats.wire import write_varint
from graphmap.model.meta_check import asset_defect
from graphmap.model.stored import MetaInfo, StoredModel

__all__ = ["audit_keras", "audit_model", "audit_unreadable"]


_PICKLE = "is a Python pickle, which can run any code when it is loaded; it is not looked into"


def audit_model(
    model: StoredModel, unsafe: tuple[UnsafeOp, ...] | None = None
) -> tuple[Finding, ...]:
    """Return what could happen, worst first, then in stored order.

    unsafe: the unsafe ops of the model's graph, where they are known already.
    """
    if model.kind.startswith("keras"):
        keras = audit_keras(model.container or model.path)
        return keras[1] if keras else ()
    return _sorted([*_graphs(model, unsafe), *_configs(model), *_broken_meta(model)])


def audit_keras(path: str) -> tuple[str, tuple[Finding, ...]] | None:
    """Return (kind, findings) of a Keras file by its configs; None where it is none.

    Raises CorruptArtifactError for a damaged one.
    """
    if not Path(path).is_file():
        return None
    look = look_at(path)
    kind = "keras-h5" if is_hdf5(look) else "keras-zip" if is_keras_zip(look) else None
    if kind is None:
        return None
    found = [
        finding._replace(node=f"{where}: {finding.node}")
        for where, text in keras_texts(look)
        for finding in audit_config(text, path)
    ]
    found += [
        Finding("pickle", name, None, "unknown", _PICKLE, "pickle", path)
        for name in pickles_in(look)
    ]
    return kind, _sorted(found)


def audit_unreadable(path: str) -> tuple[Finding, ...]:
    """Return findings about a pickle, or a file that a text-mode copy damaged; () for others.

    Nobody can judge such a file. Op types that do harm are still found by how a NodeDef stores
    them (field 2, length, text), since plain text survives such a copy.
    """
    if not Path(path).is_file():
        return ()
    if is_pickle(look_at(path).head):
        return (Finding("pickle", "", None, "unknown", _PICKLE, "pickle", path),)
    data = read_file(path)
    hint = damage_hint(data)
    if not hint:
        return ()
    found = [_damaged(path, f"cannot be judged: {hint}")]
    for op, effect in EFFECTS.items():
        name = op.encode()
        if b"\x12" + write_varint(len(name)) + name in data and effect.kind != "device":
            why = f"{effect.why}; found in a damaged file, its context cannot be judged"
            severity: Severity = "unknown" if _is_usual(op) else effect.severity
            found.append(Finding(op, "", None, severity, why, f"op-{effect.kind}", path))
    return _sorted(found)


def _sorted(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _is_usual(op: str) -> bool:
    """Whether an op is in nearly every trained graph and mostly harmless there."""
    return op.startswith(("Save", "Restore", "MergeV2")) or "Summary" in op


def _graphs(model: StoredModel, unsafe: tuple[UnsafeOp, ...] | None) -> Iterator[Finding]:
    folder = model.saved_model_dir
    files = [] if folder is None else proto_files(folder)
    if folder is not None and (len(files) > 1 or len(model.all_tags) > 1):
        for part in saved_graphs(folder):
            yield from _of_ops(
                find_unsafe_ops(part.graph, part.meta, is_saved_model=True), part.file
            )
            yield from _of_assets(part.meta, part.file)
    elif model.graph is not None:
        file = files[0] if files else model.meta_path or model.path
        if unsafe is None:
            unsafe = find_unsafe_ops(model.graph, model.meta, is_saved_model=folder is not None)
        yield from _of_ops(unsafe, file)
        yield from _of_assets(model.meta, file)


def _of_ops(ops: Iterable[UnsafeOp], file: str) -> Iterator[Finding]:
    for op in ops:
        effect = EFFECTS.get(op.op)
        rule = f"op-{effect.kind}" if effect else "op-unknown"
        yield Finding(op.op, op.node, op.function, op.severity, op.why, rule, file)


def _of_assets(meta: MetaInfo, file: str) -> Iterator[Finding]:
    for tensor, name in meta.assets:
        defect = asset_defect(name)
        if defect:
            yield Finding("asset", tensor, None, "high", defect, "asset-path", file)


def _configs(model: StoredModel) -> Iterator[Finding]:
    if model.saved_model_dir is None:
        return
    for file, name, text in keras_metadata(model.saved_model_dir):
        if text[:1] in b"{[":
            for finding in audit_config(text, file):
                yield finding._replace(node=f"{name}: {finding.node}" if name else finding.node)


def _broken_meta(model: StoredModel) -> Iterator[Finding]:
    """Yield that a .meta beside a checkpoint could not be read: it has not been judged."""
    if model.prefix is None or model.saved_model_dir is not None or model.meta_path is not None:
        return
    path = f"{model.prefix}.meta"
    if not os.path.lexists(path):
        return
    try:
        found = audit_unreadable(path)
    except ArtifactError as cause:
        found = (_damaged(path, f"cannot be judged: {cause.message}"),)
    yield from found or (_damaged(path, "cannot be judged: it cannot be read as a MetaGraphDef"),)


def _damaged(path: str, why: str) -> Finding:
    return Finding("file", "", None, "unknown", why, "damaged", path)

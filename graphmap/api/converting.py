"""An artifact's values in another container: `graphmap.convert`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.api.name_map import NameMap
from graphmap.api.renaming import as_name_map
from graphmap.errors import UsageError
from graphmap.formats.bundle import OBJECT_GRAPH_KEY, shard_path
from graphmap.patterns import compile_pattern
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import refuse, remove_stale, shards_at
from graphmap.rewrite.writers import is_checkpoint, writer_for

if TYPE_CHECKING:
    import numpy

    from graphmap.model.stored import StoredModel

__all__ = ["ConvertReport", "convert"]

DTYPES = ("float64", "float32", "float16", "bfloat16")
_STATE_ROLES = ("slot", "optimizer")


class ConvertReport(NamedTuple):
    """What was written: names in their order; unresolved: expected names without an answer."""

    names: tuple[str, ...]
    unresolved: tuple[str, ...]
    written: tuple[str, ...]


def convert(
    path: Artifact | str | os.PathLike[str],
    name_map: NameMap | Mapping[str, str] | str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    only: str | None = None,
    no_slots: bool = False,
    dtype: str | None = None,
    force: bool = False,
) -> ConvertReport:
    """Write values into another container, under the expected names, layouts applied.

    out: .safetensors, .npz, .h5, or a checkpoint prefix with .ckpt in its name. name_map None takes
    all values under their own names. dtype: what floating values become. One value is in memory at
    a time. Raises UsageError, NameMapError, UnsupportedArtifactError for a type that the container
    lacks; nothing is half written.
    """
    artifact = as_artifact(path)
    target = os.fspath(out)
    write = writer_for(target)
    if write is None:
        raise UsageError(
            "has no suffix that says a container",
            where=target,
            remedy="Give .safetensors, .npz, .h5, or a checkpoint name such as model.ckpt",
        )
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(
            f"{dtype!r} is no floating type", where="--dtype", remedy=f"Use {', '.join(DTYPES)}"
        )
    chosen = None if name_map is None else as_name_map(name_map)
    values = artifact.tensors() if chosen is None else chosen.view(artifact)
    names = _names(artifact, values, chosen is None, only, no_slots)
    stored = artifact.opened.stored
    source = stored.container or (f"{stored.prefix}.index" if stored.prefix else stored.path)
    prefix = target.removesuffix(".index")
    for written in (target, f"{prefix}.index"):
        refuse(written, source, force=force)
    taken = shards_at(prefix)
    with Staging() as staging:
        staging.make_folder(target)
        for file in _files_of(stored):
            staging.watch(file)
        write(staging, target, names, _pairs(names, values, dtype), _metadata(artifact, chosen))
        targets = staging.targets
        staging.commit()
    if is_checkpoint(target):
        remove_stale(prefix, taken, targets)
    open_names = () if chosen is None else (*chosen.ambiguous, *chosen.unmatched)
    return ConvertReport(tuple(names), tuple(d.expected for d in open_names), targets)


def _files_of(stored: StoredModel) -> list[str]:
    """Return the files that values are read from."""
    if stored.prefix is None:
        return [stored.container or stored.path]
    shards = shards_at(stored.prefix) or 0
    data = [shard_path(stored.prefix, shard, shards) for shard in range(shards)]
    return [f"{stored.prefix}.index", *data]


def _names(
    artifact: Artifact, values: Mapping[str, Any], is_own: bool, only: str | None, no_slots: bool
) -> list[str]:
    """Return the names to write, sorted: the same input gives the same bytes."""
    left_out = {OBJECT_GRAPH_KEY}
    if is_own and no_slots:
        left_out |= {v.name for v in artifact.variables if v.role in _STATE_ROLES}
    search = None if only is None else compile_pattern(only, f"--only {only}").search
    names = sorted(n for n in values if n not in left_out and (search is None or search(n)))
    if not names:
        raise UsageError(
            "no value is left to be written", where=artifact.path, remedy="Check --map and --only."
        )
    return names


def _pairs(
    names: list[str], values: Mapping[str, Any], dtype: str | None
) -> Iterator[tuple[str, numpy.ndarray]]:
    for name in names:
        value = values[name]
        if dtype is not None and _is_floating(value):
            from graphmap.formats.dtypes import numpy_dtype

            value = value.astype(numpy_dtype(dtype))
        yield name, value


def _is_floating(value: numpy.ndarray) -> bool:
    return value.dtype.kind == "f" or value.dtype.name.startswith(("bfloat", "float"))


def _metadata(artifact: Artifact, name_map: NameMap | None) -> dict[str, str]:
    """Return where the values came from; "format": "pt" is what PyTorch tools ask for."""
    import json

    from graphmap.version import VERSION

    found = {
        "format": "pt",
        "graphmap_version": VERSION,
        "source_kind": artifact.kind,
        "source_fingerprint": artifact.fingerprint,
    }
    if name_map is not None:
        told = {d.expected: [d.actual or list(d.parts), d.layout] for d in name_map.matched}
        found["map"] = json.dumps(told, separators=(",", ":"), sort_keys=True)
    return found

"""Keras 3 archives (.keras): a zip of config.json, metadata.json and model.weights.h5.

Source of the layout: keras/src/saving/saving_lib.py. Nothing is unpacked to disk.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from graphmap.errors import CorruptArtifactError
from graphmap.formats.hdf5 import read_hdf5_bytes
from graphmap.formats.keras_facts import with_config
from graphmap.formats.zip_member import BROKEN, read_member
from graphmap.model.meta import KerasFile
from graphmap.model.stored import StoredModel

__all__ = ["read_keras_zip"]

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
_WEIGHTS_LIMIT = 64 << 30  # bytes
_LEAST = 16 << 20  # bytes that may be unpacked in any case
_CONFIG_LIMIT = 64 << 20  # bytes
_METADATA_LIMIT = 1 << 20  # bytes
_REMEDY = "Save the model again with Keras, or copy the file again."


def read_keras_zip(path: str, typed: str) -> StoredModel:
    """List the weights of a .keras file; raises CorruptArtifactError."""
    try:
        with zipfile.ZipFile(path) as archive:
            weights = _member(archive, WEIGHTS, _WEIGHTS_LIMIT, path)
            version = _version(archive, path)
            warnings = list(_listing_defects(archive, path))
            config = _config(archive, path, warnings)
    except BROKEN as cause:
        raise CorruptArtifactError(
            f"cannot be read as a zip archive ({str(cause)[:100]})", where=path, remedy=_REMEDY
        ) from cause
    model = read_hdf5_bytes(memoryview(weights), path, typed, "keras-zip")
    return model._replace(
        producer=f"keras {version}" if version else None,
        keras=with_config(model.keras or KerasFile(), version, config),
        warnings=(*warnings, *model.warnings),
    )


def _listing_defects(archive: zipfile.ZipFile, path: str) -> Iterator[str]:
    """Yield a sentence for names that stand twice or lead out; nothing is ever unpacked to them."""
    names = [info.filename for info in archive.infolist()]
    for name, times in sorted(Counter(names).items()):
        if times > 1:
            yield f"{path}: holds {name} {times} times; the last one is read"
        elif name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
            yield f"{path}: holds a member that would be unpacked elsewhere: {name}"


def _config(archive: zipfile.ZipFile, path: str, warnings: list[str]) -> dict[str, Any]:
    """Return the config; raises CorruptArtifactError where it cannot be read.

    Where there is none, that is a warning.
    """
    if CONFIG not in archive.namelist():
        warnings.append(
            f"{path}: holds no {CONFIG}: weights can be read, the model cannot be rebuilt"
        )
        return {}
    data = _member(archive, CONFIG, _CONFIG_LIMIT, path)
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as cause:
        reason = "nested too deeply" if isinstance(cause, RecursionError) else "no JSON"
        raise CorruptArtifactError(
            f"holds a {CONFIG} that is {reason}", where=path, remedy=_REMEDY
        ) from cause
    if not isinstance(config, dict):
        raise CorruptArtifactError(
            f"holds a {CONFIG} that is no object", where=path, remedy=_REMEDY
        )
    return config


def _member(archive: zipfile.ZipFile, name: str, limit: int, path: str) -> bytes:
    """Return one member by name; raises CorruptArtifactError where it is not there."""
    try:
        info = archive.getinfo(name)
    except KeyError as cause:
        raise CorruptArtifactError(
            f"holds no {name}, so it is no Keras archive with weights", where=path, remedy=_REMEDY
        ) from cause
    return read_member(archive, info, limit, _LEAST)


def _version(archive: zipfile.ZipFile, path: str) -> str | None:
    if "metadata.json" not in archive.namelist():
        return None
    try:
        metadata = json.loads(_member(archive, "metadata.json", _METADATA_LIMIT, path))
    except (ValueError, RecursionError):
        return None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return version[:32] if isinstance(version, str) else None

"""What Keras files say about their model and optimizer, from whichever place a version used.

Sources: keras/src/saving/saving_lib.py and legacy/hdf5_format.py (Keras 2 and 3),
tf_keras/src/saving/legacy/saved_model/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from graphmap.formats.hdf5_walk import Found
from graphmap.model.meta import KerasFile

__all__ = ["keras_file", "saved_model_facts", "with_config"]


def keras_file(found: Found, version: str | None, config: Any, training: Any) -> KerasFile:
    """Return the facts of an HDF5 file. training: the parsed `training_config`, or None."""
    written = sorted(found.addresses, key=lambda path: found.addresses[path])
    return KerasFile(
        version=version,
        config=_object(config),
        optimizer=_described(_object(training).get("optimizer_config")),
        layer_names=found.layer_names,
        weight_lists=found.weight_lists,
        layers=tuple(found.layers),
        written=tuple(written),
    )


def with_config(facts: KerasFile, version: str | None, config: Mapping[str, Any]) -> KerasFile:
    """Add what config.json of a .keras file tells."""
    compiled = _object(config.get("compile_config"))
    optimizer = _described(compiled.get("optimizer"))
    return facts._replace(version=version, config=config, optimizer=optimizer)


def saved_model_facts(texts: Iterable[bytes]) -> KerasFile | None:
    """Return what the Keras metadata of a SavedModel tell; None where no optimizer is told.

    texts: JSON of each object; the first that was compiled with an optimizer counts.
    """
    for text in texts:
        try:
            metadata = _object(json.loads(text))
        except (ValueError, RecursionError):
            continue
        training = _object(metadata.get("training_config"))
        optimizer = _described(training.get("optimizer_config"))
        if optimizer is not None:
            return KerasFile(optimizer=optimizer)
    return None


def _described(value: Any) -> Mapping[str, Any] | None:
    """Return {"class_name", "config"} of an object, None where it is none."""
    told = _object(value)
    is_whole = isinstance(told.get("class_name"), str) and isinstance(told.get("config"), dict)
    return told if is_whole else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

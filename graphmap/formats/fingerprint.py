"""The fingerprint of an artifact: which variables it stores, whatever their values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from graphmap.model.stored import StoredTensor

__all__ = ["fingerprint"]


def fingerprint(tensors: Iterable[StoredTensor]) -> str:
    """Return the SHA-256, in hex, over the sorted (name, shape, dtype); every step has the same.

    One line of compact JSON for each variable, sorted as text, joined by line feeds.

    >>> fingerprint([])[:12]
    'e3b0c44298fc'
    """
    encode = json.JSONEncoder(separators=(",", ":")).encode  # making one costs more than a line
    lines = sorted(encode([tensor.name, tensor.shape, tensor.dtype]) for tensor in tensors)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

"""The fingerprint of an artifact: which variables it stores, whatever their values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii  # json.dumps of a text, at once
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from graphmap.chunks import chunks
from graphmap.formats.quoting import quote_each

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["fingerprint"]

_name, _kind = itemgetter(0), itemgetter(1, 2)


def fingerprint(variables: Sequence[tuple[Any, ...]]) -> str:
    """Return the SHA-256, in hex, over the sorted (name, shape, dtype); every step has the same.

    variables: their first three fields are these. One line of compact JSON for each, sorted as
    text, joined by line feeds.

    >>> fingerprint([])[:12]
    'e3b0c44298fc'
    """
    tails: dict[tuple[Dims, str | None], str] = {}  # few differ: a tenth of the time
    lines: list[str] = []  # from the first letter of the name on
    for chunk in chunks(variables):
        kinds = list(map(_kind, chunk))
        ends: list[Any] = list(map(tails.get, kinds))
        if None in ends:
            for kind in set(kinds).difference(tails):
                tails[kind] = '",' + json.dumps(kind, separators=(",", ":"))[1:]
            ends = [tails[kind] for kind in kinds]
        names = quote_each(list(map(_name, chunk)), encode_basestring_ascii)
        lines += map(str.__add__, names, ends)
    lines.sort()
    digest, between = hashlib.sha256(), '["'
    for part in chunks(lines):
        digest.update((between + '\n["'.join(part)).encode("ascii"))
        between = '\n["'
    return digest.hexdigest()

"""The order in which Keras saved layers, from where they lie in a file that has no config.

HDF5 gives every new object the next free place, so headers of datasets lie in the order of saving,
unless one fell into a hole that another left. A file that was copied object by object has lost
that order; it holds the numbered variables of the optimizer in the order of their names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

__all__ = ["saved_order"]

_NUMBERED = re.compile(r"(.*optimizer)/vars/(\d+)")
_COUNTED = re.compile(r"(.*?)(?:_(\d+))?")
_TELLING = 11  # variables from which the order of names (1, 10, 2) is not that of numbers


def saved_order(layers: Mapping[str, Sequence[str]], written: Sequence[str]) -> list[str] | None:
    """Return the layers in the order of saving, or None where the file does not show it.

    layers: {group: its datasets}. written: every object of the file, by where its header lies.
    """
    places = {path: at for at, path in enumerate(written)}
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for path in written:
        if match := _NUMBERED.fullmatch(path):
            groups[match[1]].append((int(match[2]), places[path]))
    optimizer = max(groups.values(), key=len, default=[])
    spans = sorted(
        (min(found), max(found), layer)
        for layer, keys in layers.items()
        if (found := [places[key] for key in keys if key in places])
    )
    if len(optimizer) < _TELLING or not spans:
        return None
    by_number = [place for _, place in sorted(optimizer)]
    by_name = [place for _, place in sorted(optimizer, key=lambda one: str(one[0]))]
    if _descents(by_number) >= _descents(by_name):
        return None
    if spans[0][0] < median(by_number) < spans[-1][1]:  # Keras 2 saves it before, Keras 3 after
        return None
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        return None
    order = [layer for _, _, layer in spans]
    counts: dict[str, int] = {}
    for layer in order:  # dense, dense_1, dense_2: Keras counts in the order of saving
        match = _COUNTED.fullmatch(layer)
        assert match is not None  # it matches anything
        count = int(match[2] or 0)
        if count < counts.get(match[1], 0):
            return None
        counts[match[1]] = count
    return order


def _descents(places: Sequence[int]) -> int:
    return sum(1 for before, after in pairwise(places) if after < before)

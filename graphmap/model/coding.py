"""Values of which every element says where it comes from, and the layouts read off them.

An element is numbered over all variables; a number too large for the type is told in digits, one
load for each. A last load tells another number of the same element: a value that a loader never
wrote, such as a norm's 1, cannot say the right thing twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy

__all__ = ["Codebook", "Source", "layout_of"]

EXACT = {  # integers from 0 that a type holds exactly, as a power of two
    "float64": 22, "float32": 22, "float16": 10, "bfloat16": 7, "int64": 22, "int32": 22,
    "int16": 14, "uint16": 14, "int8": 6, "uint8": 7, "uint32": 22, "uint64": 22,
}  # fmt: skip
SCRAMBLE = 0x9E3779B1  # an odd number: multiplies every number into another one
MOST_AXES = 6  # axes whose orders are tried


class Source(NamedTuple):
    """Where the elements of one expected value come from.

    names: the actual variables, in order of their first element. owner: int64, shape of the
    expected value: index in `names`. place: int64, same shape: flat index in that variable.
    """

    names: tuple[str, ...]
    owner: numpy.ndarray
    place: numpy.ndarray


class Codebook:
    """Numbers for the elements of variables of given shapes and dtypes."""

    def __init__(self, variables: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
        self.shapes = {name: shape for name, (shape, dtype) in variables.items() if dtype in EXACT}
        self.dtypes = {name: variables[name][1] for name in self.shapes}
        self.starts: list[int] = []
        self.total = 0
        for shape in self.shapes.values():
            self.starts.append(self.total)
            self.total += math.prod(shape)
        self.bits = min((EXACT[dtype] for dtype in self.dtypes.values()), default=22)
        self.digits = max(1, math.ceil(max(1, self.total - 1).bit_length() / self.bits))

    def loads(self) -> Iterator[dict[str, numpy.ndarray]]:
        """Yield {name: coded value} for each load, in the order that `trace` needs them."""
        for scrambled in (False, True):
            for digit in range(self.digits):
                yield {name: self._value(name, digit, scrambled) for name in self.shapes}

    def _value(self, name: str, digit: int, scrambled: bool) -> numpy.ndarray:
        import numpy

        start = self.starts[list(self.shapes).index(name)]
        shape = self.shapes[name]
        numbers = numpy.arange(start, start + math.prod(shape), dtype=numpy.uint64)
        digits = self._digits(numbers, scrambled)[digit]
        word = self.dtypes[name]
        kind = numpy.float32 if word == "bfloat16" else numpy.dtype(word)
        return (digits + 1).astype(kind).reshape(shape)

    def _digits(self, numbers: numpy.ndarray, scrambled: bool) -> list[numpy.ndarray]:
        import numpy

        if scrambled:
            mask = numpy.uint64((1 << (self.bits * self.digits)) - 1)
            numbers = (numbers * numpy.uint64(SCRAMBLE) + numpy.uint64(1)) & mask
        low = numpy.uint64((1 << self.bits) - 1)
        return [(numbers >> numpy.uint64(self.bits * digit)) & low for digit in range(self.digits)]

    def trace(self, found: Sequence[numpy.ndarray]) -> Source | None:
        """Return where a value comes from, given what it was after each load.

        None where any element is computed, or was not loaded.
        """
        import numpy

        values = [numpy.asarray(one, dtype=numpy.float64) - 1 for one in found]
        top = float(1 << self.bits)
        for value in values:
            if not value.size or not ((value >= 0) & (value < top) & (value % 1 == 0)).all():
                return None
        parts = [value.astype(numpy.uint64) for value in values]
        numbers = sum(
            part << numpy.uint64(self.bits * digit)
            for digit, part in enumerate(parts[: self.digits])
        )
        again = self._digits(numpy.asarray(numbers, dtype=numpy.uint64), True)
        check = zip(again, parts[self.digits :], strict=True)
        if not all(numpy.array_equal(one, other) for one, other in check):
            return None
        places = numpy.asarray(numbers, dtype=numpy.int64)
        if places.max() >= self.total:
            return None
        starts = numpy.array(self.starts, dtype=numpy.int64)
        # Variables without elements share a start with the next one: the last of them owns it.
        owners = numpy.searchsorted(starts, places, side="right") - 1
        used, inverse = numpy.unique(owners, return_inverse=True)
        names = list(self.shapes)
        return Source(
            tuple(names[int(at)] for at in used),
            inverse.reshape(places.shape).astype(numpy.int64),
            places - starts[owners],
        )


def layout_of(places: numpy.ndarray, stored: Sequence[int]) -> str | None:
    """Return the layout by which `places`, flat indices in a stored shape, fill a value.

    None where it is none of the contract's words: single elements picked or repeated.

    >>> import numpy
    >>> layout_of(numpy.arange(6).reshape(2, 3).T, (2, 3))
    'transpose'
    >>> layout_of(numpy.arange(12).reshape(2, 6)[:, 2:4], (2, 6))
    'split:1:1/3'
    """
    import numpy

    size = math.prod(stored)
    if places.size == size:
        return _whole(places, stored)
    whole = numpy.arange(size).reshape(stored)
    for word, turned in (("", whole), ("transpose+", whole.T)):
        piece = _piece(places, turned)
        if piece is not None:
            return word + piece
        if whole.ndim < 2:
            break
    return None


def _whole(places: numpy.ndarray, stored: Sequence[int]) -> str | None:
    import numpy

    size, flat = places.size, places.ravel()
    if (flat == numpy.arange(size)).all():
        return "same" if places.shape == tuple(stored) else "reshape"
    whole = numpy.arange(size).reshape(stored)
    if len(stored) <= MOST_AXES:
        for axes in permutations(range(len(stored))):
            turned = whole.transpose(axes)
            if (turned.ravel() == flat).all():
                is_full = axes == tuple(reversed(range(len(stored))))
                word = "transpose" if is_full else "permute:" + ",".join(map(str, axes))
                return word if turned.shape == places.shape else f"{word}+reshape"
    if (places.T.ravel() == numpy.arange(size)).all():
        return "reshape+transpose"
    return _gates(places, whole)


def _gates(places: numpy.ndarray, whole: numpy.ndarray) -> str | None:
    """Blocks of the last axis in another order."""
    import numpy

    if places.shape != whole.shape or not places.ndim:
        return None
    width = whole.shape[-1]
    for blocks in (2, 3, 4):
        if width % blocks:
            continue
        parts = numpy.split(whole, blocks, axis=-1)
        got = numpy.split(places, blocks, axis=-1)
        order = [
            next((at for at, part in enumerate(parts) if (part == one).all()), None) for one in got
        ]
        if None not in order:
            letters = "abcd"[:blocks]
            return f"gates:{letters}->{''.join(letters[at or 0] for at in order)}"
    return None


def _piece(places: numpy.ndarray, turned: numpy.ndarray) -> str | None:
    """Return "split:..." where the places are one slab of `turned`, in order."""
    import numpy

    first, last = places.ravel()[0], places.ravel()[-1]
    ends = [numpy.argwhere(turned == one)[0] for one in (first, last)]
    for axis in range(turned.ndim):
        start, stop = int(ends[0][axis]), int(ends[1][axis]) + 1
        if not 0 <= start < stop:
            continue
        slab = turned[(slice(None),) * axis + (slice(start, stop),)]
        if slab.size != places.size or (slab.ravel() != places.ravel()).any():
            continue
        width, length = stop - start, turned.shape[axis]
        if length % width == 0 and start % width == 0:
            return f"split:{axis}:{start // width}/{length // width}"
        return f"split:{axis}:{start}:{stop}"
    return None

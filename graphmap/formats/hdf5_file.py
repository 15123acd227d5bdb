"""pyfive's file, taught what it refuses whole files for: links that lead out of the file.

Source of the link message: HDF5 file format specification IV.A.2.g. A link of type 64 is external,
others from 65 on are defined by programs; neither is ever followed.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LinkAway", "pyfive_file"]

_SOFT = 1  # the last link type that pyfive reads
_TYPE_PRESENT, _ORDER_PRESENT, _CHARSET_PRESENT = 1 << 3, 1 << 2, 1 << 4


class LinkAway(str):
    """The target of a link that leads out of the file; pyfive takes text for a soft link."""

    __slots__ = ()


def pyfive_file(stream: Any) -> Any:
    """Return a pyfive.File that gives `LinkAway` for links out of the file; raises as pyfive."""
    return _file_class()(stream)


@cache
def _file_class() -> Any:
    from pyfive.dataobjects import DataObjects
    from pyfive.high_level import File

    class Objects(DataObjects):  # type: ignore[misc]
        """An object header whose links may lead away."""

        @staticmethod
        def _decode_link_msg(data: bytes, offset: int) -> tuple[int | None, tuple[str, Any]]:
            return _link(data, offset, DataObjects._decode_link_msg)

    class Opened(File):  # type: ignore[misc]
        """A file whose object headers are those."""

        def _get_dataobjects(self, address: int) -> Any:
            found = self._dataobjects_cache.get(address)
            if found is None:
                found = Objects(
                    self._fh,
                    address,
                    decode_strings=self.decode_strings,
                    global_heaps=self._global_heaps,
                )
                self._dataobjects_cache[address] = found
            return found

    return Opened


def _link(
    data: bytes, offset: int, decode: Callable[[bytes, int], Any]
) -> tuple[int | None, tuple[str, Any]]:
    """Return (creation order, (name, target)) of a link message."""
    _, flags = struct.unpack_from("<BB", data, offset)
    at = offset + 2
    if not flags & _TYPE_PRESENT or data[at] <= _SOFT:
        found: tuple[int | None, tuple[str, Any]] = decode(data, offset)
        return found
    at += 1
    order = None
    if flags & _ORDER_PRESENT:
        order = int.from_bytes(data[at : at + 8], "little")
        at += 8
    at += bool(flags & _CHARSET_PRESENT)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    name = data[at + width : at + width + length].decode("utf-8", "backslashreplace")
    return order, (name, LinkAway("another file"))

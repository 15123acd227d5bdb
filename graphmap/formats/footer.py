"""The last bytes of a leveldb table, by which a checkpoint's index is known; read for every file.

Format: leveldb, doc/table_format.md.
"""

from __future__ import annotations

__all__ = ["FOOTER_SIZE", "MAGIC", "is_table"]

FOOTER_SIZE = 48
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")


def is_table(tail: bytes) -> bool:
    """Tell whether the last bytes of a file are a table's footer."""
    return len(tail) >= FOOTER_SIZE and tail.endswith(MAGIC)

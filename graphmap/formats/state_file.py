"""The `checkpoint` state file: which checkpoints of a folder there are, and which is the latest.

Source: CheckpointState in tensorflow/python/training/checkpoint_state.proto, as text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from graphmap.errors import ArtifactError, UnknownFormatError
from graphmap.files import read_file, stays_inside
from graphmap.formats.sniff import look_at, refuse_foreign

__all__ = ["STATE", "State", "local_prefix", "read_state"]

STATE = "checkpoint"  # the file's name
_LIMIT = 16 << 20  # bytes
_LONGEST_PATH = 1024  # characters
_LATEST = re.compile(r'^[^\S\n]*model_checkpoint_path\s*:\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_FIELD = re.compile(r'^[^\S\n]*(\w+)\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^\s"]+)', re.MULTILINE)
_FIELDS = frozenset(
    ("model_checkpoint_path", "all_model_checkpoint_paths", "all_model_checkpoint_timestamps",
     "last_preserved_timestamp")
)  # fmt: skip
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))")
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]|[a-z0-9]+://")
_SHORT = {"n": "\n", "t": "\t", "r": "\r"}


class State(NamedTuple):
    """latest: the path as it is written in the file, None where none can be read.

    remark: what is wrong with the file, beside what comes of the path.
    """

    latest: str | None
    remark: str | None = None


def read_state(path: str) -> State:
    """Read a state file; raises ArtifactError where it is known to be another kind of file."""
    if not stays_inside(path, os.path.join(os.path.dirname(path), "-")):
        return State(None, "the state file is a link that leads elsewhere and is not opened")
    try:
        look = look_at(path)
        refuse_foreign(look)
        text = read_file(path, _LIMIT).decode("utf-8", "replace")
    except UnknownFormatError:
        raise
    except ArtifactError as cause:
        return State(None, f"the state file {cause.message}")
    found = _LATEST.search(text)
    if found is None:
        return State(None, "the state file names no checkpoint that can be read")
    names = _FIELD.findall(text)
    strange = [name for name in names if name not in _FIELDS]
    remark = None
    if strange:
        remark = f"the state file has the unknown field {strange[0][:40]!r}"
    elif names.count("model_checkpoint_path") > 1:
        remark = "the state file names the latest checkpoint more than once; took the first"
    return State(_unescape(found.group(1)), remark)


def local_prefix(folder: str, written: str) -> tuple[str | None, str | None]:
    """Return (prefix to open, a remark); prefix None where nothing here fits what is written.

    A path in a file is never followed out of the folder that holds the file. An absolute path of
    another machine is common: then the same file name beside the state file is meant.
    """
    if len(written) > _LONGEST_PATH:
        return None, f"the state file names a path of {len(written):,} characters"
    base = re.split(r"[/\\]", written)[-1]
    inside = None if _is_absolute(written) else _inside(folder, written)
    if inside and _is_prefix(inside):
        return inside, None
    beside = f"{folder}/{base}"
    if "\0" not in base and base not in (".", "..") and _is_prefix(beside):
        if _same_file(written, beside):
            return beside, None
        return beside, f"the state file names {written!r}; took {base!r} beside it"
    return None, f"the state file names {written!r}, which is not here"


def _is_absolute(path: str) -> bool:
    return _ABSOLUTE.match(path) is not None


def _inside(folder: str, relative: str) -> str | None:
    if "\0" in relative or not relative:
        return None
    prefix = f"{folder}/{relative}"
    real = Path(f"{prefix}.index").resolve()
    return prefix if real.is_relative_to(Path(folder).resolve()) else None


def _is_prefix(prefix: str) -> bool:
    """Tell whether something of a checkpoint lies at `prefix`."""
    suffixes = (".index", ".meta") if Path(prefix).name == STATE else (".index", ".meta", "")
    return any(os.path.isfile(f"{prefix}{suffix}") for suffix in suffixes)  # also of names too long


def _same_file(written: str, beside: str) -> bool:
    return "\0" not in written and Path(written).parent.resolve() == Path(beside).parent.resolve()


def _unescape(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        octal, hexadecimal, letter = found.groups()
        if octal:
            return chr(int(octal, 8))
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        return _SHORT.get(letter, letter)

    return _ESCAPE.sub(one, text)

"""Parsing protobuf messages, binary or text, into errors that name the file."""

from __future__ import annotations

import re
from typing import Any

from graphmap.errors import CorruptArtifactError
from graphmap.schema import message_class

__all__ = ["looks_like_text", "parse_binary", "parse_text"]

_TEXT_START = re.compile(rb"\s*(#[^\n]*\n\s*)*[A-Za-z_][\w.]*\s*[:{<]")
_REPLACEMENT = b"\xef\xbf\xbd"  # U+FFFD, what a text-mode copy puts for every byte it cannot read


def looks_like_text(head: bytes) -> bool:
    """Tell whether a file begins like a text proto: `word {` or `word:`.

    >>> looks_like_text(b"# made by hand\\nnode {"), looks_like_text(b"\\n\\x05abc")
    (True, False)
    """
    return _TEXT_START.match(head) is not None and b"\0" not in head


def parse_binary(kind: str, data: bytes, where: str) -> Any:
    """Return a message of class `kind` from its bytes; raises CorruptArtifactError."""
    from google.protobuf.message import DecodeError

    message = message_class(kind)()
    try:
        message.ParseFromString(data)
    except (DecodeError, RecursionError) as cause:
        raise CorruptArtifactError(
            f"is no readable {kind} ({_what_happened(data)})",
            where=where,
            remedy="Copy the file again in binary mode; if it stays so, the file is damaged.",
        ) from cause
    return message


def parse_text(kind: str, data: bytes, where: str) -> Any:
    """Return a message of class `kind` from text proto; unknown fields are skipped."""
    from google.protobuf import text_format

    try:
        text = data.decode("utf-8")
        return text_format.Parse(text, message_class(kind)(), allow_unknown_field=True)
    except UnicodeDecodeError as cause:
        raise CorruptArtifactError(
            f"is no text proto: byte {cause.start} is not UTF-8",
            where=where,
            remedy="Save the file as UTF-8, or give the binary file.",
        ) from cause
    except RecursionError as cause:
        raise CorruptArtifactError(
            f"is a {kind} in text form that is nested too deeply", where=where,
            remedy="Give the binary file instead.",
        ) from cause
    except text_format.ParseError as cause:
        raise CorruptArtifactError(
            f"is no {kind} in text form: {str(cause).splitlines()[0]}",
            where=where,
            remedy="Check the line and column that are named.",
        ) from cause


def _what_happened(data: bytes) -> str:
    if data.count(_REPLACEMENT) > 2:
        return "it looks like it went through a text-mode copy: bytes were replaced by U+FFFD"
    if data.count(b"\r\n") > 2 and data.count(b"\n") == data.count(b"\r\n"):
        return "it looks like it went through a text-mode copy: every line feed got a CR"
    return "its bytes break off or are damaged"

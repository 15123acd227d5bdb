"""Parsing protobuf messages, binary or text, into errors that name the file."""

from __future__ import annotations

from typing import Any

from graphmap.errors import CorruptArtifactError
from graphmap.formats.sniff import damage_hint
from graphmap.schema import message_class

__all__ = ["message_from_bytes", "parse_binary", "parse_text"]


def message_from_bytes(kind: str, data: bytes, where: str) -> Any:
    """Return a message of class `kind` from its bytes; raises CorruptArtifactError."""
    from google.protobuf.message import DecodeError

    message = message_class(kind)()
    try:
        message.ParseFromString(data)
    except (DecodeError, RecursionError) as cause:
        raise CorruptArtifactError(
            f"is no readable {kind} ({damage_hint(data) or 'its bytes break off or are damaged'})",
            where=where,
            remedy="Copy the file again in binary mode; if it stays so, the file is damaged.",
        ) from cause
    return message


def parse_binary(kind: str, data: bytes, where: str) -> tuple[Any, tuple[str, ...]]:
    """As `message_from_bytes`, with the warnings of `parse_text`: there are none."""
    return message_from_bytes(kind, data, where), ()


def parse_text(kind: str, data: bytes, where: str) -> tuple[Any, tuple[str, ...]]:
    """Return a message of class `kind` from text proto, and warnings about skipped fields."""
    from google.protobuf import text_format

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise CorruptArtifactError(
            f"is no text proto: byte {cause.start} is not UTF-8",
            where=where,
            remedy="Save the file as UTF-8, or give the binary file.",
        ) from cause
    try:
        return text_format.Parse(text, message_class(kind)()), ()
    except (text_format.ParseError, RecursionError) as first:
        # fields that this version does not know are skipped, and said
        try:
            message = text_format.Parse(text, message_class(kind)(), allow_unknown_field=True)
        except (text_format.ParseError, RecursionError) as cause:
            raise _text_error(kind, where, cause) from cause
        return message, (f"{where}: fields were skipped ({_first_line(first)})",)


def _text_error(kind: str, where: str, cause: Exception) -> CorruptArtifactError:
    if isinstance(cause, RecursionError):
        return CorruptArtifactError(
            f"is a {kind} in text form that is nested too deeply",
            where=where,
            remedy="Give the binary file instead.",
        )
    return CorruptArtifactError(
        f"is no {kind} in text form: {_first_line(cause)}",
        where=where,
        remedy="Check the line and column that are named.",
    )


def _first_line(cause: Exception) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0].replace("graphmap.schema.", "")

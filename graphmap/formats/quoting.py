"""Names -> the text that JSON has for them, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["quote_each"]


def quote_each(names: Sequence[str], quote: Callable[[str], str]) -> list[str]:
    r"""Return what stands between the quotation marks for each name.

    quote: how JSON writes one text. The names are written as one, whose line feeds become `\n` and
    part them; where one has a line feed itself, or a backslash before an n, each is written alone.

    >>> from json.encoder import encode_basestring
    >>> quote_each(["a", 'b"'], encode_basestring), quote_each(["a\n", "b"], encode_basestring)
    (['a', 'b\\"'], ['a\\n', 'b'])
    """
    rows = quote("\n".join(names))[1:-1].split("\\n")
    return rows if len(rows) == len(names) else [quote(name)[1:-1] for name in names]

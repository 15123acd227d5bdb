"""Names -> the text that JSON has for them, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["quote_each"]

_PLAIN = bytes(code for code in range(32, 127) if chr(code) not in '"\\')  # what JSON leaves as is


def quote_each(names: Sequence[str], quote: Callable[[str], str]) -> Sequence[str]:
    r"""Return what stands between the quotation marks for each name: nearly all stay as they are.

    quote: how JSON writes one text.

    >>> from json.encoder import encode_basestring
    >>> quote_each(["a", "b"], encode_basestring), quote_each(["a\n", 'b"'], encode_basestring)
    (['a', 'b'], ['a\\n', 'b\\"'])
    """
    text = "".join(names)
    if text.isascii() and not text.encode("ascii").translate(None, _PLAIN):
        return names
    return [quote(name)[1:-1] for name in names]

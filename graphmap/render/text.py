"""Text for pictures: widths, cutting, and one escaping function for each sink."""

from __future__ import annotations

import re

from graphmap.model.graph import Dims

__all__ = ["clip", "count_text", "dot_escape", "plain", "shape_text", "text_width", "xml_escape"]

# Advance widths of Helvetica and Arial in 1/1000 em, for U+0020 to U+007E (Adobe core 14 metrics).
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHER = 1000  # em/1000 of any other character: wide enough for CJK
_NARROW = {"·": 278, "×": 584, "…": 1000, "→": 1000}
_BOLD = 1.08  # Helvetica Bold against Helvetica, largest word of a sample
_RESERVE = 1.20  # fallback fonts are wider: DejaVu Sans by 14 % (median)
_MONO = 0.62  # em; DejaVu Sans Mono is 0.602

# What XML 1.0 cannot hold, and what turns the reading direction of a line round.
_UNSAFE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Return the width in px that this text may take, with a reserve for fallback fonts."""
    if mono:
        return sum(_MONO if ord(c) < 0x300 else 1.0 for c in text) * size
    units = 0
    for character in text:
        code = ord(character) - 0x20
        if 0 <= code < len(_WIDTHS):
            units += _WIDTHS[code]
        else:
            units += _NARROW.get(character, _OTHER)
    return units / 1000 * size * _RESERVE * (_BOLD if bold else 1.0)


def clip(text: str, width: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """Return the text, cut in the middle with an ellipsis where it is wider than `width` px."""
    text = plain(text)
    if text_width(text[:400], size, bold=bold, mono=mono) <= width and len(text) <= 400:
        return text
    low, high = 0, min(len(text), 400)
    while low < high:
        keep = (low + high + 1) // 2
        if text_width(_cut(text, keep), size, bold=bold, mono=mono) <= width:
            low = keep
        else:
            high = keep - 1
    return _cut(text, low)


def _cut(text: str, keep: int) -> str:
    head = (keep * 3 + 4) // 5
    tail = keep - head
    return f"{text[:head]}…{text[len(text) - tail :] if tail else ''}"


def plain(text: str) -> str:
    """Return the text with control and direction characters made visible."""
    return _UNSAFE.sub("\ufffd", _HIDDEN.sub("\ufffd", text))


def xml_escape(text: str) -> str:
    """Escape for XML text and double-quoted attributes; never leaves an illegal character.

    >>> xml_escape('a<b>&"c')
    'a&lt;b&gt;&amp;&quot;c'
    """
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def dot_escape(text: str) -> str:
    r"""Return a double-quoted DOT string that shows exactly this text; "\n" breaks the line.

    >>> print(dot_escape('say "a\\b"'))
    "say \"a\\b\""
    """
    lines = (plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'


def shape_text(dims: Dims) -> str:
    """Return a shape as pictures show it.

    >>> shape_text((None, 784)), shape_text(()), shape_text(None)
    ('?×784', 'scalar', '?')
    """
    if dims is None:
        return "?"
    if not dims:
        return "scalar"
    return "×".join("?" if size is None else str(size) for size in dims)


def count_text(number: int) -> str:
    """Return a count with at most four digits.

    >>> count_text(950), count_text(1100), count_text(481_400), count_text(7_300_000)
    ('950', '1.1k', '481.4k', '7.3M')
    """
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= limit:
            return f"{number / limit:.1f}".removesuffix(".0") + unit
    return str(number)

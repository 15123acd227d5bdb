"""How objects show themselves: HTML in a notebook, rich tables in a terminal, plain text elsewhere.

An object tells a Sheet; what becomes of it is decided here once. The HTML is static: no script,
every text escaped, long parts folded into <details>.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["Branch", "Part", "Sheet", "Shown"]

MOST_ROWS = 200  # of one table in a notebook
MOST_PLAIN = 20  # of one table in text
MOST_OPEN = 50  # rows of a table that is not folded at first
MOST_BRANCHES = 1_000  # lines of one tree
DEEPEST = 40  # levels of a tree
_CELL = "font-size:inherit;text-align:left;vertical-align:top;padding:2px 12px 2px 0"
_MUTED = "opacity:.7"

Row = Sequence[str]


class Branch(NamedTuple):
    """A node of a tree that opens."""

    title: str
    note: str = ""
    children: tuple[Branch, ...] = ()


class Part(NamedTuple):
    """A table with a heading, or a tree. rows: texts, as many as columns."""

    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    tree: tuple[Branch, ...] = ()
    is_open: bool = False


class Sheet(NamedTuple):
    """title: what it is, in a few words. facts: (word, value)."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()


class Shown:
    """Gives an object that has `_sheet()` its forms."""

    __slots__ = ()

    def _sheet(self) -> Sheet:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        return "".join(_html(self._sheet()))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal."""
        printer.text("..." if cycle else str(self))

    def __rich__(self) -> Any:
        """What rich prints."""
        return _rich(self._sheet())

    def __str__(self) -> str:
        return "\n".join(_plain(self._sheet()))


def visible(text: str) -> str:
    """Return text whose control and direction characters can be seen.

    >>> visible("a" + chr(0x202e) + "b" + chr(27) + "[2J")
    'a\\\\u202eb\\\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _html(sheet: Sheet) -> Iterator[str]:
    yield f"<div><strong>{_safe(sheet.title)}</strong>"
    if sheet.facts:
        yield "<table>"
        for word, value in sheet.facts:
            yield (
                f'<tr><th style="{_CELL};{_MUTED}">{_safe(word)}</th>'
                f'<td style="{_CELL}">{_safe(value)}</td></tr>'
            )
        yield "</table>"
    for part in sheet.parts:
        is_open = part.is_open and len(part.rows) <= MOST_OPEN
        yield f"<details{' open' if is_open else ''}><summary>{_safe(part.title)}</summary>"
        yield from _html_tree(part.tree) if part.tree else _html_table(part)
        yield "</details>"
    yield "</div>"


def _html_table(part: Part) -> Iterator[str]:
    cells = "".join(f'<th style="{_CELL}">{_safe(word)}</th>' for word in part.columns)
    yield f"<table><thead><tr>{cells}</tr></thead><tbody>"
    for row in part.rows[:MOST_ROWS]:
        cells = "".join(f'<td style="{_CELL}">{_safe(text)}</td>' for text in row)
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"
    if len(part.rows) > MOST_ROWS:
        yield f'<p style="{_MUTED}">and {len(part.rows) - MOST_ROWS:,} more</p>'


def _html_tree(branches: Sequence[Branch]) -> Iterator[str]:
    """Yield nested <details>; an own stack, as names may be thousands of levels deep."""
    left = MOST_BRANCHES
    stack: list[Branch | str] = list(reversed(branches))
    while stack:
        branch = stack.pop()
        if isinstance(branch, str):
            yield branch
            continue
        if left <= 0:
            continue
        left -= 1
        note = f' <span style="{_MUTED}">{_safe(branch.note)}</span>' if branch.note else ""
        if not branch.children:
            yield f'<div style="margin-left:2.2em">{_safe(branch.title)}{note}</div>'
            continue
        yield (f'<details style="margin-left:1em"><summary>{_safe(branch.title)}{note}</summary>')
        stack.append("</details>")
        stack.extend(reversed(branch.children))
    if left <= 0:
        yield f'<p style="{_MUTED}">and more</p>'


def _safe(text: str) -> str:
    import html

    return html.escape(visible(text))


def _rich(sheet: Sheet) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

    items: list[Any] = [Text(visible(sheet.title), style="bold")]
    if sheet.facts:
        facts = Table.grid(padding=(0, 2))
        for word, value in sheet.facts:
            facts.add_row(Text(visible(word), style="dim"), Text(visible(value)))
        items.append(facts)
    for part in sheet.parts:
        if part.tree:
            tree = Tree(Text(visible(part.title), style="bold"))
            for branch in part.tree[:MOST_PLAIN]:
                tree.add(Text(visible(f"{branch.title}  {branch.note}".rstrip())))
            items.append(tree)
            continue
        items.append(Text(visible(part.title), style="bold"))
        table = Table()
        for word in part.columns:
            table.add_column(word, overflow="fold")
        for row in part.rows[:MOST_ROWS]:
            table.add_row(*(Text(visible(text)) for text in row))
        items.append(table)
        if len(part.rows) > MOST_ROWS:
            items.append(Text(f"and {len(part.rows) - MOST_ROWS:,} more", style="dim"))
    return Group(*items)


def _plain(sheet: Sheet) -> Iterator[str]:
    yield visible(sheet.title)
    for word, value in sheet.facts:
        yield f"  {visible(word)}: {visible(value)}"
    for part in sheet.parts:
        yield visible(part.title)
        if part.tree:
            rows: Sequence[Row] = [(branch.title, branch.note) for branch in part.tree]
        else:
            rows = part.rows
        shown = [[visible(text) for text in row] for row in rows[:MOST_PLAIN]]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        for row in shown:
            cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            yield f"  {'  '.join(cells)}".rstrip()
        if len(rows) > MOST_PLAIN:
            yield f"  and {len(rows) - MOST_PLAIN:,} more"

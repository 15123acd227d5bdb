"""A diff as a table for people, as Markdown, and as JSON."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graphmap.cli.console import escape, table
from graphmap.cli.wording import count

if TYPE_CHECKING:
    from graphmap.api.diff import Diff
    from graphmap.comparing.sections import Section

__all__ = ["diff_json", "diff_markdown", "diff_table"]

_ROWS = 200  # rows of one section that people are shown; JSON has all
_WIDTH = 120  # characters of one value
_MARKS = {"dropped": "-", "added": "+", "renamed": ">", "changed": "~"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~])")
_TITLES = {"train_ops": "train ops"}


def diff_json(found: Diff) -> dict[str, Any]:
    """Return graphmap.diff/1."""
    return {
        "schema": "graphmap.diff/1",
        "a": {"path": found.a.path, "kind": found.a.kind, "fingerprint": found.a.fingerprint},
        "b": {"path": found.b.path, "kind": found.b.kind, "fingerprint": found.b.fingerprint},
        "same": found.is_same,
        **{name: _section_json(section) for name, section in found.sections.items()},
        "unread": list(found.unread),
        "warnings": [*found.a.warnings, *found.b.warnings],
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "shared": list(section.shared),
        "renamed": [rename._asdict() for rename in section.renamed],
        "changed": [
            {"a": change.a, "b": change.b,
             "fields": {key: {"a": a, "b": b} for key, (a, b) in change.fields.items()}}
            for change in section.changed
        ],
        "added": list(section.added),
        "dropped": list(section.dropped),
    }  # fmt: skip


def diff_table(found: Diff) -> str:
    """Return the counts of each section, then one row for each difference."""
    parts = [f"{escape(found.a.path)} -> {escape(found.b.path)}: {_verdict(found)}"]
    for name, section in found.sections.items():
        parts.append(f"\n{_TITLES.get(name, name)}: {_counts(section)}")
        rows = [[mark, *map(escape, words)] for mark, *words in _rows(section)]
        if rows:
            parts.append(table(["", "in A", "in B", "what"], rows[:_ROWS]))
        if len(rows) > _ROWS:
            parts.append(f"and {len(rows) - _ROWS:,} more (see --json)")
    return "\n".join(parts)


def diff_markdown(found: Diff, *, folded: bool) -> str:
    """Return Markdown tables; folded puts each section into <details>, as GitHub shows them."""
    parts = [f"**{_md(found.a.path)}** → **{_md(found.b.path)}**: {_verdict(found)}"]
    for name, section in found.sections.items():
        title = f"{_TITLES.get(name, name)}: {_counts(section)}"
        rows = list(_rows(section))
        if not rows:
            parts.append(title)
            continue
        lines = ["| | in A | in B | what |", "|---|---|---|---|"]
        for mark, *words in rows[:_ROWS]:
            lines.append(f"| `{mark}` | " + " | ".join(map(_md, words)) + " |")
        if len(rows) > _ROWS:
            lines.append(f"\nand {len(rows) - _ROWS:,} more")
        body = "\n".join(lines)
        if folded:
            parts.append(f"<details><summary>{title}</summary>\n\n{body}\n\n</details>")
        else:
            parts.append(f"### {title}\n\n{body}")
    return "\n\n".join(parts)


def _verdict(found: Diff) -> str:
    return "the same" if found.is_same else "they differ"


def _counts(section: Section) -> str:
    told = [
        f"{len(names):,} {word}"
        for word, names in zip(section._fields, section, strict=True)
        if names
    ]
    return ", ".join(told) or "none"


def _rows(section: Section) -> Iterator[tuple[str, str, str, str]]:
    for change in section.changed:
        what = "; ".join(
            f"{key} {_value(a)} -> {_value(b)}" if (a, b) != ("differs", "differs")
            else f"{key} differs"
            for key, (a, b) in change.fields.items()
        )  # fmt: skip
        yield _MARKS["changed"], change.a, change.b if change.b != change.a else "", what
    for rename in section.renamed:
        what = "the same content" if rename.basis == "content" else "by its place and name"
        yield _MARKS["renamed"], rename.a, rename.b, what
    for name in section.dropped:
        yield _MARKS["dropped"], name, "", "dropped"
    for name in section.added:
        yield _MARKS["added"], "", name, "added"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join("?" if size is None else str(size) for size in value) + "]"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}... ({count(len(text), 'character')})"


def _md(text: str) -> str:
    r"""Return text that Markdown and HTML show as it is.

    >>> _md("a|b <script>_x_")
    'a\\|b &lt;script&gt;\\_x\\_'
    """
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return html.escape(_MARKDOWN.sub(r"\\\1", plain), quote=False)

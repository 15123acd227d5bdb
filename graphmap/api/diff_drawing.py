"""A difference drawn: both artifacts side by side, with what differs marked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from graphmap.api.diff import Diff
from graphmap.api.picture import Picture, format_of
from graphmap.errors import UsageError

if TYPE_CHECKING:
    from graphmap.comparing.sections import Section
    from graphmap.render import Marks

__all__ = ["draw_diff"]

PAGE = (680.0, 2000.0)  # px of each side: two of them are one page
_LONGEST = 40  # characters of a value that a box repeats
_FORMATS = ("svg", "png", "pdf", "dot", "html")
_WORDS = {"train_ops": "train ops"}


def draw_diff(
    found: Diff, out: str | os.PathLike[str] | None = None, form: str | None = None
) -> Picture:
    """Draw a difference; write it to `out` if given. form: by the suffix of `out`, else svg.

    Raises UsageError for a format that draws no pair.
    """
    from graphmap.files import check_writable

    chosen = form or format_of(out)
    if chosen not in _FORMATS:
        raise UsageError(
            f"a difference is not drawn as {chosen}",
            where=out,
            remedy=f"Use one of {', '.join('.' + word for word in _FORMATS)}.",
        )
    if out is not None:
        check_writable(out)
    title = f"{found.a.path} → {found.b.path}"
    data = _page(found, title) if chosen == "html" else _static(found, title, chosen)
    picture = Picture(data, chosen)
    if out is not None:
        picture.save(out)
    return picture


def _static(found: Diff, title: str, form: str) -> bytes:
    from graphmap.render import Limits, build_picture, render_pair

    pictures = [
        build_picture(
            side.opened.stored, side.variables, side.train_ops,
            limits=Limits(page=PAGE), marks=_marks(found, at),
        )
        for at, side in enumerate((found.a, found.b))
    ]  # fmt: skip
    return render_pair(pictures[0], pictures[1], title, _facts(found), form)


def _page(found: Diff, title: str) -> bytes:
    from graphmap.render.page import write_page
    from graphmap.render.page.diff import diff_payload

    sides = [
        (side.opened.stored, side.variables, side.train_ops, _marks(found, at))
        for at, side in enumerate((found.a, found.b))
    ]
    rows = {name: list(_rows(section)) for name, section in found.sections.items()}
    content = diff_payload(title, _facts(found), sides, rows)
    return write_page(title, content)


def _facts(found: Diff) -> str:
    """Return how much of each kind differs, joined by middle dots."""
    told = []
    for name, section in found.sections.items():
        counts = [f"{len(names):,} {word}" for word, names in section._asdict().items()
                  if names and word != "shared"]  # fmt: skip
        if counts:
            told.append(f"{_WORDS.get(name, name)}: {', '.join(counts)}")
    if found.unread:
        told.append(f"{len(found.unread):,} values could not be compared")
    return " · ".join(told) or "the same"


def _rows(section: Section) -> Iterator[tuple[str, str | None, str | None, str]]:
    """Yield (state, name in A, name in B, what) of every entry that differs."""
    for change in section.changed:
        yield "changed", change.a, change.b, _what(change.fields)
    for rename in section.renamed:
        yield "renamed", rename.a, rename.b, ""
    for name in section.dropped:
        yield "dropped", name, None, ""
    for name in section.added:
        yield "added", None, name, ""


def _marks(found: Diff, side: int) -> Marks:
    from graphmap.render import Mark, Marks

    def told(section: Section) -> dict[str, Mark]:
        marks = {name: Mark("same") for name in section.shared}
        for change in section.changed:
            marks[(change.a, change.b)[side]] = Mark("changed", _what(change.fields, side))
        for rename in section.renamed:
            what = f"now {rename.b}" if side == 0 else f"was {rename.a}"
            marks[(rename.a, rename.b)[side]] = Mark("renamed", what)
        only = section.dropped if side == 0 else section.added
        marks.update((name, Mark("dropped" if side == 0 else "added")) for name in only)
        return marks

    variables = told(found.variables)
    unread = set(found.unread)
    variables = {name: mark for name, mark in variables.items()
                 if mark.kind != "same" or name not in unread}  # fmt: skip
    training = list(told(found.train_ops).values())
    changed = [mark for mark in training if mark.kind != "same"]
    return Marks(told(found.nodes), variables, changed[0] if changed else None)


def _what(fields: Mapping[str, tuple[Any, Any]], side: int | None = None) -> str:
    """Return what differs; for a box of one side only what the other side has there."""
    parts = []
    for key, pair in fields.items():
        one, other = map(_short, pair)
        word = "" if key == "shape" and len(fields) == 1 else f"{key} "
        if pair == ("differs", "differs") or key == "inputs" or not (one and other):
            parts.append(key)
        elif side is None:
            parts.append(f"{key} {one} → {other}")
        else:
            parts.append(f"{word}now {other}" if side == 0 else f"{word}was {one}")
    return ", ".join(parts)


def _short(value: Any) -> str:
    """Return a value as text; "" where it is too long to be told in passing."""
    if isinstance(value, tuple):
        return "×".join("?" if size is None else str(size) for size in value) or "scalar"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return "" if len(text) > _LONGEST or isinstance(value, dict) else text

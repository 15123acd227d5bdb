"""Text in pictures: widths, cutting, escaping."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from graphmap.render.text import clip, count_text, dot_escape, shape_text, text_width, xml_escape

HOSTILE = [
    "<script>alert(1)</script>",
    "a&b\"c'd",
    "]]>",
    "nul\0 bell\a",
    "right\u202eto left",
    "lone \ud800 surrogate",
    "\ufffe\uffff",
    "-->",
    "日本語/畳み込み",
    "💥" * 40,
    "x" * 5000,
    "back\\slash\\N",
    'quote"; node [label=x',
    "line\nbreak",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_text_is_xml_and_stays_text(name: str) -> None:
    escaped = xml_escape(name)
    root = ElementTree.fromstring(f'<a b="{escaped}">{escaped}</a>'.encode())
    assert len(root) == 0
    assert "\u202e" not in (root.text or "")


@pytest.mark.parametrize("name", HOSTILE)
def test_escaped_text_is_one_dot_string(name: str) -> None:
    quoted = dot_escape(name)
    inner = quoted[1:-1].replace("\\\\", "").replace('\\"', "")
    assert quoted[0] == quoted[-1] == '"'
    assert '"' not in inner
    assert "\n" not in inner


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("mono", [False, True])
def test_cut_text_fits(name: str, mono: bool) -> None:
    assert text_width(clip(name, 120, 12, mono=mono), 12, mono=mono) <= 120


def test_short_text_is_not_cut() -> None:
    assert clip("conv1", 120, 12) == "conv1"


def test_cut_text_keeps_both_ends() -> None:
    cut = clip("a_rather_long_scope/with_a_kernel", 120, 12)
    assert cut.startswith("a_ra")
    assert cut.endswith("nel")


def test_wide_characters_count_as_wide() -> None:
    assert text_width("漢字", 10) > text_width("ab", 10) * 1.5


@pytest.mark.parametrize(
    ("dims", "text"),
    [(None, "?"), ((), "scalar"), ((None, 3), "?×3"), ((2, 3, 4), "2×3×4")],
)
def test_shape_text(dims: tuple[int | None, ...] | None, text: str) -> None:
    assert shape_text(dims) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1k"), (1_340_000_000, "1.3G")]
)
def test_count_text(number: int, text: str) -> None:
    assert count_text(number) == text

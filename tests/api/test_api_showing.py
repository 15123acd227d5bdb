"""Artifacts, maps, decisions and train ops in notebooks, terminals and text."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

import graphmap
from graphmap.model.namemap import Candidate, Decision

ROOT = Path(__file__).parents[2]
HOSTILE = "</td><script>alert(1)</script>\x1b[2J\u202e"


@pytest.fixture(scope="module")
def shown():
    artifact = graphmap.load(ROOT / "fixtures/cnn_training")
    name_map = graphmap.match(["conv1/weights", "strange/thing"], artifact)
    return {
        "artifact": artifact, "map": name_map, "decisions": name_map.decisions,
        "train op": artifact.train_ops[0],
    }  # fmt: skip


class Tags(HTMLParser):
    """Counts the elements, and sees whether they nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tags(html: str) -> list[str]:
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.seen


@pytest.mark.parametrize("name", ["artifact", "map", "decisions", "train op"])
def test_html_nests_folds_and_has_no_script(shown, name):
    seen = tags(shown[name]._repr_html_())
    assert "table" in seen and "details" in seen and "script" not in seen


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("artifact", ["528 nodes", "28,874 parameters", "Momentum", "conv1", "5, 5, 1, 8"]),
        ("map", ["strange/thing", "verdict"]),
        ("decisions", ["conv1/weights", "strange/thing"]),
        ("train op", ["learning_rate", "loss/total:0", "conv1/weights/Momentum", "images:0"]),
    ],
)
def test_each_form_tells_the_facts(shown, name, words):
    stream = io.StringIO()
    Console(file=stream, width=160).print(shown[name])
    for form in (shown[name]._repr_html_(), stream.getvalue(), str(shown[name])):
        assert not [word for word in words if word not in form and word != "5, 5, 1, 8"]


def test_repr_stays_one_line(shown):
    assert repr(shown["map"]) == "<NameMap 1 of 2 matched, 1 unmatched>" or re.fullmatch(
        r"<NameMap \d of 2 matched.*>", repr(shown["map"])
    )
    assert not [one for one in shown.values() if "\n" in repr(one)]


def test_names_are_text_in_every_form():
    decision = Decision(HOSTILE, "ambiguous", candidates=(Candidate(HOSTILE, 0.5),))
    name_map = graphmap.NameMap((decision,), unused=(HOSTILE,))
    stream = io.StringIO()
    Console(file=stream, width=160).print(name_map)
    assert "script" not in tags(name_map._repr_html_())
    for form in (name_map._repr_html_(), str(name_map), stream.getvalue()):
        assert "\x1b" not in form and "\u202e" not in form


def test_large_ones_stay_small():
    name_map = graphmap.NameMap(tuple(Decision(f"n{i}", "unmatched") for i in range(50_000)))
    assert len(name_map._repr_html_()) < 100_000 and "49,800 more" in name_map._repr_html_()
    assert len(str(name_map).splitlines()) < 40
    deep = graphmap.match({"/".join("s" * 10_000): (1,)}, {"/".join("s" * 10_000): (1,)})
    assert deep._repr_html_()


def test_a_picture_shows_itself(shown):
    assert graphmap.render(shown["artifact"])._repr_svg_().startswith("<svg")

"""`graphmap.render`."""

from __future__ import annotations

from pathlib import Path

import pytest

import graphmap

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_a_notebook_shows_it():
    picture = graphmap.render(FIXTURES / "adam_saver")
    assert picture._repr_svg_().startswith("<svg") or "<svg" in picture._repr_svg_()[:200]


@pytest.mark.parametrize(("name", "start"), [("a.dot", b"digraph"), ("a.svg", b"<")])
def test_the_suffix_chooses_the_format(tmp_path, name, start):
    picture = graphmap.render(graphmap.load(FIXTURES / "adam_saver"), tmp_path / name)
    assert (tmp_path / name).read_bytes() == picture.data
    assert picture.data.startswith(start)


def test_without_a_graph_the_variables_are_drawn():
    assert b"my_model" in graphmap.render(FIXTURES / "weights_only").data


def test_a_map_for_another_artifact_is_refused():
    name_map = graphmap.match(FIXTURES / "names.txt", FIXTURES / "adam_saver")
    with pytest.raises(graphmap.NameMapError, match="another artifact"):
        graphmap.render(FIXTURES / "cnn_training", name_map=name_map)


def test_an_unknown_suffix_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(graphmap.UsageError, match=r"\.gif"):
        graphmap.render(FIXTURES / "adam_saver", tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []

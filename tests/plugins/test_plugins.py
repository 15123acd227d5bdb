"""Readers and renderers of other packages, with the example of the docs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import graphmap

EXAMPLE = Path(__file__).parents[2] / "docs/plugin_example"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The example as an installed package: its module and the metadata that pip would write."""
    info = tmp_path / "site/graphmap_npz-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: graphmap-npz\nVersion: 1.0\n")
    text = (EXAMPLE / "pyproject.toml").read_text().partition("[project.entry-points.")[2]
    lines = f"[project.entry-points.{text}".replace("project.entry-points.", "").replace('"', "")
    (info / "entry_points.txt").write_text(lines)
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    yield info
    sys.modules.pop("graphmap_npz", None)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, **{"a/w": np.arange(6.0).reshape(2, 3), "a/b/v": np.ones(2)})
    return path


def test_a_reader_and_a_renderer(installed, weights, tmp_path):
    artifact = graphmap.load(weights)
    assert artifact.kind == "npz"
    assert [(v.name, v.shape, v.dtype) for v in artifact.variables] == [
        ("a/b/v", (2,), "float64"),
        ("a/w", (2, 3), "float64"),
    ]
    assert artifact.read("a/w").tolist() == [[0, 1, 2], [3, 4, 5]]
    graphmap.render(artifact, tmp_path / "m.mmd")
    assert (tmp_path / "m.mmd").read_text().splitlines()[-1] == "  n0 --> n1"


def test_damage_is_one_error(installed, weights):
    weights.write_bytes(weights.read_bytes()[:-30])
    with pytest.raises(graphmap.CorruptArtifactError):
        graphmap.load(weights)


def test_without_it_both_are_told(weights, tmp_path):
    with pytest.raises(graphmap.UnknownFormatError):
        graphmap.load(weights)
    (tmp_path / "n.txt").write_text("a [1]\n")
    with pytest.raises(graphmap.UsageError, match="no picture format"):
        graphmap.render(tmp_path / "n.txt", tmp_path / "m.mmd")


def test_one_that_cannot_be_imported_is_told(installed, weights):
    (installed / "entry_points.txt").write_text("[graphmap.readers]\nnpz = gone_module:READER\n")
    with pytest.raises(graphmap.GraphmapError, match="of graphmap-npz cannot be imported"):
        graphmap.load(weights)


def test_two_that_say_yes_are_told(installed, weights):
    (installed / "entry_points.txt").write_text(
        "[graphmap.readers]\nnpz = graphmap_npz:READER\nother = graphmap_npz:READER\n"
    )
    with pytest.raises(graphmap.UnknownFormatError, match="2 plug-ins: npz, other"):
        graphmap.load(weights)


def test_a_listing_loads_no_plugins(tmp_path):
    (tmp_path / "n.txt").write_text("a [1]\n")
    code = (
        "import sys, graphmap; graphmap.load(sys.argv[1]).variables; "
        "assert 'importlib.metadata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-S", "-c", code, str(tmp_path / "n.txt")], check=True,
                   env={"PYTHONPATH": str(Path(graphmap.__file__).parents[1])})  # fmt: skip

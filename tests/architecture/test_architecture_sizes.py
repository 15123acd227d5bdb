"""File sizes, the public names, the fixtures' manifest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import graphmap

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
FOLDERS = ("graphmap", "scripts", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_stay_short(folder):
    sizes = {p: p.read_text().count("\n") for p in (ROOT / folder).rglob("*.py")}
    assert {str(p): n for p, n in sizes.items() if n > MAX_LINES} == {}


def test_all_is_exact():
    assert sorted(graphmap.__all__) == graphmap.__all__
    assert dir(graphmap) == graphmap.__all__
    for name in graphmap.__all__:
        assert getattr(graphmap, name) is not None
    with pytest.raises(AttributeError):
        graphmap.nothing_of_this_name  # noqa: B018


def test_render_stays_the_function_when_its_floor_is_imported():
    from graphmap.render import render_artifact

    assert callable(graphmap.render) and graphmap.render is not render_artifact
    assert graphmap.render.__module__ == "graphmap.api.picture"


def test_every_error_class_is_public():
    from graphmap import errors

    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.GraphmapError)
    }
    assert classes <= set(graphmap.__all__)


def test_every_public_name_stands_in_readme_or_is_an_error():
    readme = (ROOT / "README.md").read_text()
    functions = [name for name in graphmap.__all__ if not name.endswith("Error")]
    assert [name for name in functions if name not in readme and name != "__version__"] == []


def test_manifest_tells_every_fixture():
    folder = ROOT / "fixtures"
    files = json.loads((folder / "MANIFEST.json").read_text())["files"]
    tops = {name.partition("/")[0] for name in files}  # others' fixtures have their own scripts
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name.partition("/")[0] in tops:
            data = path.read_bytes()
            found[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert found == files
    assert all(entry["bytes"] < 100_000 for entry in files.values())

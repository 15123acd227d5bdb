"""The committed page is what its sources give, asks for nothing, and stays small."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from page_graphs import HOSTILE, hostile_graph, large_graph, variables_of

from graphmap.render.page import write_graph_page

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "scripts/page"
ASSET = ROOT / "graphmap/render/page/page.html"


def test_the_asset_was_built_from_these_sources():
    digest = hashlib.sha256()
    names = ["build.mjs", "package-lock.json", "package.json", "template.html", "tsconfig.json"]
    names += [f"src/{path.name}" for path in sorted((SOURCES / "src").iterdir())]
    for name in names:
        digest.update(f"{name}\n{(SOURCES / name).read_text(encoding='utf-8')}\n".encode())
    text = ASSET.read_text(encoding="utf-8")
    assert f"built from: {digest.hexdigest()}" in text, "run scripts/build_page"


def test_building_again_gives_the_same_bytes(tmp_path):
    node = shutil.which("node")
    if node is None or not (SOURCES / "node_modules/esbuild").exists():
        pytest.skip("Node.js or scripts/page/node_modules is absent: npm ci --prefix scripts/page")
    out = tmp_path / "page.html"
    subprocess.run([node, "build.mjs", str(out)], cwd=SOURCES, check=True, capture_output=True)
    assert out.read_bytes() == ASSET.read_bytes()


def test_the_lock_file_names_no_registry():
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"]
    assert not [one for one in lock["packages"].values() if "resolved" in one]
    assert all("integrity" in one for name, one in lock["packages"].items() if name)


def test_the_policy_allows_only_the_page_itself():
    text = ASSET.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", rules["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/=]+'", rules["style-src"])
    assert not re.search(r'(src|href)="(?!data:,")', text)
    assert text.count("<script") == 2 and " style=" not in text.partition("<script id")[0]


def test_no_name_is_markup_and_the_same_graph_gives_the_same_bytes():
    page = write_graph_page(hostile_graph(), (), ())
    assert page == write_graph_page(hostile_graph(), (), ())
    text = page.decode()
    assert text.count("<script") == text.count("</script>") == 2
    assert not [name for name in HOSTILE if "<" in name and name in text]


def test_a_large_graph_gives_a_small_page():
    stored = large_graph(20_000, blocks=40, layers=10)
    assert len(write_graph_page(stored, variables_of(stored), ())) < 1_000_000

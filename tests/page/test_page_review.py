"""The review page, driven in a browser: rows are decided, the new map is what graphmap takes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from page_graphs import HOSTILE

import graphmap
from graphmap.api.reviewing import review
from graphmap.matching.propagation import spread_pins
from graphmap.model.namemap import Candidate, Decision
from graphmap.model.variable import Variable

ROOT = Path(__file__).parents[2]
BLOCKS = 6
DOWN, ENTER, ESCAPE = "\ue015", "\ue007", "\ue00c"


def listing(lines: list[str], path: Path) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def layers(template: str, words: str, first: int = 0) -> list[str]:
    return [
        line
        for block in range(first, first + BLOCKS)
        for word in words
        for line in (template.format(block, word, "kernel") + " [64,64] float32",
                     template.format(block, word, "bias") + " [64] float32")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three equal kernels in each of six layers: no name tells which is which."""
    folder = tmp_path_factory.mktemp("review")
    expected = ["tower/table [1000,64] float32", *layers("enc/block_{}/att/{}/{}", "qkv"),
                "head/kernel [64,10] float32", "strange [7,7]"]  # fmt: skip
    actual = [
        "model/word_embeddings [1000,64] float32",
        *layers("model/layer_{}/x/{}/{}", "abc", 1),
    ]
    listing(expected, folder / "expected.txt")
    listing([*actual, "other/kernel [64,10] float32"], folder / "actual.txt")
    return folder


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graphmap", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def page(folder) -> Path:
    sides = (folder / "actual.txt", "--expected", folder / "expected.txt")
    assert run("match", *sides, "-o", folder / "map.json").returncode == 1
    done = run("review", folder / "map.json", "-o", folder / "map.html")
    assert (done.returncode, "uncertain rows first" in done.stderr) == (0, True), done.stderr
    return folder / "map.html"


def fresh(browser, page: Path, fragment: str = "") -> None:
    browser.open(page, fragment)
    browser.js("localStorage.clear()")
    browser.open(page, fragment)


def row(browser) -> str:
    return browser.text("main h2")


def decided(browser, count: int) -> None:
    browser.until(
        f"return document.querySelector('.tabs').innerText.includes('Decided here {count}')"
    )


def test_uncertain_rows_come_first_and_one_choice_settles_the_other_layers(browser, page):
    fresh(browser, page)
    assert row(browser) == "enc/block_0/att/q/kernel"
    assert "Accepting settles 11 more rows" in browser.text("main")
    browser.keys("2")
    decided(browser, 1)
    assert "→ model/layer_1/x/b/kernel" in browser.text(".verdict")
    assert "11 follow" in browser.text(".factline")
    browser.keys("n")
    browser.until("return document.querySelector('main h2').innerText.includes('att/k/kernel')")
    assert "now given to enc/block_0/att/q/kernel" in browser.text(".candidates")
    browser.keys("u", "k", "k", "u")
    decided(browser, 0)


def test_three_rows_by_keyboard_then_match_and_rename_take_the_file(browser, page, folder):
    fresh(browser, page)
    browser.keys("2")  # changed: the second candidate
    browser.keys("n", "c", *"layer_1 c/kernel", ENTER)  # changed: found by name
    decided(browser, 2)
    browser.keys("n", "a")  # accepted
    decided(browser, 3)
    browser.keys("/", *"strange", ENTER)
    browser.keys(DOWN, "r")
    browser.keys("/", *[chr(0xE003)] * 7, *"head/kernel", ENTER)
    browser.keys("j", "r")
    decided(browser, 5)
    browser.keys("s")
    path = browser.downloaded("actual.txt.reviewed.json")

    found = graphmap.NameMap.load(path)
    pins = {
        "enc/block_0/att/q/kernel": "model/layer_1/x/b/kernel",
        "enc/block_0/att/k/kernel": "model/layer_1/x/c/kernel",
        "enc/block_0/att/v/kernel": "model/layer_1/x/a/kernel",
    }
    alone = graphmap.match(folder / "expected.txt", folder / "actual.txt", pins=pins)
    assert len(found.matched) == 36 and found["enc/block_5/att/k/bias"] == "model/layer_6/x/c/bias"
    for name in found:  # the page says what a pin says
        assert found.decision(name).actual == alone.decision(name).actual, name
        assert found.decision(name).layout == alone.decision(name).layout
    assert found.decision("head/kernel").status == "unmatched"
    assert list(found.unused) == ["model/word_embeddings", "other/kernel"]
    assert {d.evidence[0].why for d in found.matched if d.evidence[0].kind == "pin"} >= {
        "accepted in review",
        "as enc/block_0/att/q/kernel is pinned to model/layer_1/x/b/kernel",
    }

    sides = (folder / "actual.txt", "--expected", folder / "expected.txt")
    again = run("match", *sides, "--map", path, "-o", folder / "final.json")
    assert again.returncode == 1, again.stderr
    final = graphmap.NameMap.load(folder / "final.json")
    assert dict(final) == dict(found)  # what was rejected does not come back
    done = run("rename", folder / "actual.txt", "--map", path, "-o", folder / "new", "--dry-run")
    assert "is a listing" in done.stderr or done.returncode in (0, 1), done.stderr


def test_rename_takes_what_was_reviewed(browser, tmp_path):
    artifact = graphmap.load(ROOT / "fixtures/adam_saver")
    weights = [v for v in artifact.variables if v.role == "weight"]
    asked = {f"fresh_{at}/thing": v.shape for at, v in enumerate(weights)}
    name_map = graphmap.match(asked, artifact, min_confidence=1.0)
    page = tmp_path / "page.html"
    review(name_map, artifact, out=page)
    fresh(browser, page)
    for at, variable in enumerate(weights):
        browser.js(f"location.hash = 'row={at + 1}'")
        browser.until(
            "return document.querySelector('main h2').innerText === arguments[0]",
            f"fresh_{at}/thing",
        )
        browser.keys("c", *variable.name, ENTER)
        decided(browser, at + 1)
    browser.keys("s")
    path = browser.downloaded("adam_saver.reviewed.json")
    out = tmp_path / "new" / "model.ckpt"
    report = graphmap.rename(ROOT / "fixtures/adam_saver", graphmap.NameMap.load(path), out)
    assert report is not None
    renamed = graphmap.load(tmp_path / "new")
    for at, variable in enumerate(weights):
        assert (renamed.read(f"fresh_{at}/thing") == artifact.read(variable.name)).all()


def test_progress_is_kept_and_undone(browser, page):
    fresh(browser, page)
    browser.keys("a", "r")
    decided(browser, 2)
    browser.open(page, "row=2")
    decided(browser, 2)
    assert browser.text(".verdict").startswith(("accepted", "follows"))
    browser.click(".tabs button", "Decided here")
    assert browser.js("return document.querySelectorAll('.line').length") == 2


def random_sides(seed: int) -> tuple[list[Variable], list[Variable], list[dict[str, str]]]:
    """Layers of both sides, some with a hole, some with other shapes; and sets of pins."""
    dice = random.Random(seed)
    leaves = ["kernel", "bias", "gamma", "w", "thing"]

    def side(words: list[str], first: int) -> list[Variable]:
        made: dict[str, Variable] = {}
        for word in words:
            form = dice.choice(["{}_{}/x{}/{}", "{}/{}/{}/{}"])
            for leaf in dice.sample(leaves, 3):
                shape = dice.choice([(4, 4), (4, 4), (4, 8), (8, 4), (None, 4), None])
                for block in range(first, first + dice.choice([3, 3, 3, 4])):
                    name = form.format(word, block, 1, leaf)
                    made[name] = Variable(name, shape if dice.random() < 0.98 else (9, 9))
        return [made[name] for name in sorted(made)]

    expected = side(["enc", "dec", "head"], 0)
    actual = side(["net", "out", "top"], dice.choice([0, 1]))
    names = [v.name for v in expected], [v.name for v in actual]
    pins = [
        dict(zip(dice.sample(names[0], count), dice.sample(names[1], count), strict=True))
        for count in (1, 1, 1, 2, 2, 3, 4, 5)
        for _ in range(4)
    ]
    return expected, actual, pins


def test_the_page_spreads_pins_as_the_matcher_does(browser, page_of):
    spread = 0
    for seed in range(6):
        expected, actual, many = random_sides(seed)
        shaped = {v.name: v.shape for v in actual}
        rows = tuple(Decision(v.name, "unmatched", v.shape) for v in expected)
        page = page_of("rule.html", review(graphmap.NameMap(rows), as_listing(shaped)))
        browser.open(page)
        found = browser.js(
            "const m = window.graphmap, d = m.data; return arguments[0].map((pins) =>"
            " [...m.spreader.spread(new Map(Object.entries(pins).map(([e, a]) =>"
            " [d.expected.index.get(e), d.actual.index.get(a)])))].map(([e, [a, s]]) =>"
            " [d.expected.names[e], d.actual.names[a], d.expected.names[s]]))",
            many,
        )
        for pins, told in zip(many, found, strict=True):
            ordered = {v.name: pins[v.name] for v in expected if v.name in pins}
            assert {e: (a, s) for e, a, s in told} == spread_pins(ordered, expected, actual)
            spread += len(told)
    assert spread > 100, spread


def as_listing(shaped):
    from graphmap.api.names import as_names

    return as_names(shaped)


def test_a_moved_artifact_is_told_and_can_be_given(browser, folder, page, tmp_path):
    content = json.loads((folder / "map.json").read_text())
    content["artifact"]["path"] = "gone/away"
    (tmp_path / "map.json").write_text(json.dumps(content))
    done = run("review", tmp_path / "map.json", "-o", tmp_path / "page.html")
    assert done.returncode == 0 and "gone/away cannot be read" in done.stderr
    fresh(browser, tmp_path / "page.html")
    assert "settles its own row only" in browser.text("main .note")
    browser.keys("a")
    decided(browser, 1)
    given = ("--artifact", folder / "actual.txt")
    done = run("review", tmp_path / "map.json", "-o", tmp_path / "page.html", *given)
    assert (done.returncode, done.stderr.count("warning")) == (0, 0)
    wrong = ("--artifact", folder / "expected.txt")
    done = run("review", tmp_path / "map.json", "-o", tmp_path / "other.html", *wrong)
    assert done.returncode == 2 and "another artifact" in done.stderr
    assert not (tmp_path / "other.html").exists()


def test_match_writes_the_page_too(browser, folder):
    done = run("match", folder / "actual.txt", "--expected", folder / "expected.txt",
               "-o", folder / "direct.html")  # fmt: skip
    assert done.returncode == 1, done.stderr
    fresh(browser, folder / "direct.html")
    assert row(browser) == "enc/block_0/att/q/kernel"


def test_neighbourhoods_and_evidence_of_two_graphs(browser, page_of):
    artifact = graphmap.load(ROOT / "fixtures/cnn_training")
    name_map = graphmap.match(artifact, artifact, min_confidence=1.0)
    browser.open(page_of("graphs.html", review(name_map, artifact, artifact)), "row=2")
    text = browser.text(".both")
    assert text.count("Conv2D") == 2 and text.count("conv1/weights") == 2
    assert len(browser.js("return [...document.querySelectorAll('.waterfall rect')]")) >= 3


def test_many_rows_keep_few_in_the_page(browser, page_of):
    rows = tuple(
        Decision(f"net/layer_{at}/kernel", "ambiguous", (4, 4),
                 candidates=(Candidate(f"model/block_{at}/w", 0.4),))
        for at in range(20_000)
    )  # fmt: skip
    stored = as_listing({f"model/block_{at}/w": (4, 4) for at in range(20_000)})
    data = review(graphmap.NameMap(rows), stored)
    assert len(data) < 1_000_000
    path = page_of("many.html", data)
    fresh(browser, path)
    browser.keys("\ue010")  # End
    browser.until("return document.querySelector('main h2').innerText.includes('layer_19999')")
    assert browser.js("return document.querySelectorAll('.line').length") < 60
    browser.keys("a")
    browser.until("return document.querySelector('.factline').innerText.includes('20,000 of')")
    browser.js("localStorage.clear()")


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_review_has_no_serious_finding_of_accessibility(browser, page, axe, size, theme):
    browser.size(size)
    media = [{"name": "prefers-color-scheme", "value": theme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    fresh(browser, page)
    browser.keys("a", "c", *"layer")
    found = browser.driver.execute_async_script(
        f"{axe};const done = arguments[0]; axe.run().then(r => done(r.violations.map("
        "v => [v.impact, v.id, v.nodes.length, v.nodes[0].html])))"
    )
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert [one for one in found if one[0] in ("serious", "critical")] == []
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")


def test_a_narrow_screen_reviews_row_by_row(browser, page):
    browser.size("narrow")
    fresh(browser, page)
    browser.click(".line", "att/q/kernel")
    browser.click(".candidate", "layer_1/x/c/kernel")
    browser.click(".sheets button", "Accept")
    browser.click(".sheets button", "Rows")
    decided(browser, 1)


def test_hostile_names_are_text_and_come_back_unchanged(browser, page_of):
    names = [name for name in HOSTILE if "\x00" not in name]
    rows = tuple(
        Decision(f"{name} asked", "ambiguous", None, candidates=(Candidate(name, 0.5),))
        for name in names
    )
    stored = as_listing(dict.fromkeys(names))
    data = review(graphmap.NameMap(rows), stored)
    assert not [name for name in names if "<" in name and name in data.decode()]
    fresh(browser, page_of("hostile_review.html", data))
    for _ in names:
        browser.keys("a")
    decided(browser, len(names))
    browser.keys("s")
    found = graphmap.NameMap.load(browser.downloaded("a_map.reviewed.json"))
    assert dict(found) == {f"{name} asked": name for name in names}
    assert browser.js("return window.hurt") is None

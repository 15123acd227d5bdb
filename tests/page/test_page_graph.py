"""The interactive page, driven in a browser: what a person does with it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from page_graphs import HOSTILE, hostile_graph, large_graph, variables_of

import graphmap
from graphmap.render.page import write_graph_page

ROOT = Path(__file__).parents[2]
OPEN = "#graph .toggle"


@pytest.fixture(scope="module")
def cnn(page_of) -> Path:
    artifact = graphmap.load(ROOT / "fixtures/cnn_training")
    return page_of("cnn.html", graphmap.render(artifact, format="html").data)


@pytest.fixture(scope="module")
def large(page_of) -> Path:
    stored = large_graph(20_000, blocks=40, layers=10)
    return page_of("large.html", write_graph_page(stored, variables_of(stored), ()))


def toggle(browser, title: str) -> None:
    """Open or close the group of this title by its button."""
    browser.js(
        "const row = [...document.querySelectorAll('#graph .row, #graph .framehead')].find("
        "e => e.querySelector('.title').textContent === arguments[0]);"
        "row.querySelector('.toggle').dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        title,
    )


def place(browser, title: str) -> list[float]:
    return browser.js(
        "const e = [...document.querySelectorAll('#graph .title')].find("
        "e => e.textContent === arguments[0]).closest('.row, .framehead').getBoundingClientRect();"
        "return [e.x, e.y]",
        title,
    )


def test_opens_on_the_scopes_of_the_static_picture(browser, cnn):
    browser.open(cnn)
    assert {"images", "conv1", "loss", "gradients", "Momentum optimizer"} <= set(browser.titles())
    assert browser.text("h1") == "fixtures/cnn_training"


def test_a_group_opens_closes_and_stays_where_it_was(browser, cnn):
    browser.open(cnn)
    before = browser.titles()
    at = place(browser, "conv2")
    toggle(browser, "conv2")
    browser.until("return document.querySelectorAll('.frame').length === 2")
    assert "Conv2D → +bias → Relu → MaxPool" in browser.titles()
    moved = place(browser, "conv2")
    assert abs(moved[0] - at[0]) < 30 and abs(moved[1] - at[1]) < 30
    toggle(browser, "conv2")
    browser.until("return document.querySelectorAll('.frame').length === 1")
    assert sorted(browser.titles()) == sorted(before)


def test_search_by_keyboard_leads_to_a_node_and_its_details(browser, cnn):
    browser.open(cnn)
    browser.keys("/", *"fc1 matmul")
    browser.until("return document.querySelectorAll('#hits li').length > 0")
    browser.keys("\ue007")  # Enter
    details = browser.until(
        "return document.querySelector('.right h2').innerText === 'fc1/MatMul' && "
        "document.querySelector('.right').innerText"
    )
    assert any("MatMul" in title for title in browser.titles())
    for fact in ("?×32", "float32", "fc1/weights", "Producers", "Consumers", "Attributes"):
        assert fact in details


def test_details_of_a_variable_tell_key_role_and_slots(browser, cnn):
    browser.open(cnn, "sel=v:conv1/weights")
    details = browser.text(".right")
    for fact in ("Checkpoint key", "5×5×1×8", "weight", "conv1/weights/Momentum"):
        assert fact in details


def test_trace_counts_what_is_above_and_below(browser, cnn):
    browser.open(cnn, "sel=n:logits/MatMul")
    browser.keys("t")
    text = browser.until(
        "const e = document.querySelector('.tracebox'); return e.innerText.includes('reaches') "
        "&& e.innerText"
    )
    assert "images" in text and "labels" not in text and "loss/total" in text
    assert browser.js("return document.querySelectorAll('.card.up').length") == 1
    assert browser.js("return document.querySelectorAll('.card.dim').length") >= 3


def test_the_address_leads_back_to_what_is_seen(browser, cnn):
    browser.open(cnn)
    toggle(browser, "conv2")
    browser.keys("/", *"dropout/selectv2", "\ue007")
    browser.until("return location.hash.includes('sel=')")
    browser.keys("t")
    address = browser.until("return location.hash.includes('trace') && location.hash.slice(1)")
    seen = sorted(browser.titles()), browser.text(".right")
    browser.open(cnn, address)
    assert (sorted(browser.titles()), browser.text(".right")) == seen


def test_everything_works_by_keyboard_alone(browser, cnn):
    browser.open(cnn)
    browser.keys("g")
    browser.until("return document.activeElement.closest('#graph') !== null")
    browser.keys("\ue010", "\ue011", "\ue015")  # End, Home, down
    label = browser.js("return document.activeElement.textContent.replace(/ +/g, ' ').trim()")
    assert label == "conv1 ?×14×14×8 4 ops: Conv2D 5×5×1×8 + 8"
    browser.keys("\ue007")
    browser.until("return location.hash.includes('open=conv1')")
    assert "conv1" in browser.text(".right h2")
    browser.until("return document.activeElement.getAttribute('aria-expanded') === 'true'")
    browser.keys("\ue007")
    browser.until("return !location.hash.includes('open=conv1')")
    browser.keys("?")
    browser.until("return document.querySelector('dialog[open]') !== null")
    browser.keys("\ue00c")  # Escape
    browser.until("return document.querySelector('dialog[open]') === null")


def test_breadcrumb_leads_into_a_group_and_back(browser, cnn):
    browser.open(cnn, "sel=g:loss")
    browser.click(".right button", "Show only this")
    browser.until("return document.querySelector('.crumbs').innerText.includes('loss')")
    assert "images" not in browser.titles()
    browser.click(".crumbs button", "Model")
    browser.until("return document.querySelectorAll('.frame').length === 1")
    assert "images" in browser.titles()


def test_training_lists_slots_and_not_drawn_adds_up(browser, cnn):
    browser.open(cnn)
    browser.click(".tabs button", "Training")
    text = browser.until("const e = document.querySelector('.training'); return e && e.innerText")
    for fact in ("Momentum", "learning_rate", "conv1/weights", "loss"):
        assert fact in text
    browser.click(".tabs button", "Not drawn")
    counts = browser.until(
        "const all = [...document.querySelectorAll('.scroll .section .count')];"
        "return all.length && all.map(e => Number(e.textContent.replaceAll(',', '')))"
    )
    drawn = 528 - sum(counts)
    assert 0 < drawn < 60


def test_any_node_can_be_seen_with_its_neighbours(browser, cnn):
    browser.open(cnn)
    browser.keys("/", *"applymomentum", "\ue007")
    browser.click(".right button", "Neighbourhood")
    browser.until("return document.querySelector('.crumbs').innerText.includes('around')")
    assert len(browser.titles()) >= 4


def test_exports_what_is_seen_as_svg_and_png(browser, cnn):
    browser.open(cnn)
    toggle(browser, "conv1")
    browser.click(".tools button", "SVG")
    text = browser.downloaded("fixtures_cnn_training.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    words = [
        "".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert "Conv2D → +bias → Relu → MaxPool" in words and "images" in words
    assert "var(" not in text and "class=" not in text
    browser.click(".tools button", "PNG")
    assert browser.downloaded("fixtures_cnn_training.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("fragment", ["sel=g:loss&trace=1", "sel=v:conv1/weights&panel=training"])
def test_no_serious_finding_of_accessibility(browser, cnn, axe, size, fragment):
    browser.size(size)
    browser.open(cnn, fragment)
    found = browser.driver.execute_async_script(
        f"{axe};const done = arguments[0]; axe.run().then(r => done(r.violations.map("
        "v => [v.impact, v.id, v.nodes.length, v.nodes[0].html])))"
    )
    assert [one for one in found if one[0] in ("serious", "critical")] == []


def test_a_narrow_screen_shows_graph_outline_and_details(browser, cnn):
    browser.size("narrow")
    browser.open(cnn)
    assert browser.js("return document.documentElement.scrollWidth <= 390")
    browser.click(".sheets button", "Outline")
    browser.click(".tree li", "conv2")
    browser.click(".sheets button", "Details")
    assert "conv2" in browser.text(".right h2")
    browser.js("document.querySelector('.right .close').click()")
    browser.until("return getComputedStyle(document.querySelector('.right')).display === 'none'")


def test_hostile_names_are_text(browser, page_of):
    stored = hostile_graph()
    path = page_of("hostile.html", write_graph_page(stored, (), ()))
    browser.open(path, "view=all")
    for name in HOSTILE:
        browser.keys("/", *name[:12].split("\x00")[0].split("\u202e")[0])
        browser.until("return document.querySelector('.hits [role=status]') !== null")
        browser.keys("\ue00c")
    browser.open(path, f"sel=n:{stored.graph.nodes[3].name}".replace("%", "%25"))
    assert browser.js("return window.hurt") is None
    assert browser.js("return document.querySelectorAll('#app script, #app img').length") == 0


def test_a_large_graph_lays_out_only_what_is_opened(browser, large):
    browser.open(large)
    assert browser.js("return document.querySelectorAll('#graph .row').length") < 150
    browser.keys("/", *"block_30/layer_7/act_3/", "\ue007")
    browser.until("return location.hash.includes('sel=')")
    assert any("block_30" in title for title in browser.titles())
    assert browser.js("return document.querySelectorAll('#graph .row').length") < 400


def test_without_a_graph_the_variables_are_a_tree(browser, page_of):
    artifact = graphmap.load(ROOT / "fixtures/weights_only")
    browser.open(page_of("weights.html", graphmap.render(artifact, format="html").data))
    assert (
        len(browser.titles())
        == len([v for v in artifact.variables if v.role in ("weight", "other")])
        or browser.js("return document.querySelectorAll('#graph .row').length") > 0
    )

"""The page of a difference, driven in a browser: both panes show what is chosen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import graphmap
from graphmap.api.diff_drawing import draw_diff

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
from test_api_diff_drawing import net

PANES = ("#graph-0", "#graph-1")


@pytest.fixture(scope="module")
def page(page_of) -> Path:
    found = graphmap.diff(net("old", "head", 4), net("new", "top", 6, dropout=True))
    return page_of("diff.html", draw_diff(found, form="html").data)


def chosen(browser, pane: str) -> list[str]:
    return browser.js(
        "return [...document.querySelectorAll(`${arguments[0]} .row.chosen .title`)]"
        ".map(e => e.textContent)",
        pane,
    )


def test_a_chosen_difference_is_shown_on_the_sides_that_have_it(browser, page):
    browser.open(page)
    assert "train ops" not in browser.text(".factline")
    browser.keys("/", *"noise")
    browser.click(".difference", "noise/Tanh")
    browser.until(f"return document.querySelector('{PANES[1]} .row.chosen') !== null")
    assert chosen(browser, PANES[0]) == []


def test_panes_select_open_and_move_together(browser, page):
    browser.open(page)
    browser.click(f"{PANES[0]} .row [role=button]", "layer_0")
    browser.until(f"return document.querySelector('{PANES[1]} .row.chosen') !== null")
    moved = (
        "return [...document.querySelectorAll('.graph > g')].map(e => e.getAttribute('transform'))"
    )
    before = browser.js(moved)
    browser.keys("+")
    after = browser.js(moved)
    assert all(one != other for one, other in zip(before, after, strict=True))
    browser.keys("l")
    assert browser.js("return document.querySelector('.tools button').ariaPressed") == "false"


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_diff_has_no_serious_finding_of_accessibility(browser, page, axe, size):
    browser.size(size)
    browser.open(page)
    found = browser.driver.execute_async_script(
        f"{axe};const done = arguments[0]; axe.run().then(r => done(r.violations.map("
        "v => [v.impact, v.id, v.nodes.length, v.nodes[0].html])))"
    )
    assert [one for one in found if one[0] in ("serious", "critical")] == []
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")

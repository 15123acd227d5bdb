"""The page of an inventory, driven in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmap.scanning.items import Item
from graphmap.scanning.row import died
from graphmap.scanning.writers import write_inventory

HOSTILE = "zoo/<img src=x onerror=alert(1)></script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    rows = []
    for number in range(1000):
        row = died(Item(f"zoo/m{number:04}", ("f",), 10, ""))
        row["status"], row["kind"], row["error"] = "ok", "checkpoint", None
        row["architecture"], row["variables"] = f"{number % 7:016x}", number
        rows.append(row)
    rows += [died(Item(HOSTILE, ("f",), 10, ""))]
    path = tmp_path_factory.mktemp("inventory") / "i.html"
    write_inventory(rows, path, ".html")
    return path


def _told(browser) -> str:
    return browser.text("#told")


def test_words_and_choices_filter(browser, page):
    browser.open(page)
    assert _told(browser).startswith("1,001 of 1,001 artifacts")
    browser.js("words.value = 'm00 checkpoint'; form.oninput()")
    assert _told(browser).startswith("100 of")
    browser.js("words.value = ''; same.selectedIndex = 1; form.oninput()")
    assert _told(browser).startswith("143 of")


def test_names_are_no_markup_and_a_row_opens(browser, page):
    browser.open(page)
    browser.js("document.getElementById('status').value = 'damaged'; form.oninput()")
    assert browser.js("return document.querySelectorAll('img').length") == 0
    browser.click("td.path button", HOSTILE)
    assert "the process that read it died" in browser.text("dl")


def test_sorting_and_more(browser, page):
    browser.open(page)
    browser.click("th button", "variables")
    browser.click("th button", "variables")
    assert "zoo/m0999" in browser.text("#body tr")
    browser.click("#more")
    assert browser.js("return document.querySelectorAll('#body tr').length") == 600


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_it_fits_and_is_accessible(browser, page, axe, size):
    browser.size(size)
    browser.open(page)
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    browser.js(axe)
    found = browser.driver.execute_async_script(
        "axe.run(document).then(r => arguments[0](r.violations))"
    )
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []

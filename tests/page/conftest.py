"""A browser for the tests of pages: Debian's Chromium, driven by Selenium, one for all tests.

Where it is not installed the tests are skipped, and say what is missing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT = 30  # seconds until a test fails; nothing here takes one second on a quiet machine
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}


class Browser:
    """What the tests ask of a page."""

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def size(self, name: str) -> None:
        width, height = SIZES[name]
        wanted = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wanted)

    def open(self, path: Path, fragment: str = "") -> None:
        self.driver.get("about:blank")
        self.requests()  # forgets those of the last page
        self.driver.get(path.as_uri() + (f"#{fragment}" if fragment else ""))
        self.until("return document.documentElement.dataset.ready === '1'")

    def js(self, code: str, *values: Any) -> Any:
        return self.driver.execute_script(code, *values)

    def until(self, code: str, *values: Any) -> Any:
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, WAIT, 0.02).until(lambda _: self.js(code, *values))

    def keys(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def click(self, selector: str, text: str = "") -> None:
        found = self.until(
            "return [...document.querySelectorAll(arguments[0])].find("
            "e => e.textContent.includes(arguments[1]) && e.getClientRects().length)",
            selector, text,
        )  # fmt: skip
        self.js(
            "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", found
        ) if "svg" in selector else found.click()

    def text(self, selector: str) -> str:
        return str(self.js("return document.querySelector(arguments[0]).innerText", selector))

    def titles(self) -> list[str]:
        """Return the titles of all boxes and open groups that are drawn."""
        code = "return [...document.querySelectorAll('#graph .title')].map(e => e.textContent)"
        return list(self.js(code))

    def downloaded(self, name: str) -> Path:
        from selenium.webdriver.support.wait import WebDriverWait

        path = self.downloads / name
        # an empty file keeps the name until the download is moved there
        WebDriverWait(self.driver, WAIT, 0.02).until(
            lambda _: path.exists() and path.stat().st_size > 0
        )
        return path

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call, without those inside the page."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return [url for url in found if not url.startswith(("data:", "blob:", "about:"))]

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver_path is None:
        pytest.skip("chromium and chromedriver are not installed: apt-get install chromium-driver")
    from selenium import webdriver

    folder = tmp_path_factory.mktemp("browser")
    downloads = folder / "downloads"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    try:
        yield Browser(driver, downloads)
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, wide; afterwards no page may have complained or asked for anything."""
    chromium.size("wide")
    for old in chromium.downloads.glob("*"):
        old.unlink()
    yield chromium
    assert chromium.errors() == []
    assert [url for url in chromium.requests() if not url.startswith("file:")] == []


@pytest.fixture(scope="session")
def axe() -> str:
    source = Path(__file__).parents[2] / "scripts/page/node_modules/axe-core/axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed: npm ci --prefix scripts/page")
    return source.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes], Path]:
    folder = tmp_path_factory.mktemp("pages")

    def write(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return write

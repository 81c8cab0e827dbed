"""Chromium without a window, for tests that click; they are skipped where there is none."""

import base64
import os
import shutil

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: the pages are not clicked on")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 30  # seconds until a page that does not do what it should has failed
VISIBLE = """
return [...document.querySelectorAll(arguments[0])]
  .filter((found) => found.checkVisibility()).map((found) => found.innerText.trim());
"""


class Browser:
    """A page in Chromium, by CSS selectors; `complaints` are the errors on its console."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.driver.get(str(url))

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """Of what is visible, all at one moment."""
        return self.run(VISIBLE, selector)

    def text(self, selector):
        """All that is visible of it, on one line."""
        return " ".join(self.texts(selector))

    def click(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def write(self, selector, words):
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(words)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, fact):
        """Wait until it is so, and say what it is then."""
        return WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: fact())

    def look(self, *, width=1280, dark=False):
        """The window's width in pixels, and whether the system is dark."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def pdf(self):
        """The page, printed."""
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """One for all tests of a file."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if found is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = found
    profile = tmp_path_factory.mktemp("profile")
    words = ["--headless=new", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    for word in [*words, *(["--no-sandbox"] if as_root else [])]:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield Browser(started)
    started.quit()


@pytest.fixture
def browser(chromium):
    """A page with nothing on it, as wide as a desk, light, that remembers nothing."""
    chromium.look()
    chromium.open("about:blank")
    chromium.complaints()
    return chromium

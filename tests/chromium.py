"""Drives Debian's chromium in the tests of the page, and sees what it asks for and complains of."""

import functools
import http.server
import json
import shutil
import threading
from contextlib import contextmanager

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",  # neither root nor every container has one, and the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1400,1000",
)


def started(profile):
    """A browser with a profile of its own, whose first page is behind it."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get("about:blank")
    driver.get_log("performance")
    return driver


def assert_quiet(browser, *allowed):
    """No console message, and no request for an address that begins otherwise."""
    assert [line["message"] for line in browser.get_log("browser")] == []
    events = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    urls = {one["request"]["url"] for one in asked}
    assert urls and all(url.startswith(allowed) for url in urls)


def find(page, selector):
    return page.find_elements("css selector", selector)


def shown_names(page, board=0):
    """Names of the visible rows of one table, from above."""
    script = (
        "return [...document.querySelectorAll('.board')[arguments[0]].querySelectorAll("
        "'tr[data-name]')].filter(row => row.offsetParent).map(row => row.dataset.name)"
    )
    return page.execute_script(script, board)


def click_header(page, text):
    """Clicks the first table's header with this text; gives its aria-sort."""
    header = next(one for one in find(page, ".board th button") if text in one.text)
    header.click()
    return header.find_element("xpath", "..").get_attribute("aria-sort")


def choose(page, selector, value):
    find(page, f"{selector} option[value='{value}']")[0].click()


def show_as(page, scheme):
    """Light or dark, as the user's system asks for."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@contextmanager
def window_of(page, width):
    """A window so many pixels wide; a narrow one is a phone's, which shrinks what does not fit."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextmanager
def served(folder):
    """The folder on a web server of this machine; gives its address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.dashboards.a_project import HOSTILE, build, build_spend

CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).parents[2]
SECTIONS = ["Slices", "Labels", "Changes", "Examples"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The dashboard on a free port of loopback, as a person starts it."""
    project = tmp_path_factory.mktemp("project")
    build(project)
    build_spend(project / "state")
    told = {"LLMOPS_ROOT": str(project), "LLMOPS_STATE": str(project / "state")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboards/app.py", "--server.port", str(port)]
    with (project / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | told, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def wait_for(url):
    for _ in range(200):
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310
                assert answer.status == 200
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


@pytest.fixture
def page():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1440, "height": 2400})
        opened.asked, opened.dialogs, opened.crashes = [], [], []
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
        opened.on("pageerror", lambda problem: opened.crashes.append(str(problem)))
        yield opened
        browser.close()


def test_both_pages_are_drawn_and_no_answer_is_executed(address, page, tmp_path):
    page.goto(f"{address}/?suite=support")
    page.get_by_text("Do not ship. Rules: 1 failed, 2 inconclusive, 1 passed.").wait_for()
    cells(page, "0.641 [0.4842, 0.7726]")
    for section in SECTIONS:
        page.get_by_role("radio", name=section, exact=True).click()
        settled(page, tmp_path / f"{section}.png")
    for number, answer in enumerate(HOSTILE):
        page.get_by_label("Search text").fill(f"support-000{number}")
        page.get_by_label("Search text").press("Enter")
        page.get_by_test_id("stCode").filter(has_text=answer).first.wait_for()
    page.get_by_role("link", name="Cost").click()
    page.get_by_text("≥ 0.024 USD").wait_for()
    cells(page, "unknown: no price (39 of 39)")
    settled(page, tmp_path / "Cost.png")
    assert page.dialogs == []
    assert page.crashes == []
    assert page.evaluate("window.hacked") is None
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []


def test_the_language_is_kept_from_page_to_page(address, page):
    page.goto(f"{address}/?suite=support")
    page.get_by_role("radio", name="한국어").click()
    page.get_by_role("heading", name="품질").wait_for()
    page.get_by_role("link", name="비용").click()
    page.get_by_role("heading", name="비용", exact=True).wait_for()


def cells(page, text):
    """Wait for a table's cell: the grid is drawn on a canvas, beside which its cells are told to readers."""
    page.locator("[role=gridcell]", has_text=text).first.wait_for(state="attached")


def settled(page, picture):
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(500)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000
    assert page.get_by_test_id("stException").count() == 0

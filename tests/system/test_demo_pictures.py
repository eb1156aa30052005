# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of README.md: the console of the demo, light and dark.

``make pictures`` writes them; else only what they would show is looked at.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, wait_until
from tests.system.demos import started
from tests.system.test_demo import told
from tests.system.web.browser_support import needs_browser

if TYPE_CHECKING:
    from tests.browser import Browser

pytestmark = needs_browser

IMAGES = ROOT / "docs" / "images"
#: Where they are written; "": nowhere.
WRITTEN = os.environ.get("DEMO_PICTURES", "")
THEMES = ("light", "dark")
WIDTH, HEIGHT = 1120, 700
#: Bytes of one picture.
MOST = 150_000


def show(browser: Browser, theme: str) -> None:
    """Have the page be shown in *theme*, in the size of the pictures."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.command("Emulation.setEmulatedMedia", features=[feature])
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.command("Emulation.setDeviceMetricsOverride", **size)


def shows(browser: Browser, text: str) -> bool:
    return text in browser.text


def test_the_demo_opens_on_a_console_where_calls_move(tmp_path: Path, browser: Browser) -> None:
    """Calls and queues of both servers; nothing is complained of."""
    with started("demo/demo.py") as demo:
        text, _, web = told(demo)
        assert f"http://127.0.0.1:{web}/\n" in text
        show(browser, "light")
        browser.go(f"http://127.0.0.1:{web}/")
        for shown in ("support", "pbx1", "pbx2", "waiting", "talking"):
            wait_until(functools.partial(shows, browser, shown), 30, shown)
        if WRITTEN:  # what has come of some callers is told as well
            wait_until(lambda: browser.text.count("% of ") >= 2, 60, browser.text)
        pictures = []
        for theme in THEMES:
            show(browser, theme)
            browser.screenshot(picture := Path(WRITTEN or tmp_path, f"console-{theme}.png"))
            pictures.append(picture.read_bytes())
        assert pictures[0] != pictures[1]
        assert all(len(each) < MOST for each in pictures)
        assert browser.complaints() == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_readme_shows_it(theme: str) -> None:
    name = f"docs/images/console-{theme}.png"

    assert name in (ROOT / "README.md").read_text(encoding="utf-8")
    data = (ROOT / name).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == WIDTH
    assert len(data) < MOST

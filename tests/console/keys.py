# SPDX-License-Identifier: GPL-2.0-or-later
"""Hands of who looks at a page: keys, a window of another size, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser import Browser

#: As WebDriver names them.
ENTER, ESCAPE, TAB, SHIFT = "\ue007", "\ue00c", "\ue004", "\ue008"
UP, DOWN = "\ue013", "\ue015"


def press(browser: Browser, *keys: str) -> None:
    """Press *keys*, one after the other; each of a text's characters is one."""
    actions = [
        {"type": kind, "value": key}
        for text in keys
        for key in text
        for kind in ("keyDown", "keyUp")
    ]
    told = {"actions": [{"type": "key", "id": "keys", "actions": actions}]}
    browser._call("POST", "/actions", told)  # noqa: SLF001


def show(browser: Browser, width: int = 1280, height: int = 800, *, dark: bool = False) -> None:
    """Give the page another size, and colours."""
    command = "/goog/cdp/execute"
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    for cmd, params in (
        ("Emulation.setDeviceMetricsOverride", size),
        ("Emulation.setEmulatedMedia", {"features": [scheme]}),
    ):
        browser._call("POST", command, {"cmd": cmd, "params": params})  # noqa: SLF001


def focus(browser: Browser) -> str:
    """Return what has the focus: its id, or its name, or its text."""
    found: str = browser.run(
        "const e = document.activeElement; return e.id || e.name || e.textContent.trim()"
    )
    return found


def tab_to(browser: Browser, selector: str, most: int = 40) -> None:
    """Press Tab until what *selector* selects has the focus."""
    for _ in range(most):
        if browser.run("return document.activeElement.matches(arguments[0])", selector):
            return
        press(browser, TAB)
    raise AssertionError(f"no way to {selector} with Tab; the focus is at {focus(browser)}")


def heap(browser: Browser) -> float:
    """Return the megabytes of what the page keeps, after what it does not is let go."""
    told = {"cmd": "HeapProfiler.collectGarbage", "params": {}}
    browser._call("POST", "/goog/cdp/execute", told)  # noqa: SLF001
    return float(browser.run("return performance.memory.usedJSHeapSize / 1e6"))

# SPDX-License-Identifier: GPL-2.0-or-later
"""axe-core in a page: what keeps people with a screen reader, or without a mouse, from using it."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser import Browser

_RUN = """
return axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})
  .then(({violations}) => violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`)))
"""
_RUN_OLD = _RUN.replace(", rules: {'target-size': {enabled: true}}", "")


@lru_cache(maxsize=1)
def _script() -> str:
    """Return axe-core: that of ASTMANPROXY_AXE, or of the package axe-core-python."""
    given = os.environ.get("ASTMANPROXY_AXE", "")
    found = None if given else find_spec("axe_core_python")
    if not given and (found is None or found.origin is None):
        pytest.skip("axe-core is missing (pip install axe-core-python)")
    path = Path(given) if given else Path(str(found and found.origin)).parent / "axe.min.js"
    return path.read_text(encoding="utf-8")


def violations(browser: Browser) -> list[str]:
    """Return what axe-core finds wrong with the page as it is now."""
    run = _RUN if os.environ.get("ASTMANPROXY_AXE") else _RUN_OLD
    browser.run(f"if (!window.axe) {{ {_script()} }}")
    found: list[str] = browser.run(run)
    return found

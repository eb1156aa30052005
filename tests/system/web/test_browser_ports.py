# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page may send, through a real browser, to a port that does not speak HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.peers import PATIENT, host_line, wait_connected
from tests.system.web.browser_support import at, needs_browser, website

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.browser import Browser
    from tests.support import StartProxy

pytestmark = needs_browser

#: What a page may give fetch() as a body, of an action between blank lines or records.
BODIES = [
    "'\\r\\n\\r\\n' + action",
    "new Blob([action])",
    "new URLSearchParams({a: action})",
    "(() => { const form = new FormData(); form.append('a', action); return form; })()",
]


@pytest.mark.parametrize(
    ("form", "action"),
    [
        ("standard", "\\r\\n\\r\\nAction: Originate\\r\\nChannel: SIP/1\\r\\n\\r\\n"),
        ("json", '\\r\\n{"Action": "Originate"}\\r\\n'),
        ("csv", "\\r\\nAction: Originate\\r\\n"),
    ],
    ids=["standard", "json", "csv"],
)
def test_a_page_places_no_call_through_a_port_of_another_format(
    proxy: StartProxy,
    asterisk: SimulatedAsterisk,
    browser: Browser,
    tmp_path: Path,
    form: str,
    action: str,
) -> None:
    """A POST with mode no-cors is sent without asking; its body is not read."""
    program = proxy(PATIENT + f"inputformat = {form}\n" + host_line(asterisk))
    wait_connected(program)
    (tmp_path / "index.html").write_text("<title>page</title>")
    with website(tmp_path) as origin:
        browser.go(origin)
        for body in BODIES:
            browser.run(
                f"const action = {action!r};"
                "return fetch(arguments[0], {method: 'POST', mode: 'no-cors', body: "
                f"{body}}}).then(() => 'answered', () => 'nothing')".replace("\\\\", "\\"),
                at(program),
            )

    assert program.log().count("does not speak HTTP") >= len(BODIES)
    assert asterisk.actions("Originate") == []

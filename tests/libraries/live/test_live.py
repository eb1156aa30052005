# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make libraries`` says of clients of /ws and /events is what their drivers saw."""

from __future__ import annotations

from tests.libraries.live.catalogue import CLIENTS, EVENTS, WEBSOCKET, expected
from tests.libraries.live.described import faults
from tests.libraries.live.trials import HERE, differences

_SHARED = {"steps.py", "steps.js", "steps.go", "steps.php", "websocket.go", "schemathesis.toml"}


def test_every_client_has_a_driver_and_every_driver_a_client() -> None:
    """None is forgotten."""
    there = {path.name for path in (HERE / "drivers").iterdir() if path.is_file()}

    assert {client.driver for client in CLIENTS} == there - _SHARED


def test_what_schemathesis_finds_is_told_with_the_request() -> None:
    """All of it; a run that fails and names nothing is no success, nor one that left something out."""
    output = (
        "____ POST /v1/session ____\n1. Test Case ID: x\n\n- ST103 Undocumented status code\n\n"
        "Reproduce with:\n\n    curl -X POST http://127.0.0.1/v1/session\n"
    )

    assert faults(1, output) == [
        "POST /v1/session: Undocumented status code",
        "curl -X POST http://127.0.0.1/v1/session",
    ]
    assert faults(2, "no\nsuch option") == ["no such option"]
    assert faults(2, "") == ["exit status 2"]
    assert faults(0, "  Selected: 23/23\n  Tested: 23\n") == []
    for less in ("", "  Selected: 21/23\n  Tested: 21\n", "  Selected: 23/23\n  Tested: 20\n"):
        assert faults(0, less) == ["not all was asked"]


def test_a_step_that_nobody_saw_or_that_went_otherwise_is_named() -> None:
    """An event twice, one that is missing, a program that stopped early."""
    client = CLIENTS[0]
    twice = [0, 1, 2, 2]

    assert expected(client) is WEBSOCKET
    assert differences(client, WEBSOCKET) == []
    assert differences(client, {**WEBSOCKET, "resumed": twice}) == [f"resumed: {twice}"]
    assert differences(client, EVENTS) == ["list: None", "ami: None", "xml: None"]

# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make libraries`` says of clients of /ws and /events is what their drivers saw."""

from __future__ import annotations

from tests.libraries.live.catalogue import CLIENTS, EVENTS, WEBSOCKET, expected
from tests.libraries.live.trials import HERE, differences

_SHARED = {"steps.py", "steps.js", "steps.go", "steps.php", "websocket.go"}


def test_every_client_has_a_driver_and_every_driver_a_client() -> None:
    """None is forgotten."""
    there = {path.name for path in (HERE / "drivers").iterdir() if path.is_file()}

    assert {client.driver for client in CLIENTS} == there - _SHARED


def test_a_step_that_nobody_saw_or_that_went_otherwise_is_named() -> None:
    """An event twice, one that is missing, a program that stopped early."""
    client = CLIENTS[0]
    twice = [0, 1, 2, 2]

    assert expected(client) is WEBSOCKET
    assert differences(client, WEBSOCKET) == []
    assert differences(client, {**WEBSOCKET, "resumed": twice}) == [f"resumed: {twice}"]
    assert differences(client, EVENTS) == ["list: None", "ami: None", "xml: None"]

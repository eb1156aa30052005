# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy's own answers to web requests, which may be long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from tests.threads.sessions.support import collector

if TYPE_CHECKING:
    import pytest


def test_an_answer_of_the_proxy_is_made_no_further_than_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be made of many rows: they are not all in memory before it is found too long."""
    monkeypatch.setattr("amiproxy.threads.sessions.pendinganswer.MAX_ANSWER_BYTES", 10_000)
    session = collector()
    pending = session.expect()
    made = iter([Message.of("Event: ProxyDevice", f"Device: {'q' * 900}") for _ in range(50)])

    session.answer(made)

    assert pending.wait(0).messages[0].get("Message") == "The answer is too long"
    assert len(list(made)) > 35

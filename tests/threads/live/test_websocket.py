# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource /ws: the moment in which a client becomes one of a WebSocket."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from amiproxy.httpmessages import Request
from amiproxy.settings.config import Config
from amiproxy.threads.live.websocket import websocket
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from amiproxy.web.problems import Problem
from tests.threads.live.support import House

HANDSHAKE = (
    ("host", "x"), ("connection", "Upgrade"), ("upgrade", "websocket"),
    ("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "astmanproxy.ami"),
)  # fmt: skip


def test_a_client_of_bare_messages_has_all_events_from_its_head_on() -> None:
    """It is told by nothing else that it has them."""
    house = House("pbx1")
    ours, theirs = socket.socketpair()
    transport = Transport(ours, "x", flusher=Flusher(), write_timeout=5.0, max_backlog=1 << 20)
    visit: Any = SimpleNamespace(
        context=house.context, transport=transport, address="192.0.2.9", is_tls=False,
        spec=SimpleNamespace(guarded=False, name="x"), sessions=SimpleNamespace(nonces=None), fields=(), path="/ws",
        request=Request("GET", "/ws", "1.1", HANDSHAKE, b""),
    )  # fmt: skip
    with ours, theirs:
        stream = websocket(visit)
        assert stream.send is not None
        house.say(0, "Before")

        stream.send(b"HEAD")
        house.say(0, "Hangup")

        told = theirs.recv(1 << 16)
        stream.leave()
    house.close()
    assert told.startswith(b"HEAD")
    assert b"Event: Hangup" in told
    assert b"Before" not in told


@pytest.mark.parametrize("name", ["evnts", "", "where"])
def test_a_misspelled_choice_is_refused(name: str) -> None:
    """It would show nothing, and nobody would know why."""
    visit: Any = SimpleNamespace(
        fields=((name, "Hangup"),), is_tls=False, context=SimpleNamespace(config=Config()),
        request=Request("GET", "/ws", "1.1", HANDSHAKE[:-1], b""),
    )  # fmt: skip

    with pytest.raises(Problem, match=r"is no parameter here.*: events, state, server, since"):
        websocket(visit)

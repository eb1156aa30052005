# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of sessions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy.formats import Format, load_formats
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.streamsession import StreamSession
from tests.support import ROOT

if TYPE_CHECKING:
    import socket

    from amiproxy.threads.net.transport import Transport

FORMATS = load_formats(ROOT / "handlers")
STANDARD = FORMATS["standard"]

EVENT = Message.of("Event: Newchannel", "Privilege: call,all", "Channel: SIP/1", "Uniqueid: 1")
BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all")
PONG = Message.of("Response: Success", "Ping: Pong")


def session_over(transport: Transport, **options: Any) -> StreamSession:
    """Return a session as a client has it that need not log in; *options* as for the class."""
    settings: dict[str, Any] = {
        "mode": AutoFilter.UNIQUE, "guarded": False, "input_name": "standard",
        "output": STANDARD, "filter_local": "off", **options,
    }  # fmt: skip
    return StreamSession(transport, "192.0.2.9", **settings)


def collector(
    *,
    guarded: bool = False,
    keep_events: bool = False,
    hears: bool = False,
    make: type[Collector] = Collector,
) -> Collector:
    """Return a session of the class *make* as a web request has it; *hears*: it awaits an event."""
    session = make(
        "client x",
        "192.0.2.1",
        guarded=guarded,
        output=STANDARD,
        filter_local="off",
        keep_events=keep_events,
    )
    session.hears |= hears
    return session


def received(sock: socket.socket) -> bytes:
    """Return what has come; whatever sends has done so already."""
    sock.setblocking(False)
    data = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                return data
            data += more
    except BlockingIOError:
        return data


def format_of(write: Any) -> Format:
    """Return a format that writes with *write*, as a third-party handler does."""
    return Format("other", write, None, None, None, "text/plain", wire=False)

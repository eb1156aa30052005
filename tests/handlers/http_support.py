# SPDX-License-Identifier: GPL-2.0-or-later
"""One HTTP conversation, without a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.formats import Limits, load_formats
from amiproxy.httpmessages import Response
from tests.support import ROOT

if TYPE_CHECKING:
    from amiproxy.formats import Conversation
    from amiproxy.httpmessages import Request

_make = load_formats(ROOT / "handlers")["http"].conversation

PING = b"GET /?Action=Ping HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
OK = Response(200, "text/plain", b"fine")


def talk(*chunks: bytes, limits: Limits | None = None) -> Conversation:
    """Return a new conversation that was fed *chunks*."""
    assert _make is not None
    conversation = _make(limits or Limits())
    for chunk in chunks:
        conversation.feed(chunk)
    return conversation


def request_of(conversation: Conversation) -> Request:
    """Return the next request, which must be there."""
    request = conversation.next()
    assert request is not None
    return request


def head_of(data: bytes) -> tuple[str, dict[str, str]]:
    """Return status line and headers (lower case) of the answer *data*."""
    head = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return head[0], {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in head[1:]}

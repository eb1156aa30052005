# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of live clients: those of handlers, framed, so that a batch is framed once for all.

They are made of loaded handlers, and clients cannot choose them by name.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.formats import Format, written
from amiproxy.live import documents, frames
from amiproxy.wire.plain import is_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message


class Framing(NamedTuple):
    """How documents become bytes on one kind of connection.

    *frame* is told the document, its kind and the id that it brings ("": none); *end* is told
    the code and the reason of the end (RFC 6455), and returns the last bytes.
    """

    name: str
    frame: Callable[[bytes, str, str], bytes]
    end: Callable[[int, str], bytes]


def _text_frame(document: bytes, _kind: str, _event_id: str) -> bytes:
    return frames.text(document)


#: One document is one text message.
WEBSOCKET = Framing("ws", _text_frame, frames.close)

#: What a document of a server's state says.
_STATES = {"proxyserverlost": "lost", "proxyserverconnected": "connected"}


class DocumentEnvelope:
    """Writes events as documents of *framing*; *form* writes their headers as JSON."""

    def __init__(self, form: Format, framing: Framing) -> None:
        self._form, self._framing = form, framing

    def event(self, message: Message, event_id: str, came: float) -> bytes:
        """Return the document of an event."""
        members = written(self._form, message).rstrip(b"\n")
        moment, server = documents.seconds(came), documents.server_of(message)
        told = documents.event(server, event_id, moment, members)
        return self._framing.frame(told, "event", event_id)

    def notice(self, message: Message, event_id: str, came: float) -> bytes:
        """Return the document of what the proxy says of a server."""
        if message.get("Event") == "ProxyGap":
            return self.gap(documents.server_of(message), message.get("Reason"), None, event_id)
        state = _STATES.get(message.get("Event").lower(), "unknown")
        more: dict[str, object] = {}
        if state == "lost":
            more = {"reason": message.get("Reason"), "last_heard": _number(message, "LastHeard")}
        elif state == "connected":
            more = {"lost_seconds": _number(message, "Lost")}
        told = documents.document(
            "server",
            at=event_id,
            server=documents.server_of(message),
            state=state,
            since=documents.seconds(came),
            **more,
        )
        return self._framing.frame(told, "server", event_id)

    def gap(self, server: str, reason: str, missed: int | None, event_id: str) -> bytes:
        """Return the document of a gap."""
        told = documents.document("gap", at=event_id, server=server, missed=missed, reason=reason)
        return self._framing.frame(told, "gap", event_id)

    def plain(self, message: Message) -> bytes:
        """Return *message* as an event that has no id."""
        return self.event(message, "", time.monotonic())


def _number(message: Message, name: str) -> int | None:
    value = message.get(name)
    return int(value) if value.isascii() and value.isdigit() else None


def documents_in(framing: Framing, formats: Mapping[str, Format]) -> Format:
    """Return the format of clients that are sent documents in *framing*."""
    base = formats["json"]
    envelope = DocumentEnvelope(base, framing)
    return Format(
        name=f"{framing.name}.json",
        write=envelope.plain,
        reader=None,
        conversation=None,
        onconnect=None,
        content_type="application/json",
        wire=False,
        envelope=envelope,
    )


def framed(base: Format) -> Format:
    """Return *base* with each message as one text frame."""

    def write(message: Message) -> bytes:
        return frames.text(as_text(written(base, message)))

    return replace(base, name=f"ws.{base.name}", write=write, wire=False, document=None)


def as_text(data: bytes) -> bytes:
    """Return *data* as UTF-8: a line that is not is read as latin-1."""
    if is_utf8(data):
        return data
    lines = [
        line if is_utf8(line) else line.decode("latin-1").encode() for line in data.split(b"\n")
    ]
    return b"\n".join(lines)

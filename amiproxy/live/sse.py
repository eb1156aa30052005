# SPDX-License-Identifier: GPL-2.0-or-later
"""Server-Sent Events: documents and messages as blocks of lines that an EventSource reads.

(HTML's standard, "Server-sent events".)  What Asterisk says has no name, so that ``onmessage`` is
told it; all else has the kind of its document.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from amiproxy.formats import written
from amiproxy.live.formats import DocumentEnvelope, Framing, as_text, documents_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.formats import Format
    from amiproxy.message import Message

#: The media type; the text is always UTF-8.
CONTENT_TYPE = "text/event-stream"

#: What clients may have their events in; rows and what the proxy says is JSON for all.
FORMATS = ("json", "ami", "xml", "csv")
#: The handlers that write them.
_HANDLERS = {"ami": "standard"}

#: What begins a stream: how many milliseconds a client waits until it comes back.
OPENING = b"retry: 1000\n\n"

_UNNAMED = "event"
#: What ends a line there.
_LINE_END = re.compile(rb"\r\n|\r|\n")


def frame(document: bytes, kind: str, event_id: str) -> bytes:
    """Return the block that tells *document*, which has no line end."""
    name = b"" if kind == _UNNAMED else b"event: %b\n" % kind.encode("ascii")
    return b"%b%bdata: %b\n\n" % (_id(event_id), name, document)


def standing(event_id: str) -> bytes:
    """Return a block that tells where the client stands, and is no event to it."""
    return b": tick\n%b\n" % _id(event_id)


def _id(event_id: str) -> bytes:
    return b"id: %b\n" % event_id.encode("ascii") if event_id else b""


def _end(_code: int, _text: str) -> bytes:
    return b""


FRAMING = Framing("sse", frame, _end)


class MessageEnvelope(DocumentEnvelope):
    """Writes events in the format *form*, each of its lines as a line of data."""

    def __init__(self, form: Format, framing: Framing) -> None:
        super().__init__(form, framing)
        self._of_events = form

    def event(self, message: Message, event_id: str, came: float) -> bytes:
        """Return the block of an event."""
        del came
        lines = _LINE_END.split(as_text(written(self._of_events, message)).strip(b"\r\n"))
        return b"%b%b\n\n" % (_id(event_id), b"\n".join([b"data: " + line for line in lines]))


def format_of(word: str, formats: Mapping[str, Format]) -> Format | None:
    """Return the format of clients that want their events in *word*, None: there is none."""
    if word == "json":
        return documents_in(FRAMING, formats)
    base = formats.get(_HANDLERS.get(word, word))
    if word not in FORMATS or base is None or not base.is_output:
        return None
    envelope = MessageEnvelope(base, FRAMING)
    return dataclasses.replace(
        documents_in(FRAMING, formats),
        name=f"sse.{word}",
        write=envelope.plain,
        envelope=envelope,
    )

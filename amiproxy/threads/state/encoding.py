# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows as messages in AMI's words: what a snapshot says.  Pure."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.message import END, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amiproxy.state.table import Row, Value

#: Kind of rows -> the name of the event that each of them is.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "calls": "ProxyCall",
        "channels": "ProxyChannel",
        "bridges": "ProxyBridge",
        "queues": "ProxyQueue",
        "members": "ProxyMember",
        "callers": "ProxyCaller",
        "devices": "ProxyDevice",
        "contacts": "ProxyContact",
        "registrations": "ProxyRegistration",
        "parked": "ProxyParked",
        "conferences": "ProxyConference",
        "agents": "ProxyAgent",
        "mailboxes": "ProxyMailbox",
    }
)

#: A value ends its line: line ends in it would forge a header, or a message.
_CUT = str.maketrans("\r\n\0", "   ")


@functools.cache
def header(field: str) -> str:
    """Return the header that *field* is told in: ``in_call_with`` is InCallWith."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_"))


def message(kind: str, server: str, row: Row) -> Message:
    """Return *row* as an event, without ActionID; what is not known is left out."""
    lines = [f"Event: {EVENTS[kind]}", f"Server: {server}", f"Key: {row.key}"]
    add = lines.append
    for name, value in row.fields.items():
        if value is None:
            continue
        if type(value) is str:
            add(f"{header(name)}: {value}")
        elif type(value) is tuple:
            lines += [f"{header(name)}: {each}" for each in value]
        else:
            add(f"{header(name)}: {written(value)}")
    text = "\r\n".join(lines)
    ends = len(lines) - 1
    if text.count("\n") > ends or text.count("\r") > ends or "\0" in text:
        text = "\r\n".join([line.translate(_CUT) for line in lines])
    return Message(text.encode("latin-1", "replace") + END, own=True)


def written(value: Value) -> str:
    """Return a single *value* as text; times with milliseconds."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def with_action_id(messages: Sequence[Message], given: str) -> Iterator[Message]:
    """Yield *messages*, each with the ActionID *given* as its last header, "" for none."""
    if not given:
        yield from messages
        return
    line = f"ActionID: {given}\r\n\r\n".encode("latin-1", "replace")
    for each in messages:
        yield Message(each.raw[:-2] + line, own=True)

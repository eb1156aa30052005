# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the call filters share."""

from __future__ import annotations

import dataclasses

from amiproxy.message import Message
from amiproxy.routing.callfilter import MAX_KNOWN, SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.classes import ALL, SYSTEM

#: Headers of a bridge that joins the parties of a call.
BASIC = ("BridgeUniqueid: b1", "BridgeType: basic")

#: How actions on the channel of a user with the prefix ``sip/100`` begin.
ORIGINATE = ("Action: Originate", "Channel: SIP/100")
AGI = ("Action: AGI", "Channel: SIP/100-1")
SETVAR = ("Action: Setvar", "Channel: SIP/100-1")
GETVAR = ("Action: Getvar", "Channel: SIP/100-1")


@dataclasses.dataclass(frozen=True)
class User:
    """What a call filter reads of a user."""

    channel: str = ""
    out_context: str = ""
    in_context: str = ""
    accountcode: str = ""
    more_events: bool = False
    filters: frozenset[str] = frozenset()
    write: int = ALL & ~SYSTEM


def only(*names: str) -> User:
    """Return a user with the *filters* of these *names*."""
    return User(filters=frozenset(names))


class Client:
    """One filtered client of one Asterisk, ``pbx``, and of others."""

    def __init__(self, user: User, local: str = "off", *, most_ids: int = MAX_KNOWN) -> None:
        self.filter = SessionFilter(user, local, most_ids=most_ids)
        self.tables: dict[str, CallTable] = {}

    def event(self, name: str, *lines: str, scope: str = "pbx", answer: bool = False) -> list[str]:
        """Let *scope* send an event; return what the client gets, as texts."""
        return self.hears(f"Event: {name}", *lines, scope=scope, answer=answer)

    def hears(self, *lines: str, scope: str = "pbx", answer: bool = False) -> list[str]:
        """Let *scope* send *lines*; return what the client gets, as texts without line ends."""
        message = Message.of(*lines)
        self.tables.setdefault(scope, CallTable()).note(message)
        return [" | ".join(got.lines) for got in self.filter.incoming(message, scope, answer)]

    def sends(self, *lines: str) -> list[str] | None:
        """Return the lines of the action that goes to Asterisk, or None."""
        message = self.filter.outgoing(Message.of(*lines))
        return None if isinstance(message, str) else list(message.lines)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Publisher: makes batches of what one Asterisk says, and hands them to the clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amiproxy.message import Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.routing.calltable import CallTable
from amiproxy.wire.batch import Batch
from amiproxy.wire.framing import messages_of
from amiproxy.wire.routed import PROXY, Routed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.routing.ledger import Request
    from amiproxy.threads.sessions.link import AsteriskLink


class Audience(Protocol):
    """The clients of all servers, as a server's thread sees them: the router."""

    @property
    def keeps_calls(self) -> bool:
        """Whether Newchannel and Newstate are kept for clients that see a call late."""

    @property
    def filtering(self) -> bool:
        """Whether some client sees calls through a user's filters."""

    def publish(self, batch: Batch) -> None:
        """Hand *batch* to every client.  Never waits."""

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: the connection to it was lost."""


class Publisher:
    """What the thread of one server does with messages.  For that thread only."""

    def __init__(self, link: AsteriskLink, audience: Audience) -> None:
        self._link = link
        self._audience = audience
        self._calls = CallTable()

    def publish(self, whole: bytes | list[bytes], *, only_events: bool = False) -> None:
        """Hand messages, all that one read brought, to every client.

        *only_events* tells that *whole* is plain and each message in it an event.
        """
        if only_events and isinstance(whole, bytes) and self._link.idle and not _may_answer(whole):
            batch = Batch(self._link.scope, whole)
            # Without calls to keep, filters are about single events only.
            batch.noted = not self._audience.keeps_calls or self._note(
                [item.message for item in batch.items]
            )
            self._audience.publish(batch)
            return
        self.publish_messages(messages_of(whole))

    def publish_messages(self, messages: Sequence[Message]) -> None:
        """Hand *messages* to the clients that they are for."""
        if not messages:
            return
        noted = not self._audience.keeps_calls or self._note(messages)
        items = self._link.classify(messages)
        if items:
            batch = Batch.of_items(self._link.scope, items)
            batch.noted = noted
            self._audience.publish(batch)

    def keep(self, messages: Iterable[Message]) -> None:
        """Remember the calls in *messages*, which no client sees."""
        for message in messages:
            self._calls.keep(message)

    def answer_late(self, now: float) -> None:
        """Answer the Originates whose OriginateResponse is late at *now*, monotonic seconds."""
        items = self._link.expired(now)
        if items:
            self._audience.publish(Batch.of_items(self._link.scope, items))

    def abandon(self, lost: Iterable[Request]) -> None:
        """Tell who asked that no answer will come; forget the calls of this Asterisk."""
        self._calls.clear()
        items = [
            Routed(
                _not_connected_reply(request, self._link.host),
                owner=request.owner,
                wire_id=request.wire_id,
                request_id=request.wire_id,
                final=True,
                private=True,
            )
            for request in lost
            if request.owner != PROXY
        ]
        if items:
            self._audience.publish(Batch.of_items(self._link.scope, items))
        self._audience.forget(self._link.scope)

    def _note(self, messages: Iterable[Message]) -> bool:
        """Keep the calls in *messages*; return whether all is looked up for filters."""
        filtering = self._audience.filtering
        look = self._calls.note if filtering else self._calls.keep
        for message in messages:
            look(message)
        return filtering


def _may_answer(events: bytes) -> bool:
    """Return whether *events* may hold one that is not for everybody as it is.

    Asterisk writes ``ActionID`` this way; in a UserEvent it may stand as the
    client wrote it.
    """
    return b"ActionID: " in events or b"Event: UserEvent" in events


def _not_connected_reply(request: Request, host: str) -> Message:
    message = Message.of(
        "Response: Error",
        f"Message: Server {host} is not connected",
        f"ActionID: {request.wire_id}",
        own=True,
    )
    return message if request.wire_id is not None else with_action_id(message, None)

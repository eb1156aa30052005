# SPDX-License-Identifier: GPL-2.0-or-later
"""What answers of Asterisk look like: where a list begins and ends, how a call is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.routing.actionids import exchanged
from amiproxy.wire.routed import PROXY, Routed

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction

#: Actions whose ActionID comes back in an event for all, and that event; in lower case.
ECHOES = {
    "originate": "originateresponse",
    "userevent": "userevent",
    "sipqualifypeer": "sipqualifypeerdone",
}

#: Events that bear the ActionID of the action behind them and are for all; in lower case.
FOR_ALL = frozenset(ECHOES.values())


def starts_list(response: Message) -> bool:
    """Return whether events that belong to *response* follow it."""
    values = response.values
    if values.get("eventlist", "").lower() == "start":
        return True
    # Asterisk before 12 has no EventList header in many of its lists.
    text = values.get("message")
    return text is not None and text.lower().rstrip(".").endswith("will follow")


def says_its_end(response: Message) -> bool:
    """Return whether the list that *response* announces surely has an event that ends it.

    Without this header it may (QueueStatus before 12) or may not: DBGet of 1.8, FAXStats of 22.
    """
    return "eventlist" in response.values


def ends_list(event: Message) -> bool:
    """Return whether *event*, an item of a list, is the last one."""
    if event.get("EventList").lower() == "complete":
        return True
    return event.get("Event").lower().endswith("complete")


def answer_to_originate(given: str | None, host: str, *, done: bool) -> Message:
    """Answer a synchronous Originate as Asterisk would have (recordings c1, c3).

    *given* is its ActionID, *host* the Asterisk, "" where messages do not say which; *done*
    tells whether the call was made.
    """
    return Message.of(
        "Response: Success" if done else "Response: Error",
        *([] if given is None else [f"ActionID: {given}"]),
        "Message: Originate successfully queued" if done else "Message: Originate failed",
        *([f"Server: {host}"] if host else []),
    )


def restored(message: Message, given: str | None) -> Message:
    """Return *message* with the ActionID that the client gave."""
    found = Message(exchanged(message.raw, given), own=message.own)
    found.links = message.links  # the same channels, whatever the ActionID
    return found


def part(message: Message, action: PendingAction, *, final: bool) -> Routed | None:
    """Return *message* as a part of the answer to *action*; None if nobody gets it."""
    if action.owner == PROXY:
        if not action.kept:
            return None
        wire_id = action.wire_id
        return Routed(message, owner=PROXY, request_id=wire_id, final=final, private=True)
    if "actionid" not in message.values:
        return given_back(message, action, None, final=final)
    return given_back(restored(message, action.given), action, action.given, final=final)


def given_back(
    message: Message, action: PendingAction, action_id: str | None, *, final: bool
) -> Routed:
    """Return *message*, which bears *action_id* as its client gave it, for who asked *action*."""
    return Routed(
        message,
        owner=action.owner,
        action_id=action_id,
        request_id=action.wire_id,
        final=final,
        private=action.is_private(),
    )

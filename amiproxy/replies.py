# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy's own replies, word for word as clients' parsers expect them.

Those in AMI's words have Asterisk's order (main/manager.c, astman_send_response_full):
``Response``, ``ActionID``, the rest.  Client libraries count on it: phpagi takes the last
line of every ``Success`` for text that is not a header.  In a ``ProxyResponse``, as the C
program wrote it, ActionID comes last (spec 12.12).  A client that gave none gets none.
"""

from __future__ import annotations

from amiproxy import __version__
from amiproxy.message import Message

#: How the banner of an astmanproxy begins, as far as it has one of its own.
PROXY = "Asterisk Call Manager Proxy/"

#: The first line that a client of the standard format is sent (spec section 5).
BANNER = f"{PROXY}{__version__}"

#: Why another proxy's log-in is refused.
CIRCLE = "This proxy would be reached through itself"

FULLY_BOOTED = Message.of(
    "Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted", own=True
)
SHUTTING_DOWN = Message.of("ProxyMessage: Proxy Shutting Down", own=True)


def reply(request: Message | None, first: str, *rest: str) -> Message:
    """Return a reply in AMI's words that echoes the ActionID of *request*, if it has one.

    *first* is its ``Response:`` or ``Event:``, *rest* what follows.
    """
    return answer(None if request is None else request.get("ActionID"), first, *rest)


def answer(given: str | None, first: str, *rest: str) -> Message:
    """Return a reply in AMI's words to an action with the ActionID *given*, None for none.

    An empty one is none, as in Asterisk.
    """
    echo = (f"ActionID: {given}",) if given else ()
    return Message.of(first, *echo, *rest, own=True)


def error(request: Message | None, text: str) -> Message:
    """Return ``Response: Error`` with *text* as its Message."""
    return reply(request, "Response: Error", f"Message: {text}")


def filtered(request: Message) -> Message:
    """Return the reply to an action that its client may not send."""
    return error(request, "Action Filtered")


def goodbye(request: Message) -> Message:
    """Return the reply to Logoff."""
    return reply(request, "Response: Goodbye", "Message: Thanks for all the fish.")


def already_authenticated(request: Message) -> Message:
    """Return the reply to a log-in of who has logged in, over Asterisk's HTTP interface."""
    return reply(request, "Response: Success", "Message: Already authenticated")


def waited(request: Message) -> Message:
    """Return the response to a WaitEvent that is over (recording h4)."""
    return reply(request, "Response: Success", "Message: Waiting for Event completed.")


def wait_complete(request: Message) -> Message:
    """Return the event that comes last of what a WaitEvent is answered."""
    return reply(request, "Event: WaitEventComplete")


def proxy_success(request: Message, *lines: str) -> Message:
    """Return the reply to a ProxyAction that was carried out."""
    return _proxy_reply(request, "ProxyResponse: Success", *lines)


def proxy_failure(request: Message, text: str) -> Message:
    """Return the reply to a ProxyAction that could not be carried out."""
    return _proxy_reply(request, "ProxyResponse: Failure", f"Message: {text}")


def proxy_error(request: Message | None, text: str) -> Message:
    """Return the reply to a ProxyAction that does not exist."""
    return _proxy_reply(request, "ProxyResponse: Error", f"Message: {text}")


def _proxy_reply(request: Message | None, *lines: str) -> Message:
    """Return a reply of *lines* in the C program's words, ActionID last."""
    if request is not None and request.has("ActionID"):
        lines = (*lines, f"ActionID: {request.get('ActionID')}")
    return Message.of(*lines, own=True)

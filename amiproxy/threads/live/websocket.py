# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/ws``: the handshake of a WebSocket, and who its client is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live import handshake, requests
from amiproxy.live.formats import WEBSOCKET
from amiproxy.settings.typos import question
from amiproxy.threads.live import bare
from amiproxy.threads.live.conversation import Conversation
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.requests import Requests
from amiproxy.threads.web import forgery, identity
from amiproxy.threads.web.visit import Stream, Visit
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.threads.live.conversation import Partner
    from amiproxy.threads.live.framedsession import FramedSession


#: Fields of the URL: what is told at once, and who asks.
_FIELDS = ("events", "event", "state", "snapshot", "server", "since", "ticket")
#: How those begin that choose rows.
_WHERE = "where."


def websocket(visit: Visit) -> Stream:
    """Answer *visit* with a WebSocket.

    Raises:
        Problem: it is none, comes from another site's page, or its log-in fails.

    """
    protocol = handshake.check(visit.request)
    forgery.check_origin(visit)
    session, partner = _made(visit, protocol)
    enter(visit, session)
    conversation = Conversation(visit.context, session, partner)
    head = handshake.accept(visit.request, protocol)
    # A client of bare messages is told by nothing but the head from where on it has all events.
    send = session.open if isinstance(session, bare.BareSession) else None
    return Stream(head, conversation.run, lambda: leave(visit, session), send)


def _made(visit: Visit, protocol: str) -> tuple[FramedSession, Partner]:
    """Return the session of a client that speaks *protocol*, and who understands it.

    Raises:
        Problem: 400, its URL subscribes to what there is not.

    """
    if protocol in bare.HANDLERS:
        messages = bare.BareSession(visit, bare.HANDLERS[protocol])
        return messages, bare.Blocks(visit, messages)
    for name, _ in visit.fields:
        check_field(name, _FIELDS, "events, state, server, since, where.FIELD")
    first = requests.of_fields(visit.fields)
    session = LiveSession(visit, WEBSOCKET)
    return session, Requests(visit, session, first)


def check_field(name: str, known: Collection[str], there: str) -> None:
    """Refuse a field *name* of a URL that is none of *known*, and chooses no rows.

    A misspelled choice would show everything, or nothing, and nobody would know why.

    Raises:
        Problem: 400, it is none; says which are *there*.

    """
    if name not in known and not name.startswith(_WHERE):
        hint = question(name[:40], known)
        raise Problem("bad-request", f"{name[:40]!a} is no parameter here{hint}: {there}")


def enter(visit: Visit, session: FramedSession) -> None:
    """Register *session* and log it in, as *visit* says.

    Raises:
        Problem: 401, it may not; then it is registered no more.

    """
    visit.context.registry.add(session)
    try:
        identity.log_in(visit, session)
    except BaseException:
        leave(visit, session)
        raise


def leave(visit: Visit, session: FramedSession) -> None:
    """Forget *session*, which is over, and what it has asked."""
    context = visit.context
    context.router.forget_actions(session)
    context.registry.discard(session)

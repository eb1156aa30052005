# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/ws``: the handshake of a WebSocket, and who its client is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live import handshake, requests
from amiproxy.live.formats import WEBSOCKET
from amiproxy.threads.live.conversation import Conversation
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.requests import Requests
from amiproxy.threads.web import forgery, identity
from amiproxy.threads.web.visit import Stream, Visit

if TYPE_CHECKING:
    from amiproxy.threads.live.framedsession import FramedSession


def websocket(visit: Visit) -> Stream:
    """Answer *visit* with a WebSocket.

    Raises:
        Problem: it is none, comes from another site's page, or its log-in fails.

    """
    protocol = handshake.check(visit.request)
    forgery.check_origin(visit)
    first = requests.of_fields(visit.fields)
    session = LiveSession(visit, WEBSOCKET)
    enter(visit, session)
    conversation = Conversation(visit.context, session, Requests(visit, session, first))
    head = handshake.accept(visit.request, protocol)
    return Stream(head, conversation.run, lambda: leave(visit, session))


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""The document ``hello``: who the client is, what it may do, how the servers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy import __version__
from amiproxy.live import documents
from amiproxy.threads.sessions.linkstate import link_state

if TYPE_CHECKING:
    from amiproxy.threads.live.livesession import LiveSession
    from amiproxy.threads.web.visit import Visit


def hello(visit: Visit, session: LiveSession) -> bytes:
    """Return what *session* is told first."""
    user = session.user
    return documents.document(
        "hello",
        at=session.place(),
        now=documents.now(),
        version=__version__,
        page=None,
        user=None if user is None else user.name,
        rights={},
        servers=_servers(visit, session),
    )


def _servers(visit: Visit, session: LiveSession) -> list[dict[str, Any]]:
    """Return a row for each server that *session* sees."""
    rows, user = [], session.user
    for link in visit.context.router.servers:
        if user is None or user.reaches(link.names):
            state = link_state(link)
            rows.append({"name": link.name, "state": state.word, "reason": state.reason or None})
    return rows

# SPDX-License-Identifier: GPL-2.0-or-later
"""The document ``hello``: who the client is, what it may do, how the servers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy import __version__
from amiproxy.basics.characters import text_of
from amiproxy.live import documents, rows
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.looking import reached
from amiproxy.threads.state.serverrows import fields_of, state_of
from amiproxy.threads.web.whoami import rights_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.live.livesession import LiveSession
    from amiproxy.threads.web.visit import Visit


def hello(visit: Visit, session: LiveSession) -> bytes:
    """Return what *session* is told first."""
    user = session.user
    told = documents.document(
        "hello",
        at=session.place(),
        now=documents.now(),
        version=__version__,
        page=_page(visit),
        user=None if user is None else text_of(user.name),
        rights=rights_of(user),
    )
    return b'%b,"servers":[%b]}' % (told[:-1], b",".join(_servers(visit, session)))


def _page(visit: Visit) -> str | None:
    """Return what tells the pages of this release from others, None: they are not there."""
    if "console" not in visit.spec.web:
        return None
    from amiproxy.console.files import page  # noqa: PLC0415 - who has the pages pays for it

    return page()


def _servers(visit: Visit, session: LiveSession) -> Iterator[bytes]:
    """Yield a row for each server that *session* may see."""
    context = visit.context
    followers = followers_of(context).there()
    for link in reached(session, context.router.servers):
        follower = followers.get(link)
        yield rows.row(link.name, fields_of(link, follower, state_of(link, follower), None))

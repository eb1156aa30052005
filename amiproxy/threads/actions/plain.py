# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick way of a plain action from a client to Asterisk; any other goes through dispatch.py.

What is forwarded here goes upstream as it would from there, and leaves the same behind.
``tests/threads/test_plain_ways.py`` compares both.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.access import rights
from amiproxy.routing import plainactions
from amiproxy.threads.actions.local import LOCAL_ACTIONS
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.sessions.destinations import first_taking

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.router import Router
    from amiproxy.threads.sessions.session import ClientSession

#: As ``plainactions.PLAIN``, without what the proxy does itself.
_NAMES = {
    key: name
    for key, name in plainactions.PLAIN.items()
    if key.decode() not in {**LOGIN_ACTIONS, **LOCAL_ACTIONS}
}


def forward(context: ProxyContext, session: ClientSession, block: bytes) -> bool:
    """Send *block*, one whole block of *session*, upstream; return False if it is not plain.

    Nothing is done then.  The session may act.  Waits, in the client's thread, as
    ``Router.forward`` does.
    """
    found = plainactions.find(block)
    name = None if found is None else _NAMES.get(found[1].lower())
    if found is None or name is None:
        return False
    config, router = context.config, context.router
    if config.audit or not (session.user is None or _is_free(session, name, router)):
        return False
    # It names no server: it goes to the first one that takes actions (spec section 5).
    link = first_taking(router.servers)
    action = plainactions.prepare(found, router.ids, session, context.limits)
    if link is None or action is None:
        return False
    action.name, action.since = name, time.monotonic()
    most = config.max_unanswered
    web = session.is_web and most > 0
    if web and not router.admits_web(session, most):
        return False
    session.sending(action.wire_id, action.given)
    most = 0 if web else most
    if not router.submit(session, link, action, most):
        if web:
            router.web_quota.give_back(session.number)
        return False
    session.actions += 1
    return True


def _is_free(session: ClientSession, name: str, router: Router) -> bool:
    """Return whether *session* may send the action *name*, whatever its headers say, to anybody."""
    user = session.user
    assert user is not None
    if session.callfilter is not None or user.servers:
        return False
    return rights.permits(user, name.lower()) and not (
        rights.needs_listing(user) and any(each.listed for each in router.servers)
    )

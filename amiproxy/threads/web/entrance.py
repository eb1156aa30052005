# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may send a large request: its head must prove who sends it before its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.web import cookies, identity
from amiproxy.threads.web.authorization import Authorization, Claim
from amiproxy.threads.web.logins import logins_of
from amiproxy.web import urls
from amiproxy.web.paths import path_of

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions


def let_in(
    context: ProxyContext,
    sessions: WebSessions,
    spec: ListenerSpec,
    peer: str,
    address: str,
    head: Request,
) -> None:
    """Let a request go on at *spec* whose *head* has come: it is larger than a stranger's may be.

    A session's cookie, Basic, Digest or Bearer credentials or the proxy key prove who sends it.
    What log-in they give ends at once: the whole request is to log in anew.

    Raises:
        BadRequest: 401, nothing does.

    """
    if not (_has_session(sessions, head) or _has_login(context, address, head)):
        wants_digest = urls.wants_digest(head)
        authorization = Authorization(sessions.nonces, context.config.http_digest)
        claim = authorization.claim(head, wants_digest=wants_digest)
        if not _logs_in(context, spec, peer, address, head, claim):
            refusal = authorization.refusal("Authentication required", wants_digest=wants_digest)
            if path_of(head).startswith("/v1/"):
                refusal.headers = identity.CHALLENGE
            raise refusal


def _has_session(sessions: WebSessions, head: Request) -> bool:
    """Return whether *head* has the cookie of a session that has logged in."""
    with sessions.using(urls.cookie(head, urls.COOKIE)) as session:
        return session is not None and session.serves(guarded=True)


def _has_login(context: ProxyContext, address: str, head: Request) -> bool:
    """Return whether *head* has the cookie of the console, and its user may come from *address*."""
    for name in cookies.NAMES:
        login = logins_of(context).find(urls.cookie(head, name))
        stamp = None if login is None else login.stamp
        if stamp is None or not stamp.proves:
            continue
        user = context.users.get(stamp.name)
        if (
            stamp.lets_in(context.users, context.config.proxy_key)
            and user is not None
            and user.acl.allows(address)
        ):
            return True
    return False


def _logs_in(
    context: ProxyContext,
    spec: ListenerSpec,
    peer: str,
    address: str,
    head: Request,
    claim: Claim | None,
) -> bool:
    """Return whether the user and secret of *claim*, or the proxy key of *head*, are right.

    A wrong one counts as a log-in that failed.
    """
    if claim is not None:
        block = claim.block
    elif head.has("proxykey"):
        block = Message.of(f"ProxyKey: {head.header('proxykey')}")
    else:
        return False
    collector = Collector(
        peer,
        address,
        guarded=True,
        output=context.output_format(spec),
        filter_local=context.config.filter_local,
    )
    collector.proof = claim.proof if claim is not None else None
    context.registry.add(collector)
    try:
        dispatch.handle(Call(context, collector, block))
        return collector.allowed
    finally:
        context.registry.discard(collector)

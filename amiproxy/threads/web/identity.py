# SPDX-License-Identifier: GPL-2.0-or-later
"""Who visits a resource: what a request says of its sender, as a log-in of a session.

The first of these counts: a ticket in the URL (of /ws and /events alone), ``Authorization:
Bearer``, Basic, the proxy key, the cookie of the console.  What is wrong is not replaced by the
next, but a cookie that is over is no credential at all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING, Callable

from amiproxy.access import tokens
from amiproxy.access.stamp import Stamp
from amiproxy.httpmessages import BadRequest
from amiproxy.message import Message
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.login import claim_name
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.web import tickets
from amiproxy.threads.web.authorization import FAILED, Authorization
from amiproxy.threads.web.cookies import cookie_of
from amiproxy.threads.web.logins import logins_of
from amiproxy.threads.web.revocation import objection
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.access.user import User
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.web.logins import Login
    from amiproxy.threads.web.visit import Visit

log = logging.getLogger("amiproxy.actions")

#: What a browser asks no password for in a window of its own, and other programs take for a 401.
CHALLENGE = (("WWW-Authenticate", 'Bearer realm="astmanproxy"'),)


def collector(visit: Visit) -> Collector:
    """Return a new session for *visit*, whose answers are kept; not registered, nor logged in."""
    context = visit.context
    return Collector(
        visit.transport.peer,
        visit.address,
        guarded=visit.spec.guarded,
        output=context.formats["json"],
        filter_local=context.config.filter_local,
        connection=visit.transport,
    )


def log_in(visit: Visit, session: ClientSession) -> Stamp:
    """Log *session* in, which is registered, as the request of *visit* says; return by what.

    Without credentials it stays as it is, where nobody must log in.  It is said nothing.  What
    lets it in is looked at again whenever the files are read anew (revocation.py).

    Raises:
        Problem: 401, what it says is wrong, or it says nothing where it must; 429, its user is
            there as often as they may be.

    """
    stamp = find_stamp(visit)
    context, user = visit.context, stamp.user
    if user is not None and (reason := claim_name(context, session, user)):
        log.warning("%s: %s is %s", session.peer, ascii(user.name[:64]), reason)
        raise Problem("too-many", f"User {user.name} is {reason}")
    session.stamp = stamp
    if stamp.key:
        session.accept_key()
    elif user is not None:
        context.registry.log_in(session, user, None)
        if not session.is_web and context.shows_connects(user.display_connects):
            log.info("%s: logged in as %s", session.peer, ascii(user.name))
    if stamp.proves:
        visit.mark_authenticated()
    # The files may have been read anew meanwhile, or its user have logged out; whoever does that
    # looks at the stamp, too.
    reason = objection(context, stamp) or ("" if _is_there(visit, stamp) else "it is over")
    if reason and not session.is_web:
        raise Problem("login-required", f"Log in again: {reason}", CHALLENGE)
    if not session.allowed:
        raise Problem("login-required", "Log in: see docs/live.md", CHALLENGE)
    return stamp


@contextlib.contextmanager
def logged_in(visit: Visit) -> Iterator[Collector]:
    """Log in who sent *visit*, for this request alone.

    Raises:
        Problem: 401, it brings no log-in that holds.

    """
    session = collector(visit)
    registry = visit.context.registry
    registry.add(session)
    try:
        log_in(visit, session)
        yield session
    finally:
        registry.discard(session)


def find_stamp(visit: Visit) -> Stamp:
    """Return what the request of *visit* proves of its sender; nothing, if it claims nothing.

    Raises:
        Problem: 401, what it claims is wrong.

    """
    request = visit.request
    if visit.path.lower() in tickets.PATHS:
        given = [value for name, value in visit.fields if name == tickets.FIELD]
        if given:
            return _of_ticket(visit, given[0])
    try:
        claim = Authorization(visit.sessions.nonces, ()).claim(request, wants_digest=False)
    except BadRequest as error:
        raise Problem("login-required", str(error), CHALLENGE) from error
    if claim is not None:
        return prove(visit, claim.block, claim.proof)
    if request.has("proxykey") and visit.spec.guarded:
        return _prove_key(visit, request.header("proxykey"))
    login = login_of(visit)
    if login is None:
        return Stamp(listener=visit.spec.name)
    return _renewed(visit, dataclasses.replace(login.stamp, login=login)) or Stamp(
        listener=visit.spec.name
    )


def prove_token(visit: Visit, token: str) -> Stamp:
    """Return who has *token*, as ``prove``."""
    return prove(visit, Message.of("Action: Login"), tokens.Given(tokens.hash_of(token)))


def prove(
    visit: Visit, block: Message, proof: Callable[[User | None], bool] | None = None
) -> Stamp:
    """Return what *block* proves, a log-in by name and secret, or by the token *proof*.

    Delays, lock-out, counts and log lines are those of any log-in.

    Raises:
        Problem: 401, it is wrong.

    """
    context, prover = visit.context, collector(visit)
    prover.proof = proof
    try:
        dispatch.handle(Call(context, prover, block))
        if not prover.authenticated:
            raise Problem("login-required", FAILED, CHALLENGE)
        token = proof.hashed if isinstance(proof, tokens.Given) and prover.user else ""
        return Stamp(prover.user, token, listener=visit.spec.name)
    finally:
        context.registry.discard(prover)


def login_of(visit: Visit) -> Login | None:
    """Return the log-in whose cookie came with the request of *visit*, None if there is none."""
    cookie = cookie_of(visit)
    return logins_of(visit.context).find(cookie) if cookie else None


def _prove_key(visit: Visit, key: str) -> Stamp:
    """Return what the proxy key *key* proves.

    Raises:
        Problem: 401, it is wrong, or there is none.

    """
    context, prover = visit.context, collector(visit)
    dispatch.handle(Call(context, prover, Message.of(f"ProxyKey: {key}")))
    if not prover.authenticated:
        raise Problem("login-required", FAILED, CHALLENGE)
    return Stamp(key=context.config.proxy_key, listener=visit.spec.name)


def _of_ticket(visit: Visit, ticket: str) -> Stamp:
    """Return who was given *ticket*.

    Raises:
        Problem: 401, nobody, or it is over.

    """
    stamp = tickets.tickets_of(visit.context).take(ticket, visit.address)
    renewed = None if stamp is None else _renewed(visit, stamp)
    if renewed is None:
        raise Problem(
            "login-required",
            "The ticket is not valid: it is good for one connection, for a short time; get another"
            " one from /v1/tickets",
            CHALLENGE,
        )
    return renewed


def _renewed(visit: Visit, stamp: Stamp) -> Stamp | None:
    """Return *stamp*, which was given earlier, as it holds now for *visit*; None: it does not."""
    context = visit.context
    if not (stamp.lets_in(context.users, context.config.proxy_key) and _is_there(visit, stamp)):
        return None
    user: User | None = None
    if stamp.user is not None:
        user = context.users.get(stamp.user.name)
        if user is None or not user.acl.allows(visit.address):
            return None
    return dataclasses.replace(stamp, user=user, listener=visit.spec.name)


def _is_there(visit: Visit, stamp: Stamp) -> bool:
    """Return whether the log-in of a cookie that *stamp* came by, if it did, is not over."""
    return stamp.login is None or logins_of(visit.context).is_there(stamp.login)

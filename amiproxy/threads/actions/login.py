# SPDX-License-Identifier: GPL-2.0-or-later
"""Who the client is: proxy key, Login, Challenge and Logoff (spec section 5)."""

from __future__ import annotations

import hmac
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable

from amiproxy import replies
from amiproxy.access import auth, tokens
from amiproxy.access.hashes import is_hash
from amiproxy.routing import classes
from amiproxy.threads.actions.call import LEAVES, STAYS, Action, Call, Outcome
from amiproxy.threads.sessions.tallies import Tallied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.actions")

#: Why a login with the right secret is refused: allowmultiplelogin is off, or maxperuser.
_ALREADY_LOGGED_IN = "logged in already"
_TOO_OFTEN = "logged in as often as maxperuser allows"
#: And why one from a wrong address is.
_NOT_PERMITTED = "address not permitted"
_RIGHT_SECRET = frozenset({_ALREADY_LOGGED_IN, _TOO_OFTEN})


# -- the proxy key -----------------------------------------------------------------------------


def lacks_key(call: Call) -> bool:
    """Return whether the block may not be looked at: the proxy key, which is set, is missing.

    A block with the right key authenticates the client.  Login, Challenge and Logoff
    need no key, since a login will do instead.
    """
    _, session, message = call
    return (
        not session.authenticated and not _accepts_key(call) and message.action not in LOGIN_ACTIONS
    )


def refuse_key(call: Call) -> Outcome:
    """Answer a block without the right proxy key; its client has to leave."""
    _, session, message = call
    session.say(replies.error(message, "ProxyKey required"))
    if not message.get("ProxyKey"):
        log.warning("%s: no ProxyKey", session.peer)
    return LEAVES


def _accepts_key(call: Call) -> bool:
    """Return whether the block carries the right proxy key; the client is known then."""
    context, session, message = call
    given = message.get("ProxyKey").encode("latin-1")
    if not given:
        return False
    key = context.config.proxy_key.encode("latin-1", "replace")
    with (
        context.turnstile.outside(),
        context.guesses.turn(session.address, lambda: session.ended) as is_heard,
    ):
        if is_heard and hmac.compare_digest(given, key):
            session.accept_key()
            _note(call, "gave the proxy key")
            return True
        if is_heard:
            context.guesses.failed(session.address)
            context.tallies.note(Tallied.FAILED_LOGIN, _kind("wrong ProxyKey"))
            log.warning("%s", auth.failure_line(session.address, "", "wrong ProxyKey"))
    if not is_heard:
        _turn_away(call, "")
    return False


# -- Login, Challenge, Logoff ------------------------------------------------------------------


def log_in(call: Call) -> Outcome:
    """Action: Login.  A second login replaces the first, even if it fails."""
    context, session, message = call
    path = message.get("ProxyPath")
    if path and context.router.closes_circle(path):
        return _refuse_circle(call, replies.error(message, replies.CIRCLE))
    must = session.guarded and context.config.auth_required
    if not context.users and not must and session.allowed:
        # Any name will do.  If a proxy key is set it was given: no login replaces it.
        session.challenge = ""  # any login uses it up, and events are held back until then
        _note(call, "logged in; no users are defined")
        return _welcome(call, None)
    with context.turnstile.outside():  # it waits for other guesses, and for the hash
        return _check(call)


def closes_circle(call: Call) -> Outcome | None:
    """Note which proxies are behind a client that is one, as it says now; None: it may stay.

    A ring of proxies may have been closed since it has logged in.
    """
    context, session, message = call
    path = message.get("ProxyPath") if session.proxy_path and session.allowed else ""
    if not path or path == session.proxy_path:
        return None
    if context.router.closes_circle(path):
        return _refuse_circle(call, replies.proxy_error(message, replies.CIRCLE))
    session.proxy_path = path
    context.router.announce()
    return None


def _refuse_circle(call: Call, answer: Message) -> Outcome:
    """Refuse a proxy through which this proxy is reached."""
    log.error("%s: refused: this proxy is reached through itself", call.session.peer)
    call.session.say(answer)
    return LEAVES


def _check(call: Call) -> Outcome:
    """Log the client in if it gives the secret of a user."""
    context, session, _ = call
    if session.guarded and context.guesses.delay(session.address):
        _make_stranger(call)  # while it waits it counts as what it may be
    user, reason = None, ""
    with context.guesses.turn(session.address, lambda: session.ended) as is_heard:
        if is_heard:
            user, reason = _find_user(call)
            if user is None and reason not in _RIGHT_SECRET:
                context.guesses.failed(session.address)
    if user is None:
        return _refuse(call, reason)
    if context.shows_connects(user.display_connects):
        log.log(_level(call), "%s: logged in as %s", session.peer, ascii(user.name))
    return _welcome(call, user)


def _note(call: Call, text: str) -> None:
    """Log *text*, how a client without a user got in, where it is logged that clients connect."""
    if call.context.connect_level == logging.INFO:
        log.log(_level(call), "%s: %s", call.session.peer, text)


def _level(call: Call) -> int:
    """Return at which level it is logged that a client gets in: with each request of the web."""
    return logging.DEBUG if call.session.is_web else logging.INFO


def _refuse(call: Call, reason: str) -> Outcome:
    """Answer a login that has failed; its client is a stranger again.

    *reason* is for the log; "" if it was not tried.
    """
    context, session, message = call
    name = auth.claimed_name(context.users, _claimed(call))
    context.tallies.note(Tallied.FAILED_LOGIN, _kind(reason))
    if not reason:
        _make_stranger(call)
        _turn_away(call, name)
    elif reason in _RIGHT_SECRET:  # nobody is guessing here
        log.warning("%s: %s is %s", session.peer, ascii(name[:64]), reason)
    else:
        log.warning("%s", auth.failure_line(session.address, name, reason))
    context.registry.log_out(session)
    session.say(replies.error(message, "Authentication failed"))
    _make_stranger(call)  # after the answer: it may end the session
    return STAYS


def _kind(reason: str) -> str:
    """Return *reason* in a word for the metrics."""
    if reason in _RIGHT_SECRET:
        return "too_often"
    return {"": "not_tried", _NOT_PERMITTED: "address"}.get(reason, "failed")


def _claimed(call: Call) -> str:
    """Return the name of the user as whom the client would log in, as far as it says one."""
    context, session, message = call
    if isinstance(session.proof, tokens.Given):
        user = tokens.holder(context.users.values(), session.proof.hashed)
        return "" if user is None else user.name
    return message.get("Username")


def _turn_away(call: Call, name: str) -> None:
    """Let a client wait whose guess, as user *name*, is not tried.

    Told at once that it failed it would be back at once.
    """
    context, session, _ = call
    if not session.ended:
        reason = "too many log-ins of this address wait"
        log.warning("%s", auth.failure_line(session.address, name, reason))
        with context.turnstile.outside():
            context.guesses.hold(lambda: session.ended)


def _make_stranger(call: Call) -> None:
    """Take away what an earlier login gave; the client counts as one that has not logged in."""
    context, session, _ = call
    context.registry.log_out(session)
    if session.slot is not None and not session.allowed:
        context.admission.mark_unauthenticated(session.slot)


def _find_user(call: Call) -> tuple[User | None, str]:
    """Return the user whose credentials the block holds, or None and the reason.

    As in Asterisk the header ``AuthType`` says whether key or secret count; the other one
    is not looked at.  A failure takes as long for every name and reason.
    """
    context, session, message = call
    if isinstance(session.proof, tokens.Given):
        return _find_holder(call, session.proof)
    users, name, secret = context.users, message.get("Username"), message.get("Secret")
    named = users.get(name)
    permitted = named is None or named.acl.allows(session.address)
    challenge, session.challenge = session.challenge, ""  # good for one try, whatever it is
    proof = session.proof or (_is_md5(message) and _answer_to(challenge, message.get("Key")))
    if proof:
        user = named if proof(named) and permitted else None
        if user is None and session.proof and named and is_hash(named.secret):
            return None, "the secret is hashed, which Digest cannot check"
    else:
        user = auth.authenticate(users, name, secret, permitted=permitted)
    if user is None:
        return None, "wrong user or secret" if permitted else _NOT_PERMITTED
    reason = claim_name(context, session, user)
    if reason and not proof:
        auth.spend_rest(users, user, secret)
    return (None, reason) if reason else (user, "")


def _find_holder(call: Call, given: tokens.Given) -> tuple[User | None, str]:
    """Return the user who has the token *given*, or None and the reason."""
    context, session, _ = call
    user = tokens.holder(context.users.values(), given.hashed)
    if user is None:
        return None, "unknown token"
    if not user.acl.allows(session.address):
        return None, _NOT_PERMITTED
    reason = claim_name(context, session, user)
    return (None, reason) if reason else (user, "")


def _answer_to(challenge: str, key: str) -> Callable[[User | None], bool]:
    """Return what tells whether *key* answers *challenge* with the secret of a user."""
    return lambda user: auth.key_matches(user, challenge, key)


def _is_md5(message: Message) -> bool:
    """Return whether a Login or a Challenge is one by MD5."""
    return message.get("AuthType").lower() == "md5"


def claim_name(context: ProxyContext, session: ClientSession, user: User) -> str:
    """Make the session hold the name of *user*; return why it must not, or "".

    Where a user may be there once or a few times only.  Web clients do not count: they log in
    with each request.
    """
    if session.is_web:
        return ""
    most = context.config.max_per_user if user.allow_multiple_login else 1
    if context.registry.names.claim(session, user.name, most):
        return ""
    return _TOO_OFTEN if user.allow_multiple_login else _ALREADY_LOGGED_IN


def _welcome(call: Call, user: User | None) -> Outcome:
    """Log the client in as *user*, None where no users are defined, and say so."""
    context, session, message = call
    mask = classes.event_mask(message.get("Events")) if message.get("Events") else None
    lines = ["Response: Success", "Message: Authentication accepted"]
    if message.get("ProxyPath"):
        lines.append(f"ProxyPath: {context.router.path_before()}")
    said = [replies.reply(message, *lines)]
    read = classes.ALL if user is None else user.read
    if classes.may_see(read if mask is None else read & mask, classes.SYSTEM):
        said.append(replies.FULLY_BOOTED)
    session.proxy_path = message.get("ProxyPath")
    context.registry.log_in(session, user, mask, *said)
    context.tallies.note(Tallied.LOGIN)
    if session.proxy_path:
        context.router.announce()
    return STAYS


def challenge(call: Call) -> Outcome:
    """Action: Challenge, for a login by MD5; each challenge is good for one login."""
    session, message = call.session, call.message
    if not _is_md5(message):
        return call.say(replies.error(message, "Must specify AuthType"))
    session.challenge = auth.new_challenge()
    return call.say(replies.reply(message, "Response: Success", f"Challenge: {session.challenge}"))


def log_off(call: Call) -> Outcome:
    """Action: Logoff.  The client's thread sends the answer."""
    return Outcome(stays=False, goodbye=replies.goodbye(call.message))


#: By name in lower case.  Every client may call these, before the proxy key too, and they
#: take precedence over a ProxyAction in the same block (spec section 5).
LOGIN_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"login": log_in, "logoff": log_off, "challenge": challenge}
)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client's block means, and the actions the proxy carries out itself.

Everything runs in the thread of the client that asks.  ``handle`` follows the
order of spec section 5; the tables below it name each action once.  ProxyActions
are in proxyactions.py.
"""

from __future__ import annotations

import hmac
import logging
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable

from amiproxy import replies
from amiproxy.access import auth, rights
from amiproxy.routing import classes
from amiproxy.routing.eventfilter import NO_FILTERS, filter_action
from amiproxy.threads.actions import proxyactions
from amiproxy.threads.sessions.session import Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.actions")

#: How often who has to wait for his log-in looks whether he is still there, in seconds.
_GLANCE = 0.2

#: Why a right log-in is refused where allowmultiplelogin is off.
_TAKEN = "logged in already"

#: WaitEvent without Timeout, or with -1, waits so long, in seconds.
_LONGEST_WAIT = 3600.0

#: An action of the proxy's own: says its answer, tells whether the client stays.
Action = Callable[["ProxyContext", "ClientSession", "Message"], bool]


def handle(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    """Do what *message* asks; tell whether the client stays."""
    action, values = message.action, message.values
    if (
        context.config.proxy_key
        and not session.authenticated
        and not _has_key(context, session, message)
        and action not in _BEFORE_KEY
    ):
        session.say(replies.error(message, "ProxyKey required"))
        if message.get("ProxyKey"):
            log.warning("%s", auth.failure_line(session.address, "", "wrong ProxyKey"))
        else:
            log.warning("%s: no ProxyKey", session.peer)
        return False
    always = _ALWAYS.get(action)
    if always is not None:
        return always(context, session, message)
    asked = values.get("proxyaction")
    if asked and asked.lower() == "logoff":
        return _log_off(context, session, message)
    if asked:
        proxyactions.perform(context, session, message, asked.lower())
        return True
    if not session.allowed:
        session.say(replies.filtered(message))
        return True
    own = _OWN.get(action)
    if own is not None:
        return own(context, session, message)
    if _is_key_alone(message):
        return True  # what is left is an empty block
    _forward(context, session, message)
    return True


def _is_key_alone(message: Message) -> bool:
    """Tell whether *message* gives the proxy key and holds nothing for Asterisk."""
    return "proxykey" in message.values and not any(message.without("ProxyKey").lines)


def is_logoff(message: Message) -> bool:
    """Tell whether *message* is a log-off, as Action or as ProxyAction."""
    asked = message.values.get("proxyaction")
    return message.action == "logoff" or (
        asked is not None and asked.lower() == "logoff" and message.action not in _ALWAYS
    )


def _has_key(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    """Take the proxy key *message* carries; tell whether it is the right one."""
    key = context.config.proxy_key
    given = message.get("ProxyKey")
    if given:
        _wait_after_failures(context, session)
    if not hmac.compare_digest(given.encode("latin-1"), key.encode("latin-1", "replace")):
        if given:
            context.login_failed(session.address)
        return False
    session.accept_key()
    return True


def _forward(context: ProxyContext, session: ClientSession, message: Message) -> None:
    """Send an action to Asterisk, if the client's rights and filters let it go."""
    reason = rights.refusal(session.user, message)
    allowed = session.outgoing(message) if reason is None else None
    if allowed is None:
        log.info(
            "%s: action %s refused: %s",
            session.peer,
            ascii(message.action[:40]),
            reason or "the user's filters",
        )
        session.say(replies.filtered(message))
        return
    problem = context.router.forward(
        session, allowed, context.limits, hold_back=context.config.originate_async
    )
    if problem is not None:
        session.say(problem)


# -- log-in --------------------------------------------------------------------------------


def _log_in(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    users = context.users
    if not users and not context.config.auth_required and session.allowed:
        # Whoever it says.  Where a proxy key is set, only with it: no login is in its place.
        return _welcome(context, session, message, None)
    _wait_after_failures(context, session)
    user, reason = _find_user(context, session, message)
    if user is None:
        if reason == _TAKEN:  # the secret was right: nobody is guessing here
            log.warning("%s: %s is %s", session.peer, ascii(message.get("Username")[:64]), reason)
        else:
            context.login_failed(session.address)
            log.warning("%s", auth.failure_line(session.address, message.get("Username"), reason))
        session.log_out()
        session.say(replies.error(message, "Authentication failed"))
        return True
    if user.display_connects:
        # A web client logs in with each request.
        level = logging.DEBUG if session.is_web else logging.INFO
        log.log(level, "%s: logged in as %s", session.peer, ascii(user.name))
    return _welcome(context, session, message, user)


def _wait_after_failures(context: ProxyContext, session: ClientSession) -> None:
    """Who failed before waits: in its own thread, and nobody else does."""
    again = time.monotonic() + context.login_delay(session.address)
    while time.monotonic() < again and not session.over:
        if context.stopping.wait(min(_GLANCE, again - time.monotonic())):
            return


def _find_user(
    context: ProxyContext, session: ClientSession, message: Message
) -> tuple[User | None, str]:
    """Return the user a log-in is right for, or None and why not."""
    users, name = context.users, message.get("Username")
    named = users.get(name)
    if named is not None and not named.acl.allows(session.address):
        # Takes as long as for a name that is not there, whatever the secret is.
        auth.authenticate(users, "", message.get("Secret"))
        return None, "address not permitted"
    if message.get("Key"):
        challenge, session.challenge = session.challenge, ""  # good for one try
        user = auth.authenticate_key(users, name, challenge, message.get("Key"))
    else:
        user = auth.authenticate(users, name, message.get("Secret"))
    if user is None:
        return None, "wrong user or secret"
    with context.name_lock:
        if not (user.allow_multiple_login or session.is_web) and any(
            other is not session and not other.is_web and other.login_name == user.name
            for other in context.router.registry.snapshot()
        ):
            return None, _TAKEN
        session.login_name = user.name
    return user, ""


def _welcome(
    context: ProxyContext, session: ClientSession, message: Message, user: User | None
) -> bool:
    mask = classes.event_mask(message.get("Events")) if message.get("Events") else None
    said = [replies.reply(message, "Response: Success", "Message: Authentication accepted")]
    read = classes.ALL if user is None else user.read
    if classes.may_see(read if mask is None else read & mask, classes.SYSTEM):
        said.append(replies.FULLY_BOOTED)
    if user is not None and user.filtered:
        context.router.registry.will_filter(session.number)
    session.log_in(user, mask, *said)
    return True


def _log_off(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    del context
    session.say(replies.goodbye(message))
    return False


def _challenge(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    del context
    if message.get("AuthType").lower() != "md5":
        session.say(replies.error(message, "Must specify AuthType"))
        return True
    session.challenge = auth.new_challenge()
    session.say(replies.reply(message, "Response: Success", f"Challenge: {session.challenge}"))
    return True


#: Served whoever asks, before any ProxyAction in the same block (spec section 5).
_ALWAYS: Mapping[str, Action] = MappingProxyType(
    {"login": _log_in, "logoff": _log_off, "challenge": _challenge}
)

#: Served before the proxy key was given: a log-in will do instead.
_BEFORE_KEY = frozenset(["login", "challenge", "logoff"])


# -- actions that would change the shared session (spec 12.8) ----------------------------------


def _events(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    del context
    mask = classes.event_mask(message.get("EventMask"))
    if mask is None:
        session.say(replies.error(message, "Invalid event mask"))
        return True
    session.set_event_mask(mask)
    told = "On" if mask else "Off"
    session.say(replies.reply(message, "Response: Success", f"Events: {told}"))
    return True


def _filter(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    del context
    filters, text = filter_action(session.own_filters or NO_FILTERS, message)
    if filters is None:
        session.say(replies.error(message, text))
        return True
    session.add_filter(filters)
    session.say(replies.reply(message, "Response: Success", f"Message: {text}"))
    return True


def _wait_event(context: ProxyContext, session: ClientSession, message: Message) -> bool:
    del context
    try:
        timeout = float(message.get("Timeout") or -1)
    except ValueError:
        timeout = -1.0
    if not 0 <= timeout <= _LONGEST_WAIT:
        timeout = _LONGEST_WAIT
    with session.lock:
        session.waiting_for_event = Wait(message, time.monotonic() + timeout)
    return True


def finish_wait(session: ClientSession) -> None:
    """Answer the WaitEvent that is over, as Asterisk does (recording h4)."""
    with session.lock:
        wait, session.waiting_for_event = session.waiting_for_event, None
    if wait is None:
        return
    session.say(
        replies.reply(wait.request, "Response: Success", "Message: Waiting for Event completed.")
    )
    session.say(replies.reply(wait.request, "Event: WaitEventComplete"))


_OWN: Mapping[str, Action] = MappingProxyType(
    {"events": _events, "filter": _filter, "waitevent": _wait_event}
)

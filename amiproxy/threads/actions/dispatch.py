# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client's block means: ``handle`` finds the function that carries it out.

Everything runs in the thread of the client that asks.  Actions are in login.py,
local.py and proxyactions.py; all others are Asterisk's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.access import rights
from amiproxy.asterisk.actions import name_of
from amiproxy.threads.actions import login, proxyactions
from amiproxy.threads.actions.audited import audited
from amiproxy.threads.actions.call import STAYS, Call, Outcome
from amiproxy.threads.actions.local import LOCAL_ACTIONS
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.sessions.tallies import Tallied

if TYPE_CHECKING:
    from amiproxy.message import Message

log = logging.getLogger("amiproxy.actions")


def handle(call: Call) -> Outcome:
    """Carry out the block of *call*, looked at in the order of spec section 5."""
    message = call.message
    if call.session.guarded and call.context.config.proxy_key and login.lacks_key(call):
        return login.refuse_key(call)
    action = message.action
    login_action = LOGIN_ACTIONS.get(action)
    if login_action is not None:
        return login_action(call)
    proxy_action = message.values.get("proxyaction")
    if proxy_action:
        return login.closes_circle(call) or proxyactions.perform(call, proxy_action)
    if not call.session.allowed:
        return call.say(_refusal(call, message, "not logged in"))
    local = LOCAL_ACTIONS.get(action)
    return _forward(call) if local is None else local(call.in_order())


def _forward(call: Call) -> Outcome:
    """Send an action to Asterisk, unless the client's rights or filters refuse it."""
    context, session, message = call
    if "proxykey" in message.values and _is_key_alone(message):
        return STAYS  # without the key the block is empty
    user = session.user
    listings = context.router.listings(user, message) if user and rights.needs_listing(user) else ()
    allowed = rights.refusal(user, message, listings) or session.outgoing(message)
    if isinstance(allowed, str):
        refusal = _refusal(call, message, allowed)
        return call.in_order().say(refusal)
    config = context.config
    witness = audited(call, allowed) if config.audit else None
    problem = context.router.forward(
        session,
        allowed,
        context.limits,
        hold_back=config.originate_async,
        most=config.max_unanswered,
        witness=witness,
    )
    if problem is None:
        session.actions += 1
        return STAYS
    context.tallies.note(Tallied.UNSENT_ACTION, name_of(message.action))
    if witness is not None:
        witness.over("", problem)
    return call.in_order().say(problem)


def _refusal(call: Call, message: Message, reason: str) -> Message:
    """Log that the client may not ask *message* for *reason*; return the answer."""
    name = ascii(message.action[:40])
    log.info("%s: action %s refused: %s", call.session.peer, name, reason)
    call.context.tallies.note(Tallied.REFUSED_ACTION, name_of(message.action))
    config = call.context.config
    if config.audit and (witness := audited(call, message)) is not None:
        witness.end(f"refused: {reason}")
    return replies.filtered(message)


def _is_key_alone(message: Message) -> bool:
    """Return whether *message*, which gives the proxy key, holds nothing for Asterisk."""
    return not any(message.without("ProxyKey").lines)

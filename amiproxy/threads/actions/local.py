# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that would change the shared session with Asterisk (spec 12.8).

The proxy carries them out itself, for the one client that asks.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.access import rights
from amiproxy.basics.deadline import Deadline
from amiproxy.routing import classes
from amiproxy.routing.eventfilter import NO_FILTERS, filter_action
from amiproxy.threads.actions.call import STAYS, Action, Call, Outcome
from amiproxy.threads.sessions.waitevent import WaitEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.actions")

#: The longest a WaitEvent may wait, and how long it waits without Timeout, in seconds.
MAX_WAIT = 3600.0


def _events(call: Call) -> Outcome:
    context, session, message = call
    mask = classes.event_mask(message.get("EventMask"))
    if mask is not None:
        session.set_event_mask(mask)
    # As Asterisk answers with that setting, for programs of the days before 1.8; a web request
    # is always answered.
    broken = context.users.general.broken_events_action and not session.is_web
    if broken and mask in (None, classes.ALL):
        return STAYS
    if mask is None:
        return call.say(replies.error(message, "Invalid event mask"))
    state = "On" if mask else "Off"
    return call.say(replies.reply(message, "Response: Success", f"Events: {state}"))


def _filter(call: Call) -> Outcome:
    _, session, message = call
    # Its class is that of Asterisk, in sections.
    reason = rights.refusal(session.user, message)
    if reason is not None:
        log.info("%s: action filter refused: %s", session.peer, reason)
        return call.say(replies.filtered(message))
    filters, text = filter_action(session.own_filters or NO_FILTERS, message)
    if filters is None:
        return call.say(replies.error(message, text))
    session.add_filter(filters)
    return call.say(replies.reply(message, "Response: Success", f"Message: {text}"))


def _wait_event(call: Call) -> Outcome:
    try:
        timeout = float(call.message.get("Timeout") or -1)
    except ValueError:
        timeout = -1.0
    if not 0 <= timeout <= MAX_WAIT:
        timeout = MAX_WAIT
    return Outcome(wait=WaitEvent(call.message, Deadline(timeout)))


def finish_wait(session: ClientSession) -> None:
    """Answer the WaitEvent that is over, as Asterisk does (recording h4)."""
    with session.lock:
        wait, session.waiting_for_event = session.waiting_for_event, None
    if wait is None:
        return
    session.say(replies.waited(wait.request))
    session.say(replies.wait_complete(wait.request))


#: By name in lower case.
LOCAL_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"events": _events, "filter": _filter, "waitevent": _wait_event}
)

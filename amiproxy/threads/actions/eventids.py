# SPDX-License-Identifier: GPL-2.0-or-later
"""SetEventIDs and Resume: ids of events, and what a client has missed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing import classes
from amiproxy.routing.gaps import RING
from amiproxy.threads.actions.call import STAYS
from amiproxy.threads.actions.record import Records
from amiproxy.threads.sessions.replay import ReplayError, held, track_exactly
from amiproxy.threads.sessions.resuming import Way, check_since, read_since, way_from
from amiproxy.threads.sessions.streamsession import StreamSession

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.actions.call import Call, Outcome

log = logging.getLogger("amiproxy.actions")

RECORDS = Records()
_proxy_action = RECORDS.proxy_action


@_proxy_action(
    "SetEventIDs",
    headers="`EventIDs`: on, off",
    reply="`EventIDs: on`, `ProxyEventID: id`: events bear a `ProxyEventID:` from now on",
)
def _set_event_ids(call: Call) -> Outcome:
    try:
        return _switch(call, _connected(call))
    except ReplayError as error:
        return call.say(replies.proxy_error(call.message, str(error)))


def _switch(call: Call, session: StreamSession) -> Outcome:
    """Give events ids from now on, or none."""
    message = call.message
    wanted = parse_bool(message.get("EventIDs"))
    if wanted is None:
        raise ReplayError("EventIDs is neither on nor off")
    if not wanted:
        with session.lock:
            if session.track is not None and session.track.shows_ids:
                session.set_track(None)
        return call.say(replies.proxy_success(message, "EventIDs: off"))
    track_exactly(session, call.context.turnstile)
    session.show_ids(lambda event_id: _success(call, event_id, "EventIDs: on"))
    return STAYS


def _success(call: Call, event_id: str, *lines: str) -> Message:
    return replies.proxy_success(call.message, *lines, f"ProxyEventID: {event_id}")


@_proxy_action(
    "Resume",
    headers="`Since`, the id of an event; `EventMask`, as `Action: Events` has it (or none: on)",
    reply="`ProxyEventID: id`; then the events behind that one, and then those that come; "
    "`Since is no event id`",
)
def _resume(call: Call) -> Outcome:
    try:
        _send_missed(call, _connected(call))
    except ReplayError as error:
        return call.say(replies.proxy_error(call.message, str(error)))
    return STAYS


def _connected(call: Call) -> StreamSession:
    """Return the session of *call*, whose client has a connection to be sent events on.

    Raises:
        ReplayError: it has not.

    """
    session = call.session
    if not isinstance(session, StreamSession):
        raise ReplayError("This needs a connection of its own, not a web request")
    return session


def _send_missed(call: Call, session: StreamSession) -> None:
    """Send what the client has missed, and then events as they come.

    Raises:
        ReplayError: what it wants cannot be.
        PeerError: the connection is over.

    """
    context, message = call.context, call.message
    text = message.get("Since")
    since = read_since(text)
    mask = classes.event_mask(message.get("EventMask") or "on")
    if mask is None:
        raise ReplayError("Invalid event mask")
    if session.has_resumed:
        raise ReplayError("This connection has resumed already")
    router = context.router
    check_since(since, router, session.viewer, context.turnstile)
    if session.viewer.follows_calls and session.shown is not None and not session.is_early:
        raise ReplayError("Log in with Events: off to resume")
    with held(session, context) as hold:
        way = way_from(since, router.nonce, router.servers, session.viewer, hold.position())
        seen = None
        if not hold.is_fresh:
            seen = session.shown() if session.shown is not None else None
            if seen is None:  # nobody has noted what it was shown
                way = Way(hold.position(), dict.fromkeys(hold.position(), RING))
        session.has_resumed = True
        hold.begin_at(way.places, seen, way.ahead)
        session.show_ids(lambda _: _success(call, text), mask)
        hold.learn()
        hold.tell_gaps(way.gaps)
        hold.release()
    log.info("%s: resumed: %d bytes of events", session.peer, hold.sent)

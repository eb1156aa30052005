# SPDX-License-Identifier: GPL-2.0-or-later
"""The actions a simulated Asterisk carries out, in one table.

Each takes the session and the request, and returns the bytes of its answer.
They run in the session's thread, which does nothing else meanwhile - as in
Asterisk, where a slow action holds up the whole session.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import random
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable

from simulator import events, lists, telephony
from simulator.events import write
from simulator.recordings import split
from simulator.replies import (
    CONFERENCE_BUFFER,
    LIST_BUFFER,
    STATUS_BUFFER,
    cut_ids,
    error,
    id_line,
    response,
    success,
)
from simulator.scripts import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.protocol import Request
    from simulator.session import Session

    Action = Callable[[Session, Request], bytes]

#: Served without log-in; names in lower case.
BEFORE_LOGIN = frozenset({"login", "logoff", "challenge"})


def perform(session: Session, request: Request) -> bytes:
    """Carry out what *request* asks for and return the answer."""
    action = ACTIONS.get(request.action.lower())
    if action is not None:
        return action(session, request)
    recorded = answers().get(request.action.lower())
    if recorded is not None:
        return _cut(fill(recorded, request), request)
    bad_format(session, request.action)
    return error(
        request,
        f"Invalid/unknown command: {request.action}. "
        "Use Action: ListCommands to show available commands.",
    )


def _cut(answer: bytes, request: Request) -> bytes:
    """Return a recorded *answer* with its ActionIDs as Asterisk's buffers leave them."""
    action = request.action.lower()
    if action == "coresettings":
        return cut_ids(answer, request, STATUS_BUFFER)
    size = CONFERENCE_BUFFER if action == "confbridgelist" else LIST_BUFFER
    # The response and the end of a list are written without a buffer between.
    first, items, last = (b"".join(part) for part in _thirds(split(answer)))
    return first + cut_ids(items, request, size) + last


def _thirds(messages: list[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    return messages[:1], messages[1:-1], messages[1:][-1:]


def fill(answer: bytes, request: Request) -> bytes:
    """Return a prepared *answer* with the ActionID of *request* in its place."""
    if not request.action_id:
        answer = answer.replace(b"ActionID: {ActionID}\r\n", b"")
    return answer.replace(b"{ActionID}", request.action_id.encode("latin-1"))


def missing_action(session: Session, request: Request) -> bytes:
    """Answer a message without Action, such as a stray blank line."""
    bad_format(session, "NONE")
    return error(request, "Missing action in request")


# Security events --------------------------------------------------------------


def bad_format(session: Session, action: str) -> None:
    """Tell those who read class security that *action* cannot be."""
    if session.authenticated:
        _security(session, "RequestBadFormat", "Error", RequestType=f"Action: {action}")


def _security(session: Session, name: str, severity: str, **more: str) -> None:
    if not session.server.security_events:
        return
    now = dt.datetime.now(dt.timezone.utc)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}+0000"
    address, _, port = session.peer.rpartition(":")
    headers = {
        "EventTV": stamp,
        "Severity": severity,
        "Service": "AMI",
        "EventVersion": "1",
        "AccountID": session.user,
        "SessionID": f"0x{id(session):x}",
        "LocalAddress": f"IPV4/TCP/{session.server.host}/{session.server.port}",
        "RemoteAddress": f"IPV4/TCP/{address}/{port}",
        **more,
        "SessionTV": stamp,
    }
    if name == "RequestBadFormat":  # here it comes last, as recorded
        headers["AccountID"] = headers.pop("AccountID")
    session.server.event(name, **headers)


# Sessions -----------------------------------------------------------------------


def login(session: Session, request: Request) -> bytes:
    """Log the session in, or refuse and let it go."""
    server = session.server
    session.sleep(server.faults.login_delay)
    if server.faults.mute_login:
        return b""
    if session.authenticated:
        return success(request, "Already authenticated")
    user = request.get("Username")
    if not user or server.faults.login_error or not _secret_matches(session, request):
        return _refuse(session, request, user)
    session.user = user
    mask = request.get("Events")
    session.mask = events.mask_of(mask) if mask else events.ALL
    answer = success(request, "Authentication accepted")
    booted = server.boot and session.mask & events.CLASSES["system"]
    if booted and not server.boot_delay:
        answer += _fully_booted(session)
    # Events queued from now on are delivered behind the answer, by this thread.
    server.logged_in(session)
    if booted and server.boot_delay:
        server.exchange.plan(server.boot_delay, lambda: session.queue((-1, _fully_booted(session))))
    _security(session, "SuccessfulAuth", "Informational", UsingPassword="0")
    return answer


def _secret_matches(session: Session, request: Request) -> bool:
    secret = session.server.users.get(request.get("Username"))
    if secret is None:
        return False
    if request.get("AuthType").lower() == "md5":
        text = (session.challenge + secret).encode("latin-1", "replace")
        expected = hashlib.md5(text).hexdigest()
        given = request.get("Key")
        return bool(session.challenge) and _same(given, expected)
    return _same(request.get("Secret"), secret)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.encode("latin-1", "replace"), expected.encode("latin-1", "replace")
    )


def _refuse(session: Session, request: Request, user: str) -> bytes:
    faults = session.server.faults
    session.sleep(faults.refusal_delay)
    session.user = user
    _security(session, "InvalidPassword", "Error")
    session.leaving = not faults.keep_refused
    return error(request, faults.login_error or "Authentication failed")


def _fully_booted(session: Session) -> bytes:
    lines = ["Event: FullyBooted", "Privilege: system,all"]
    if session.server.dialect.uptime:
        uptime = int(time.time() - session.server.started)
        lines += [f"Uptime: {uptime}", f"LastReload: {uptime}"]
    return write([*lines, "Status: Fully Booted"])


def challenge(session: Session, request: Request) -> bytes:
    """Give a challenge for an MD5 log-in."""
    if request.get("AuthType").lower() != "md5":
        return error(request, "Must specify AuthType")
    session.challenge = (
        session.challenge or session.server.challenge or str(random.randrange(10**8, 10**9))
    )
    return response(request, "Success", f"Challenge: {session.challenge}")


def logoff(session: Session, request: Request) -> bytes:
    """Say goodbye; the session closes when it is said."""
    session.leaving = True
    return response(request, "Goodbye", "Message: Thanks for all the fish.")


def ping(_session: Session, request: Request) -> bytes:
    """Answer Pong."""
    return response(request, "Success", "Ping: Pong", f"Timestamp: {time.time():.6f}")


def set_events(session: Session, request: Request) -> bytes:
    """Set the event mask of the session."""
    mask = request.get("EventMask")
    if not mask:
        return error(request, "Invalid event mask")
    session.mask = events.mask_of(mask)
    return response(request, "Success", f"Events: {'On' if session.mask else 'Off'}")


def add_filter(session: Session, request: Request) -> bytes:
    """Add an event filter; it cannot be taken away."""
    if request.get("Operation").lower() != "add":
        return error(request, "Unknown operation")
    text = request.get("Filter")
    criteria = request.get("MatchCriteria")
    wrong = "Filter was formatted incorrectly.  Check the syntax of the filter given."
    if criteria:
        text = events.criteria(criteria, text)
    if not text:
        return error(request, wrong)
    if not session.filters.add(text):
        return error(request, "Filter did not compile.  Check the syntax of the filter given.")
    return success(request, "Success")


def wait_event(session: Session, request: Request) -> bytes:
    """Hold the session up until an event comes, or for the time-out."""
    timeout = request.get("Timeout")
    seconds = float(timeout) if timeout.isdigit() else 86400.0
    session.wait_for_event(seconds)
    session.write(success(request, "Waiting for Event completed."))
    session.deliver()
    return write(["Event: WaitEventComplete", *id_line(request)])


def user_event(session: Session, request: Request) -> bytes:
    """Send an event with all the headers of the request to everybody."""
    server = session.server
    lines = [
        line
        for line in request.lines
        if line.partition(":")[0].lower() not in ("action", "actionid", "userevent")
    ]
    head = ["Event: UserEvent", "Privilege: user,all", f"UserEvent: {request.get('UserEvent')}"]
    server.publish(write([*head, *id_line(request), *lines]))
    return success(request, "Event Sent")


# Adding an action is adding a row; names in lower case.
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "challenge": challenge,
        "command": lists.command,
        "coreshowchannels": lists.core_show_channels,
        "corestatus": lists.core_status,
        "events": set_events,
        "filter": add_filter,
        "getvar": telephony.get_variable,
        "hangup": telephony.hangup,
        "iaxnetstats": lists.iax_netstats,
        "iaxpeers": lists.iax_peers,
        "login": login,
        "logoff": logoff,
        "originate": telephony.originate,
        "ping": ping,
        "queuestatus": lists.queue_status,
        "queuesummary": lists.queue_summary,
        "setvar": telephony.set_variable,
        "sippeers": lists.sip_peers,
        "status": lists.status,
        "userevent": user_event,
        "waitevent": wait_event,
    }
)

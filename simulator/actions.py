# SPDX-License-Identifier: GPL-2.0-or-later
"""The actions a simulated Asterisk carries out, in two tables.

Each takes the action, and the session or only the PBX, and returns the bytes of
its answer.  It runs in the session's thread, which does nothing else meanwhile:
as in Asterisk, a slow action blocks the whole session.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, Optional

from simulator import database, lists, logins, phones, queues, subscriptions, telephony
from simulator.dialects import actions_of
from simulator.events import CLASSES, write
from simulator.recordings import split
from simulator.replies import (
    CONFERENCE_BUFFER,
    LIST_BUFFER,
    STATUS_BUFFER,
    cut_ids,
    cut_items,
    error,
    id_line,
    response,
    success,
)
from simulator.scripts import answers
from simulator.security import bad_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.pbx import Answer, Pbx
    from simulator.protocol import Action
    from simulator.session import Session

PERMISSION_DENIED = "Permission denied"

#: Allowed without a login; names in lower case.
BEFORE_LOGIN = frozenset({"login", "logoff", "challenge"})


def respond(session: Session, action: Action) -> bytes:
    """Return what Asterisk answers to *action*; empty if it does not answer."""
    if action.error:
        return error(action, action.error)
    if not action.name:
        bad_format(session, "NONE")
        return error(action, "Missing action in request")
    if not session.authenticated:
        if action.name.lower() not in BEFORE_LOGIN:
            return error(action, PERMISSION_DENIED)
    elif session.pbx.faults.mute:
        return b""
    replaced = session.pbx.answers.get(action.name.lower())
    if replaced is not None:
        return _replaced(replaced, action)
    return perform(session, action)


def _replaced(answer: Answer, action: Action) -> bytes:
    if isinstance(answer, bytes):
        return fill(answer, action)
    return answer(action) or b""


def perform(session: Session, action: Action) -> bytes:
    """Carry out *action* and return the built-in or recorded answer."""
    if session.authenticated and session.pbx.faults.shutting_down:
        return error(action, "Asterisk is shutting down")
    answer = _answer(session, action)
    if answer is not None:
        return session.pbx.dialect.answer(action.name, answer)
    bad_format(session, action.name)
    return error(
        action,
        f"Invalid/unknown command: {action.name}. "
        "Use Action: ListCommands to show available commands.",
    )


def _answer(session: Session, action: Action) -> bytes | None:
    """Return the answer of Asterisk 22; None if this generation has no such action."""
    name = action.name.lower()
    if actions_of(session.pbx.behaviour.speak).get(name, ("", ""))[1] == "-":
        return None
    if name in SESSION_ACTIONS:
        return SESSION_ACTIONS[name](session, action)
    if name in PBX_ACTIONS:
        answer = PBX_ACTIONS[name](session.pbx, action)
        if answer is not None:
            return answer
    recorded = answers().get(name)
    if recorded is None:
        return None
    if name == "coresettings":
        recorded = _of_generation(recorded, session.pbx)
    return _cut(fill(recorded, action), action)


def _of_generation(answer: bytes, pbx: Pbx) -> bytes:
    """Return *answer* with the versions that *pbx* speaks like."""
    answer = answer.replace(b"{AMIversion}", pbx.dialect.ami.encode())
    return answer.replace(b"{AsteriskVersion}", pbx.dialect.version.encode())


def _cut(answer: bytes, action: Action) -> bytes:
    """Return a recorded *answer* with its ActionIDs as Asterisk's buffers leave them."""
    name = action.name.lower()
    if name == "coresettings":
        return cut_ids(answer, action, STATUS_BUFFER)
    size = CONFERENCE_BUFFER if name == "confbridgelist" else LIST_BUFFER
    return cut_items(split(answer), action, size)


def fill(answer: bytes, action: Action) -> bytes:
    """Return a prepared *answer* with the ActionID of *action* filled in."""
    if not action.action_id:
        answer = answer.replace(b"ActionID: {ActionID}\r\n", b"")
    return answer.replace(b"{ActionID}", action.action_id.encode("latin-1"))


def ping(_pbx: Pbx, action: Action) -> bytes:
    """Answer Pong."""
    return response(action, "Success", "Ping: Pong", f"Timestamp: {time.time():.6f}")


def list_commands(pbx: Pbx, action: Action) -> bytes:
    """List the actions of this generation: as recorded, or made of the table of actions."""
    recorded = fill(answers()["listcommands"], action)
    if pbx.behaviour.speak == "22" and not pbx.exchange.technology.phones:
        return recorded
    said = [line.partition(": ") for line in recorded.decode("latin-1").split("\r\n")]
    texts = {name: text.partition("(Priv: ")[0] for name, _, text in said}
    found = []
    for name, classes in actions_of(pbx.behaviour.speak).values():
        if classes != "-":
            words = sorted(classes.split(","), key=list(CLASSES).index) if classes != "none" else []
            priv = ",".join([*words, "all"]) if words else "<none>"
            found.append(f"{name}: {texts.get(name, 'No description. ')}(Priv: {priv})")
    return response(action, "Success", *found)


def user_event(pbx: Pbx, action: Action) -> bytes:
    """Send an event with all the headers of the action to all sessions."""
    lines = [
        line
        for line in action.lines
        if line.partition(":")[0].lower() not in ("action", "actionid", "userevent")
    ]
    head = ["Event: UserEvent", "Privilege: user,all", f"UserEvent: {action.get('UserEvent')}"]
    if pbx.dialect.echoes_action:
        head.append(f"Action: {action.name}")
    pbx.publish(write([*head, *id_line(action), *lines]))
    return success(action, "Event Sent")


# To add an action, add a row to one of these; names in lower case.

#: Actions that concern their session, or wait.
SESSION_ACTIONS: Mapping[str, Callable[[Session, Action], bytes]] = MappingProxyType(
    {
        "challenge": logins.challenge,
        "events": subscriptions.set_events,
        "filter": subscriptions.add_filter,
        "login": logins.login,
        "logoff": logins.logoff,
        "originate": telephony.originate,
        "waitevent": subscriptions.wait_event,
    }
)

#: Actions that concern the whole PBX; for None the answer is the recorded one.
PBX_ACTIONS: Mapping[str, Callable[[Pbx, Action], Optional[bytes]]] = MappingProxyType(
    {
        "bridgeinfo": lists.bridge_info,
        "bridgelist": lists.bridge_list,
        "command": lists.command,
        "coreshowchannels": lists.core_show_channels,
        "corestatus": lists.core_status,
        "dbdel": database.delete,
        "dbdeltree": database.delete_tree,
        "dbget": database.get,
        "dbgettree": database.get_tree,
        "dbput": database.put,
        "devicestatelist": lists.device_states,
        "extensionstatelist": lists.extension_states,
        "getvar": telephony.get_variable,
        "hangup": telephony.hangup,
        "iaxnetstats": lists.iax_netstats,
        "iaxpeers": phones.iax_peers,
        "listcommands": list_commands,
        "ping": ping,
        "pjsipqualify": phones.qualify,
        "pjsipshowaors": phones.aors,
        "pjsipshowcontacts": phones.contacts,
        "pjsipshowendpoints": phones.endpoints,
        "pjsipshowregistrationinboundcontactstatuses": phones.contact_statuses,
        "queuepause": queues.queue_pause,
        "queuestatus": queues.queue_status,
        "queuesummary": queues.queue_summary,
        "setvar": telephony.set_variable,
        "sippeers": phones.sip_peers,
        "status": lists.status,
        "userevent": user_event,
        "voicemailuserslist": lists.voicemail_users,
    }
)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that make, change and end calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.events import write
from simulator.orders import FOREVER, Order
from simulator.replies import error, id_line, listing, response, success

if TYPE_CHECKING:
    from simulator.calls import Call
    from simulator.channels import Channel
    from simulator.pbx import Pbx
    from simulator.protocol import Action
    from simulator.session import Session

_YES = frozenset({"yes", "true", "y", "t", "1", "on"})


def originate(session: Session, action: Action) -> bytes:
    """Begin a call.

    Without ``Async`` the session waits until the phone has answered, or the call has
    failed, and sends nothing meanwhile.
    """
    pbx = session.pbx
    if not action.get("Channel"):
        return error(action, "Channel not specified")
    wrong = _wrong(action)
    if wrong:
        return error(action, wrong)
    asynchronous = action.get("Async").lower() in _YES
    outcome = pbx.behaviour.outcome or outcome_of(action)
    order = _order(pbx, action, announce=asynchronous)
    if outcome == "failed":
        return _no_such_tech(pbx, action, asynchronous=asynchronous)
    call = pbx.exchange.call(order, outcome)
    if asynchronous:
        return success(action, "Originate successfully queued")
    return _wait(session, action, call)


def _wrong(action: Action) -> str:
    """Return what is wrong with an Originate, as action_originate finds out; empty: nothing."""
    priority, timeout = action.get("Priority"), action.get("Timeout")
    if "/" not in action.get("Channel"):
        return "Invalid channel"
    if priority and not priority.isdigit():
        return "Invalid priority"
    if timeout and not timeout.lstrip("-").isdigit():
        return "Invalid timeout"
    if action.get("Application"):
        return ""
    if not (action.get("Exten") and action.get("Context") and priority):
        return "Originate with 'Exten' requires 'Context' and 'Priority'"
    return "Extension does not exist." if action.get("Exten").lower() == "none" else ""


def _wait(session: Session, action: Action, call: Call) -> bytes:
    session.wait_for(call.decided, call.order.timeout + 60)
    if call.succeeded:
        return success(action, "Originate successfully queued")
    return error(action, "Originate failed")


def _no_such_tech(pbx: Pbx, action: Action, *, asynchronous: bool) -> bytes:
    if not asynchronous:
        return error(action, "Originate failed")
    lines = [
        "Event: OriginateResponse",
        "Privilege: call,all",
        *id_line(action),
        "Response: Failure",
        f"Channel: {action.get('Channel')}",
        f"Context: {action.get('Context')}",
        f"Exten: {action.get('Exten')}",
        "Reason: 0",
        f"Uniqueid: {pbx.dialect.no_id}",
        "CallerIDNum: <unknown>",
        "CallerIDName: <unknown>",
    ]
    pbx.publish(write(lines))
    return success(action, "Originate successfully queued")


def outcome_of(action: Action) -> str:
    """Return how the call that *action* asks for ends.

    ``failed`` for a Channel ``NoTech/...``; ``busy`` and ``noanswer`` for one with
    ``busy``, ``never`` or ``noanswer`` in it; ``queue`` and ``voicemail`` for a Context or
    Exten with that in it; else ``answered``.
    """
    channel = action.get("Channel").lower()
    if channel.startswith("notech/"):
        return "failed"
    if "busy" in channel:
        return "busy"
    if "never" in channel or "noanswer" in channel:
        return "noanswer"
    where = (action.get("Context") + action.get("Exten")).lower()
    return next((each for each in ("queue", "voicemail") if each in where), "answered")


def _order(pbx: Pbx, action: Action, *, announce: bool) -> Order:
    timeout = action.get("Timeout")
    # Calls to phones of this name last until somebody hangs up, as in the recordings.
    stay = "/stay" in action.get("Channel").lower()
    return Order(
        channel=action.get("Channel"),
        context=action.get("Context") or "default",
        exten=action.get("Exten") or "s",
        caller=action.get("CallerID"),
        account=action.get("Account"),
        action_id=action.action_id,
        variables=tuple(_variables(action)),
        channel_id=action.get("ChannelId"),
        other_channel_id=action.get("OtherChannelId"),
        timeout=int(timeout) / 1000 if timeout.isdigit() else 30.0,
        talk=FOREVER if stay else pbx.behaviour.talk,
        announce=announce,
    )


def _variables(action: Action) -> list[tuple[str, str]]:
    """Return the variables of *action*: repeated headers, or ``a=1,b=2``."""
    pairs = [pair for value in action.all("Variable") for pair in re.split(r"[,|]", value)]
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs) if name]


def hangup(pbx: Pbx, action: Action) -> bytes:
    """Hang up one channel, or all that match ``/regex/``."""
    wanted = action.get("Channel")
    if not wanted:
        return error(action, "No channel specified")
    channels = pbx.exchange.channels
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return _hang_up_all(action, channels, wanted[1:-1])
    found = [channel for channel in channels if channel.name == wanted]
    if not found:
        return error(action, "No such channel")
    found[0].call.hang_up()
    return success(action, "Channel Hungup")


def _hang_up_all(action: Action, channels: list[Channel], pattern: str) -> bytes:
    try:
        expression = re.compile(pattern.encode("latin-1", "replace"))
    except re.error:
        return error(action, "Regex compile error")
    found = [one for one in channels if expression.search(one.name.encode("latin-1", "replace"))]
    for channel in found:
        channel.call.hang_up()
    items = [
        ["Event: ChannelHungup", f"Channel: {channel.name}", *id_line(action)] for channel in found
    ]
    return listing(action, "Channels hung up will follow", items, "ChannelsHungupListComplete")


def _find(pbx: Pbx, action: Action) -> Channel | None:
    name = action.get("Channel")
    return next((one for one in pbx.exchange.channels if one.name == name), None)


def get_variable(pbx: Pbx, action: Action) -> bytes:
    """Return a variable, of a channel or global."""
    name = action.get("Variable")
    if not name:
        return error(action, "No variable specified")
    channel = _find(pbx, action)
    if action.get("Channel") and channel is None:
        return error(action, "No such channel")
    variables = channel.variables if channel else pbx.variables
    value = variables.get(name, "")
    return response(action, "Success", f"Variable: {name}", f"Value: {value}")


def set_variable(pbx: Pbx, action: Action) -> bytes:
    """Set a variable, of a channel or global; VarSet goes to all sessions."""
    name, value = action.get("Variable"), action.get("Value")
    if not name:
        return error(action, "No variable specified")
    channel = _find(pbx, action)
    if action.get("Channel") and channel is None:
        return error(action, "No such channel")
    lines = ["Event: VarSet", "Privilege: dialplan,all"]
    if channel is None:
        pbx.variables[name] = value
        lines += ["Channel: none", "Uniqueid: none"]
    else:
        channel.variables[name] = value
        lines += [f"Channel: {channel.name}"]
        lines += [f"{key}: {text}" for key, text in channel.headers.items()]
    pbx.publish(write([*lines, f"Variable: {name}", f"Value: {value}"]))
    return success(action, "Variable Set")

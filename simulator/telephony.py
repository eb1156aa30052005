# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that make, change and end calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

from simulator.calls import FOREVER, Order
from simulator.events import write
from simulator.replies import error, id_line, listing, response, success

if TYPE_CHECKING:
    from simulator.calls import Call
    from simulator.channels import Channel
    from simulator.protocol import Request
    from simulator.session import Session

_YES = frozenset({"yes", "true", "y", "t", "1", "on"})


def originate(session: Session, request: Request) -> bytes:
    """Call somebody.

    Without ``Async`` the session waits until the phone answers, or does not, and
    delivers nothing meanwhile.
    """
    if not request.get("Channel"):
        return error(request, "Channel not specified")
    if request.get("Exten").lower() == "none":
        return error(request, "Extension does not exist.")
    asynchronous = request.get("Async").lower() in _YES
    outcome = session.server.outcome or outcome_of(request)
    order = _order(session, request, announce=asynchronous)
    if outcome == "failed":
        return _no_such_tech(session, request, asynchronous=asynchronous)
    call = session.server.exchange.call(order, outcome)
    if asynchronous:
        return success(request, "Originate successfully queued")
    return _wait(session, request, call)


def _wait(session: Session, request: Request, call: Call) -> bytes:
    session.wait_for(call.decided, call.order.timeout + 60)
    if call.succeeded:
        return success(request, "Originate successfully queued")
    return error(request, "Originate failed")


def _no_such_tech(session: Session, request: Request, *, asynchronous: bool) -> bytes:
    if not asynchronous:
        return error(request, "Originate failed")
    lines = [
        "Event: OriginateResponse",
        "Privilege: call,all",
        *id_line(request),
        "Response: Failure",
        f"Channel: {request.get('Channel')}",
        f"Context: {request.get('Context')}",
        f"Exten: {request.get('Exten')}",
        "Reason: 0",
        "Uniqueid: <unknown>",
        "CallerIDNum: <unknown>",
        "CallerIDName: <unknown>",
    ]
    session.server.publish(write(lines))
    return success(request, "Originate successfully queued")


def outcome_of(request: Request) -> str:
    """Return how the call that *request* asks for ends, by the names in it."""
    channel = request.get("Channel").lower()
    if channel.startswith("notech/"):
        return "failed"
    if "busy" in channel:
        return "busy"
    if "never" in channel or "noanswer" in channel:
        return "noanswer"
    where = (request.get("Context") + request.get("Exten")).lower()
    return "queue" if "queue" in where else "answered"


def _order(session: Session, request: Request, *, announce: bool) -> Order:
    timeout = request.get("Timeout")
    # Phones of this name stay until somebody hangs up, as in the recordings.
    stay = "/stay" in request.get("Channel").lower()
    return Order(
        channel=request.get("Channel"),
        context=request.get("Context") or "default",
        exten=request.get("Exten") or "s",
        caller=request.get("CallerID"),
        account=request.get("Account"),
        action_id=request.action_id,
        variables=tuple(_variables(request)),
        channel_id=request.get("ChannelId"),
        other_channel_id=request.get("OtherChannelId"),
        timeout=int(timeout) / 1000 if timeout.isdigit() else 30.0,
        talk=FOREVER if stay else session.server.talk,
        announce=announce,
    )


def _variables(request: Request) -> list[tuple[str, str]]:
    """Return the variables of *request*: repeated headers, or ``a=1,b=2``."""
    pairs = [pair for value in request.all("Variable") for pair in re.split(r"[,|]", value)]
    return [(name, value) for name, _, value in (pair.partition("=") for pair in pairs) if name]


def hangup(session: Session, request: Request) -> bytes:
    """Hang up one channel, or all that match ``/regex/``."""
    wanted = request.get("Channel")
    if not wanted:
        return error(request, "No channel specified")
    channels = session.server.exchange.channels
    if len(wanted) > 1 and wanted.startswith("/") and wanted.endswith("/"):
        return _hang_up_all(request, channels, wanted[1:-1])
    found = [channel for channel in channels if channel.name == wanted]
    if not found:
        return error(request, "No such channel")
    found[0].call.hang_up()
    return success(request, "Channel Hungup")


def _hang_up_all(request: Request, channels: list[Channel], pattern: str) -> bytes:
    try:
        expression = re2.compile(pattern.encode("latin-1", "replace"))
    except re2.error:
        return error(request, "Regex compile error")
    found = [one for one in channels if expression.search(one.name.encode("latin-1", "replace"))]
    for channel in found:
        channel.call.hang_up()
    items = [
        ["Event: ChannelHungup", f"Channel: {channel.name}", *id_line(request)] for channel in found
    ]
    return listing(request, "Channels hung up will follow", items, "ChannelsHungupListComplete")


def _find(session: Session, request: Request) -> Channel | None:
    name = request.get("Channel")
    return next((one for one in session.server.exchange.channels if one.name == name), None)


def get_variable(session: Session, request: Request) -> bytes:
    """Return a variable, of a channel or global."""
    name = request.get("Variable")
    if not name:
        return error(request, "No variable specified")
    channel = _find(session, request)
    if request.get("Channel") and channel is None:
        return error(request, "No such channel")
    variables = channel.variables if channel else session.server.variables
    value = variables.get(name, "")
    return response(request, "Success", f"Variable: {name}", f"Value: {value}")


def set_variable(session: Session, request: Request) -> bytes:
    """Set a variable, of a channel or global; everybody hears of it."""
    name, value = request.get("Variable"), request.get("Value")
    if not name:
        return error(request, "No variable specified")
    channel = _find(session, request)
    if request.get("Channel") and channel is None:
        return error(request, "No such channel")
    lines = ["Event: VarSet", "Privilege: dialplan,all"]
    if channel is None:
        session.server.variables[name] = value
        lines += ["Channel: none", "Uniqueid: none"]
    else:
        channel.variables[name] = value
        lines += [f"Channel: {channel.name}"]
        lines += [f"{key}: {text}" for key, text in channel.headers.items()]
    session.server.publish(write([*lines, f"Variable: {name}", f"Value: {value}"]))
    return success(request, "Variable Set")

# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of an action on its way to Asterisk, as functions of values.

``prepare`` makes it what goes upstream; ``problem`` says why it may not go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool
from amiproxy.message import END, Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.ledger import PendingAction

if TYPE_CHECKING:
    from amiproxy.limits import Limits
    from amiproxy.routing.actionids import ActionIds

#: How long an Originate without Timeout rings, in seconds (asterisk.md).
DEFAULT_RING = 30.0

#: How much longer than the ringing an OriginateResponse may take, in seconds.
GRACE = 15.0


def prepare(
    message: Message,
    ids: ActionIds,
    number: int,
    mode: AutoFilter,
    *,
    hold_back: bool,
    now: float,
    fresh: bool = False,
) -> PendingAction:
    """Return *message* of session *number* as Asterisk is to get it.

    *mode* is the session's autofilter.  With *hold_back* a synchronous Originate is
    made asynchronous (spec 12.16).  With *fresh* no two actions of the session get the
    same ActionID.  *now* is in monotonic seconds.
    """
    originate = message.action == "originate"
    held_back = hold_back and originate and not parse_bool(message.get("Async"))
    if "proxykey" in message.values:
        message = message.without("ProxyKey")  # a secret of the proxy's own (spec 12.21)
    given = message.values.get("actionid") or None
    wire_id = given
    if mode is AutoFilter.UNIQUE or needs_wire_id(given, ids, held_back=held_back):
        wire_id = ids.wire_id(number, given, fresh=fresh)
        if "actionid" in message.values:
            message = with_action_id(message, wire_id)
        else:
            message = message.with_header("ActionID", wire_id)
    if held_back:
        message = made_asynchronous(message)
    return PendingAction(
        number,
        message.raw,
        wire_id,
        originate=originate,
        held_back=held_back,
        deadline=deadline_of(message, now) if originate else now,
    )


def needs_wire_id(given: str | None, ids: ActionIds, *, held_back: bool) -> bool:
    """Return whether an action goes upstream with an ActionID other than the one *given*.

    This is not asked with autofilter unique, where it always does.  One that reads as one
    of ours (a chained proxy's do) is exchanged: it would be taken for another session's,
    and stripped on its way back.  An action without one needs one only if it is a
    *held_back* Originate.
    """
    return held_back if given is None else ids.is_ours(given)


def made_asynchronous(originate: Message) -> Message:
    """Return *originate* with ``Async: true``."""
    if originate.has("Async"):
        return originate.replacing("Async", "true")
    return originate.with_header("Async", "true")


def deadline_of(originate: Message, now: float) -> float:
    """Return until when *originate* may be unanswered; both times in monotonic seconds."""
    try:
        ringing = max(0.0, float(originate.get("Timeout")) / 1000)
    except ValueError:
        ringing = DEFAULT_RING
    return now + ringing + GRACE


def problem(raw: bytes, limits: Limits) -> str | None:
    """Return why *raw*, an action, must not go upstream; None if it may.

    Asterisk would cut or refuse it (spec 12.17), or it would be more than one
    message there (spec 12.7).
    """
    breaks = raw.count(b"\n")
    if (
        breaks != raw.count(b"\r\n")
        or raw.find(END) != len(raw) - 4
        or b"\0" in raw
        or raw.startswith(b"\r\n")
    ):
        return "Line break in a header"
    if raw.lower().count(b"action:") > 1 and _is_ambiguous(raw):
        return "More than one Action"
    if len(raw) - 4 <= limits.line and breaks - 1 <= limits.headers:
        return None  # all of it is shorter than a line may be
    lines = raw[:-4].split(b"\r\n")
    if len(lines) > limits.headers:
        return f"Too many headers: {len(lines)}, at most {limits.headers} are allowed"
    longest = max(map(len, lines))
    if longest > limits.line:
        return f"Line too long: {longest} bytes, at most {limits.line} are allowed"
    return None


def _is_ambiguous(raw: bytes) -> bool:
    """Return whether an old Asterisk would do another action than a new one.

    Both take the first Action, but before 1.8 ``Action:Name`` without a blank was not
    one.  What was checked must be what is done.
    """
    message = Message(raw)
    for line in message.lines:
        if line[:8].lower() == "action: " and line[8:].strip():
            return line[8:].strip().lower() != message.action.strip()
    return False

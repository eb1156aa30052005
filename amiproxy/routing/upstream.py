# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of an action on its way to Asterisk, as a function of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.boolean import parse_bool
from amiproxy.message import END, Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.ledger import Request

if TYPE_CHECKING:
    from amiproxy.formats import Limits
    from amiproxy.routing.actionids import ActionIds

#: An Originate without Timeout rings for so many seconds (asterisk.md).
DEFAULT_RING = 30.0

#: How much longer than the ringing an OriginateResponse may take, in seconds.
GRACE = 15.0


class Outgoing(NamedTuple):
    """An action as it goes upstream."""

    message: Message
    request: Request


def prepare(
    message: Message,
    ids: ActionIds,
    number: int,
    mode: AutoFilter,
    *,
    hold_back: bool,
    now: float,
    fresh: bool = False,
) -> Outgoing:
    """Return *message* of session *number* as Asterisk is to get it.

    In *mode* unique the ActionID becomes one that is ours; in any mode where it
    reads as if it were (a chained proxy's do), or it would be taken for another
    session's, and stripped on its way back.  With *hold_back* a synchronous
    Originate is made asynchronous (spec 12.16); *now* is the monotonic time in
    seconds.  With *fresh* no two actions of the session get the same ActionID.
    """
    values = message.values
    if "proxykey" in values:
        message = message.without("ProxyKey")  # a secret of ours, spec 12.21
    given = values.get("actionid") or None
    originate = message.action == "originate"
    held_back = hold_back and originate and not parse_bool(message.get("Async"))
    wire_id = given
    if mode is AutoFilter.UNIQUE or (held_back if given is None else ids.is_ours(given)):
        wire_id = ids.wire_id(number, given, fresh=fresh)
        if "actionid" in values:
            message = with_action_id(message, wire_id)
        else:
            message = message.with_header("ActionID", wire_id)
    patience = _ringing(message) + GRACE if originate else 0.0
    if held_back:
        if message.has("Async"):
            message = message.replacing("Async", "true")
        else:
            message = message.with_header("Async", "true")
    request = Request(
        number, wire_id, originate=originate, held_back=held_back, deadline=now + patience
    )
    return Outgoing(message, request)


def _ringing(message: Message) -> float:
    """Return how long an Originate may ring, in seconds."""
    try:
        return max(0.0, float(message.get("Timeout")) / 1000)
    except ValueError:
        return DEFAULT_RING


def problem(message: Message, limits: Limits) -> str | None:
    """Tell why *message* must not go upstream, None if it may.

    Asterisk would cut or refuse it (spec 12.17), or it would be more than one
    message there (spec 12.7).
    """
    raw = message.raw
    breaks = raw.count(b"\n")
    if (
        breaks != raw.count(b"\r\n")
        or raw.find(END) != len(raw) - 4
        or b"\0" in raw
        or raw.startswith(b"\r\n")
    ):
        return "Line break in a header"
    if _is_ambiguous(message):
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


def _is_ambiguous(message: Message) -> bool:
    """Tell whether an old Asterisk would do another action than a new one.

    Both take the first Action, but before 1.8 ``Action:Name`` without a blank was
    none.  What was checked must be what is done.
    """
    if message.raw.lower().count(b"action:") < 2:
        return False
    for line in message.lines:
        if line[:8].lower() == "action: " and line[8:].strip():
            return line[8:].strip().lower() != message.action.strip()
    return False

# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of an action on its way to Asterisk, as functions of values.

``prepare`` makes it what goes upstream; ``problem`` says why it may not go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.asterisk.actions import name_of
from amiproxy.basics.boolean import parse_bool
from amiproxy.message import END, Message
from amiproxy.routing.actionids import exchanged
from amiproxy.routing.answers import ECHOES
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.pending import PendingAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.limits import Limits
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import Asker

#: How long an Originate without Timeout rings, in seconds (asterisk.md).
DEFAULT_RING = 30.0

#: How long one may ring as far as the proxy waits for it, in seconds.
LONGEST_RING = 600.0

#: How much longer than the ringing an OriginateResponse may take, in seconds.
GRACE = 15.0

#: Actions that Asterisk answers without a Response: with text, with an event (DataGet), or with
#: nothing but a blank line: IAXnetstats without calls, SKINNYshow... without the device, and up
#: to 1.8 SIPqualifypeer of a peer that exists.
TEXTUAL = frozenset(
    {"dataget", "iaxnetstats", "queues", "sipqualifypeer", "skinnyshowdevice", "skinnyshowline"}
)

#: Actions that load parts of Asterisk anew: it answers nothing else before that is done.
_LOADING = frozenset({"moduleload", "queuereload", "reload"})
_LOADS = re.compile(r"\b(?:re|un)?load\b", re.IGNORECASE)

#: Actions of which ``prepare`` says more than that they went, in lower case.
SPECIAL = frozenset({"originate", "command", "updateconfig"}) | _LOADING | TEXTUAL | set(ECHOES)

#: What sscanf takes for ``%30d``.
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,29})")


def prepare(
    message: Message, ids: ActionIds, asker: Asker, *, hold_back: bool, now: float
) -> PendingAction:
    """Return *message* of the session *asker* as Asterisk is to get it.

    With *hold_back* a synchronous Originate is made asynchronous where that means the same
    (spec 12.16).  *now* is monotonic seconds.
    """
    values = message.values
    if "proxykey" in values:
        message = message.without("ProxyKey")  # a secret of the proxy's own (spec 12.21)
    given = values.get("actionid") or None
    wire_id = ids.make(asker.number, given)
    if "actionid" in values:
        raw = exchanged(message.raw, wire_id)
    else:
        raw = message.with_header("ActionID", wire_id).raw
    private = asker.mode is AutoFilter.UNIQUE
    action = PendingAction(asker.number, raw, wire_id, given, private, asker=asker)
    action.since, action.ringing = now, longest_call(message)
    if action.ringing:
        if hold_back and _may_be_asynchronous(values):
            action.held_back = True
            action.raw = Message(raw).setting("Async", "true").raw
        else:
            action.synchronous = True
    characterise(action, message)
    return action


def characterise(action: PendingAction, message: Message) -> None:
    """Note in *action* what its *message* tells of how it will be answered."""
    values, name = message.values, message.action
    action.name = name_of(name)
    action.loading = (
        name in _LOADING
        or (name == "command" and _LOADS.search(values.get("command", "")) is not None)
        or (name == "updateconfig" and "reload" in values)
    )
    action.textual = name in TEXTUAL
    action.echoed = name in ECHOES


def _may_be_asynchronous(values: Mapping[str, str]) -> bool:
    """Return whether an Originate means the same with ``Async: true``.

    Asterisk refuses a synchronous one without these headers, and carries an asynchronous
    one out all the same; PreDialGoSub it knows in synchronous ones only.
    """
    if values.get("predialgosub"):
        return False
    if values.get("application"):
        return True
    priority = values.get("priority", "")
    number = _INTEGER.match(priority)
    is_priority = bool(priority) if number is None else int(number.group(1)) != 0
    return bool(values.get("exten") and values.get("context")) and is_priority


def longest_call(message: Message) -> float:
    """Return for how many seconds *message* may be unanswered as it makes a call; 0: it makes none.

    That is an Originate without Async, which is answered when somebody has, or nobody will.
    """
    values = message.values
    if message.action != "originate" or parse_bool(values.get("async", "")):
        return 0.0
    return ringing(values.get("timeout", "")) + GRACE


def ringing(timeout: str) -> float:
    """Return for how many seconds an Originate with this *timeout* rings, as Asterisk reads it.

    That is ``sscanf(timeout, "%30d")`` in milliseconds into an int of 32 bits: ``1e9`` is
    1.  A negative one never ends, what is no number is refused at once.
    """
    if not timeout:
        return DEFAULT_RING
    found = _INTEGER.match(timeout)
    if found is None:
        return 0.0
    wide = max(-(2**63), min(int(found.group(1)), 2**63 - 1))
    milliseconds = (wide + 2**31) % 2**32 - 2**31
    return LONGEST_RING if milliseconds < 0 else min(milliseconds / 1000, LONGEST_RING)


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""Member: what is known of one member of one queue, and the state that follows from it.

Attempt: a caller for whom the member rings, or with whom it talks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.values import instant, is_true, later, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What says something of a member: a list, or an event, of which these two say what changed.
LIST, EVENT, STATUS, PAUSE = "list", "event", "status", "pause"

#: States of a member.  Those after WRAP_UP are told by the device alone.
UNKNOWN, IN_CALL, RINGING, OFFLINE = "unknown", "in_call", "ringing", "offline"
PAUSED, WRAP_UP = "paused", "wrap_up"
RINGING_ELSEWHERE, BUSY_ELSEWHERE, FREE = "ringing_elsewhere", "busy_elsewhere", "free"
STATES = (
    UNKNOWN, IN_CALL, RINGING, OFFLINE, PAUSED, WRAP_UP, RINGING_ELSEWHERE, BUSY_ELSEWHERE, FREE,
)  # fmt: skip

# Device states in Status, as Asterisk numbers them, and what they are for a member.
WORDS = (
    "UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE",
    "ONHOLD",
)  # fmt: skip
_BY_STATUS = {
    "0": FREE, "1": FREE, "2": BUSY_ELSEWHERE, "3": BUSY_ELSEWHERE, "4": OFFLINE, "5": OFFLINE,
    "6": RINGING_ELSEWHERE, "7": BUSY_ELSEWHERE, "8": BUSY_ELSEWHERE,
}  # fmt: skip

_DIGITS = 16  # kept of a number as Asterisk wrote it

# Headers with what seldom changes, in lower case.
_ABOUT = (
    "membername", "name", "stateinterface", "membership", "penalty", "callstaken", "lastcall",
    "logintime", "wrapuptime", "ringinuse",
)  # fmt: skip


class Attempt:
    """One member rung for one caller, or connected with that caller."""

    __slots__ = ("caller", "channel", "connected", "dest", "member", "name", "number", "since")

    def __init__(self, member: Member, caller: str, since: float) -> None:
        self.member = member
        #: Unique ids of the caller and, once known, of the member's own channel.
        self.caller = caller
        self.dest: str | None = None
        #: Name of the member's own channel.
        self.channel: str | None = None
        #: The caller's number and name.
        self.number: str | None = None
        self.name: str | None = None
        self.connected = False
        self.since = since

    def is_local(self) -> bool:
        """Return whether the member's own channel is a Local one."""
        return self.channel is not None and self.channel.startswith("Local/")


class Member:
    """One member of one queue.  Numbers stay as Asterisk wrote them until a row is made."""

    __slots__ = (
        "_about", "attempts", "calls_taken", "ended", "freed", "interface", "is_status_told",
        "last_call", "login", "membership", "name", "pause_reason", "paused", "paused_since",
        "penalty", "queue", "ring_in_use", "state_interface", "status", "status_since",
        "unpaused", "wrap_up",
    )  # fmt: skip

    def __init__(self, queue: str, interface: str) -> None:
        self.queue = queue
        self.interface = interface
        self._about = 0
        self.name: str | None = None
        self.state_interface: str | None = None
        self.membership: str | None = None
        self.penalty: str | None = None
        self.ring_in_use: bool | None = None
        self.calls_taken: str | None = None
        #: Times of the last call's end and of the login, by the proxy's clock.
        self.last_call: float | None = None
        self.login: float | None = None
        self.wrap_up = 0
        self.status: str | None = None
        self.status_since: float | None = None
        #: Whether an event told the status.  Asterisk 11 sends these only where queues.conf
        #: has eventmemberstatus.
        self.is_status_told = False
        self.paused: bool | None = None
        self.paused_since: float | None = None
        self.pause_reason: str | None = None
        self.unpaused: float | None = None
        #: By the caller's unique id.
        self.attempts: dict[str, Attempt] = {}
        #: When the last ringing or call for this queue ended, and the last call.
        self.freed: float | None = None
        self.ended: float | None = None

    def update(self, values: Mapping[str, str], now: float, offset: float, by: str) -> None:
        """Note what *values* say; *by* is LIST, or what an event is about."""
        # Mostly an event tells a status, and for the rest what the one before it told.
        about = hash(tuple(map(values.get, _ABOUT)))
        if about != self._about:
            self._about = about
            self._describe(values, offset, by)
        self._set_status(values.get("status"), now, by)
        self._set_paused(values, now, offset, by)

    def _describe(self, values: Mapping[str, str], offset: float, by: str) -> None:
        get = values.get
        self.name = text(get("membername") or get("name")) or self.name
        self.state_interface = text(get("stateinterface")) or self.state_interface
        membership = text(get("membership"))
        # The list calls realtime members static.
        if membership and not (by == LIST and self.membership == "realtime"):
            self.membership = membership
        if "penalty" in values:
            self.penalty = values["penalty"][:_DIGITS]
        if "callstaken" in values:
            self.calls_taken = values["callstaken"][:_DIGITS]
            self.last_call = instant(get("lastcall"), offset)
            self.login = instant(get("logintime"), offset)
            self.wrap_up = max(number(get("wrapuptime")) or 0, 0)
        if "ringinuse" in values:  # not in the list
            self.ring_in_use = is_true(values["ringinuse"])

    def _set_status(self, status: str | None, now: float, by: str) -> None:
        if status is None:
            return
        if by != LIST:
            self.is_status_told = True
        if status == self.status:
            return
        before, after = _BY_STATUS.get(self.status or ""), _BY_STATUS.get(status)
        if before != after:
            is_dated = by == STATUS or (by != LIST and self.status is not None)
            self.status_since = now if is_dated else None
        self.status = status[:_DIGITS]

    def _set_paused(self, values: Mapping[str, str], now: float, offset: float, by: str) -> None:
        value = values.get("paused")
        if value is None:
            return
        paused = is_true(value)
        said = instant(values.get("lastpause"), offset)
        if paused != self.paused:
            is_dated = by == PAUSE or (by != LIST and self.paused is not None)
            self.unpaused = now if is_dated and not paused and self.paused else None
            self.paused_since = (now if is_dated else said) if paused else None
            self.paused = paused
        elif paused and self.paused_since is None:
            self.paused_since = said
        if "pausedreason" in values or by == PAUSE:
            self.pause_reason = text(values.get("pausedreason") or values.get("reason"))

    def differs(self, values: Mapping[str, str]) -> bool:
        """Return whether a list says with *values* what contradicts the events."""
        get = values.get
        if self.is_status_told and get("status", self.status) != self.status:
            return True
        if self.penalty is not None and get("penalty", self.penalty)[:_DIGITS] != self.penalty:
            return True
        if self.paused is None or "paused" not in values:
            return False
        return is_true(get("paused")) != self.paused

    def talk(self) -> Attempt | None:
        """Return the call of this queue that the member is in, None if there is none."""
        for attempt in self.attempts.values():
            if attempt.connected:
                return attempt
        return None

    def ring(self) -> Attempt | None:
        """Return the first ringing for a caller of this queue, None if there is none."""
        for attempt in self.attempts.values():
            if not attempt.connected:
                return attempt
        return None

    def state(self, now: float) -> tuple[str, float | None]:
        """Return the state and since when it is so, None if that is not known."""
        if self.attempts:
            talk = self.talk()
            if talk is not None:
                return IN_CALL, talk.since
            ring = self.ring()
            if ring is not None:
                return RINGING, ring.since
        told = _BY_STATUS.get(self.status or "", UNKNOWN)
        since = later(self.status_since, self.freed)
        if told == OFFLINE:
            return OFFLINE, since
        if self.paused:
            return PAUSED, self.paused_since
        since = later(since, self.unpaused)
        ended = self.ended if self.ended is not None else self.last_call
        if self.wrap_up and ended is not None:
            if now < ended + self.wrap_up:
                return WRAP_UP, ended
            since = later(since, ended + self.wrap_up)
        return told, since

    def device_status(self) -> str | None:
        """Return the device's state as a word, None if it is not known."""
        status = number(self.status)
        return WORDS[status] if status is not None and 0 <= status < len(WORDS) else None

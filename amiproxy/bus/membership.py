# SPDX-License-Identifier: GPL-2.0-or-later
"""Membership: which proxies there are, from what they say of themselves.  Times are arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.bus.fields import Malformed
from amiproxy.bus.members import Member, MemberReader

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds between two presences of a proxy.
BEAT = 0.5
#: Seconds for which a presence that does not change counts: its proxy hangs, or has died.
_FRESH = 3 * BEAT
#: Seconds without a presence before what a proxy has left in Redis is removed.
_FORGOTTEN = 30.0


class _Seen:
    """One proxy: what it said last, and when that was new."""

    def __init__(self) -> None:
        self.body = b""
        self.member: Member | None = None
        self.reader = MemberReader()
        self.changed = self.there = 0.0


class Membership:
    """What is known of all proxies of the cluster, this one too."""

    def __init__(self, now: float) -> None:
        self._seen: dict[int, _Seen] = {}
        self._live: frozenset[int] = frozenset()
        #: Since when the same proxies are there.
        self.calm_since = now

    def note(self, now: float, found: Mapping[int, bytes | None]) -> None:
        """Take what Redis has of each proxy that is known there; None: nothing."""
        for slot in [each for each in self._seen if each not in found]:
            del self._seen[slot]
        for slot, body in found.items():
            self._note_one(now, slot, body)
        live = frozenset(each.slot for each in self.live(now))
        if live != self._live:
            self._live, self.calm_since = live, now

    def _note_one(self, now: float, slot: int, body: bytes | None) -> None:
        seen = self._seen.get(slot)
        if seen is None:
            seen = self._seen[slot] = _Seen()
            seen.there = now
        if body is None:
            seen.member = None
            return
        seen.there = now
        if body != seen.body:
            seen.body, seen.changed = body, now
            seen.member = self._read(seen.reader, slot, body)

    def _read(self, reader: MemberReader, slot: int, body: bytes) -> Member | None:
        try:
            member = reader.read(body)
        except Malformed:
            return None
        return member if member.slot == slot else None

    @property
    def members(self) -> tuple[Member, ...]:
        """All that Redis has a presence of."""
        return tuple(seen.member for seen in self._seen.values() if seen.member is not None)

    def live(self, now: float) -> tuple[Member, ...]:
        """Return those that have said something just now."""
        return tuple(
            seen.member
            for seen in self._seen.values()
            if seen.member is not None and now < seen.changed + _FRESH
        )

    def forgotten(self, now: float) -> list[int]:
        """Return the slots of those that are gone for long."""
        return [slot for slot, seen in self._seen.items() if now >= seen.there + _FORGOTTEN]

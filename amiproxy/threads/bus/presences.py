# SPDX-License-Identifier: GPL-2.0-or-later
"""Presences: what this proxy says of itself in Redis, and what the others say there."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import amiproxy
from amiproxy.bus import clock
from amiproxy.bus.keys import Keys, key_bytes
from amiproxy.bus.members import Member, encode_member, new_slot, read_slot, slot_text
from amiproxy.bus.membership import BEAT, Membership
from amiproxy.bus.resp import command
from amiproxy.bus.scripts import raised
from amiproxy.status.clustervalues import CUT_OFF, JOINED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.threads.bus.questions import Questions

log = logging.getLogger("amiproxy.bus")

#: Proxies of one cluster that are looked at.
_MOST_MEMBERS = 1000


class Me(NamedTuple):
    """This process, on the bus: its slot, and its name for people."""

    slot: int
    name: str

    @classmethod
    def made(cls) -> Me:
        """Return this process, with a slot by chance."""
        return cls(new_slot(), f"{socket.gethostname()}:{os.getpid()}")


class Presences:
    """The proxies of the cluster, as Redis knows them.  For the keeper's thread."""

    def __init__(
        self, me: Me, keys: Keys, length: float, told: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._keys = keys
        self._told = told
        self._own = Member(
            me.slot, me.name, socket.gethostname(), os.getpid(), amiproxy.__version__,
            int(time.time()), state=CUT_OFF,
        )  # fmt: skip
        self._span = b"%d" % round(1000 * max(3.0, 2 * length))
        self.membership = Membership(clock.now())
        #: When the next is due.
        self.due = 0.0
        #: Whether all members have been read once, and know of this one.
        self.is_known = False
        #: Whether Redis has taken what this proxy said last; if not, why.
        self.is_written, self.problem = False, ""
        self._is_claimed = False  # the slot, for this proxy
        self._slots: tuple[int, ...] = (me.slot,)
        #: Redis' clock less ours, in seconds.
        self.offset = time.time() - clock.now()

    def members(self, holds: tuple[str, ...], state: str) -> tuple[Member, ...]:
        """Return all proxies by name; this one *holds* these servers now, and is in *state*."""
        own = self._own
        if own.holds != holds or own.state != state:
            own = self._own = own._replace(holds=holds, state=state)
        others = [each for each in self.membership.members if each.slot != own.slot]
        return tuple(sorted([own, *others], key=lambda each: (each.name, each.slot)))

    def ask(
        self, questions: Questions, now: float, *, holds: tuple[str, ...],
        able: Collection[str], stopping: bool, epoch: int,
    ) -> None:  # fmt: skip
        """Say how this proxy is, and the largest *epoch* that it knows; ask for the others."""
        self.due = now + BEAT
        own = self._own = self._own._replace(
            **self._told(), state=JOINED, holds=holds, able=tuple(able),
            stopping=stopping, beat=self._own.beat + 1,
        )  # fmt: skip
        keys, slots = self._keys, self._slots
        own_key = key_bytes(keys.proxy(own.slot))
        only_new = () if self._is_claimed else (b"NX",)
        questions.ask(
            [
                command(b"SET", own_key, encode_member(own), b"PX", self._span, *only_new),
                command(b"SADD", key_bytes(keys.proxies), slot_text(own.slot).encode()),
                command(b"SMEMBERS", key_bytes(keys.proxies)),
                command(b"MGET", *(key_bytes(keys.proxy(slot)) for slot in slots)),
                command(b"TIME"),
                raised(keys, epoch),
            ],
            lambda replies, sent: self._read(slots, replies, sent),
        )

    def _read(self, slots: tuple[int, ...], replies: list[Any], sent: float) -> None:
        """Read what the others say."""
        now = clock.now()
        written, _, named, bodies, moment, _ = replies
        self._note_written(written)
        if not isinstance(named, list) or not isinstance(bodies, list):
            return
        texts = (each.decode("latin-1") for each in named if isinstance(each, bytes))
        found = {read_slot(text) for text in texts} - {0}
        self.membership.note(now, dict(zip(slots, bodies)))
        self._slots = tuple(sorted({self._own.slot, *sorted(found)[:_MOST_MEMBERS]}))
        if set(self._slots) <= set(slots):
            self.is_known = self._is_claimed
        else:
            self.due = now  # somebody is new
        if isinstance(moment, list):
            self.offset = int(moment[0]) + int(moment[1]) / 1e6 - (sent + now) / 2

    def _note_written(self, reply: Any) -> None:
        """Take what Redis has answered to what this proxy said."""
        self.is_written = reply == b"OK"
        self._is_claimed |= self.is_written
        self.problem = str(reply) if isinstance(reply, Exception) else ""
        if reply is None:
            # By chance, one in 16 million for each two proxies.
            self.problem = "another proxy has the slot that this one has; start this one anew"

    def sweep(self, questions: Questions, now: float, scopes: Collection[str]) -> None:
        """Remove what proxies that are gone for long have left; *scopes*: of all servers."""
        for slot in self.membership.forgotten(now):
            if slot != self._own.slot:
                questions.ask([*self._removal(slot, scopes)], lambda *_: None)

    def leave(self, questions: Questions, scopes: Collection[str]) -> None:
        """Remove all that is this proxy's."""
        questions.ask([*self._removal(self._own.slot, scopes)], lambda *_: None)

    def _removal(self, slot: int, scopes: Collection[str]) -> tuple[bytes, bytes]:
        keys = self._keys
        gone = [keys.proxy(slot), keys.orders(slot), keys.told(slot)]
        gone += [keys.answers(slot, scope) for scope in scopes]
        return (
            command(b"UNLINK", *map(key_bytes, gone)),
            command(b"SREM", key_bytes(keys.proxies), slot_text(slot).encode()),
        )


def look_at_memory(replies: list[Any], _sent: float) -> None:
    """Warn if Redis may remove leases when its memory is full."""
    text = replies[0] if isinstance(replies[0], bytes) else b""
    rows = dict(row.split(b":", 1) for row in text.splitlines() if b":" in row)
    policy = rows.get(b"maxmemory_policy", b"noeviction")
    if rows.get(b"maxmemory", b"0") != b"0" and policy != b"noeviction":
        log.warning(
            "bus: Redis removes keys when its memory is full (maxmemory-policy %s), leases too;"
            " set noeviction",
            policy.decode("ascii", "replace"),
        )

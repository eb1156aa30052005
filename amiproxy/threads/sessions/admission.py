# SPDX-License-Identifier: GPL-2.0-or-later
"""Admission: counts the clients, and decides whether one more may come in."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Callable

from amiproxy.access.lockout import network_of
from amiproxy.threads.sessions.interpreter import INTERPRETER, STEP


class Slot:
    """One client's share of the limits: ``Admission.enter`` gives it, ``leave`` takes it back.

    *end* lets the client go, with the reason for the log; its own thread notices.  The
    thread that creates the client sets it, before another client can make it leave.
    """

    def __init__(self, network: str) -> None:
        #: "" while a load balancer has not told its client's address.
        self.network = network
        #: The name of the listener it came in at.
        self.listener = ""
        #: In seconds; authtimeout counts from here.
        self.entered = time.monotonic()
        #: Written with Admission's lock held; read without it by the client's own thread.
        self.unauthenticated = False
        self.end: Callable[[str], None] = _ignore
        #: Its connection, once there is one; for who looks at its figures.
        self.connection: object = None


def _ignore(_reason: str) -> None:
    """Do nothing: there is no client yet that could be let go."""


class Admission:
    """Counts of clients: all of them, those of one address, and those not logged in.

    IPv6 addresses are counted by /64, since one host owns a whole network of them.
    """

    def __init__(self) -> None:
        # Guards _slots, _addresses, _unauthenticated, _unauthenticated_count, the limits
        # _max_clients, _max_per_address and _max_unauthenticated, and each Slot's
        # unauthenticated; held for bookkeeping only.  A client is ended without it.
        self._lock = threading.Lock()
        self._slots: set[Slot] = set()
        self._addresses: dict[str, set[Slot]] = {}
        # Clients that have not logged in, by network, oldest first.
        self._unauthenticated: dict[str, dict[Slot, None]] = {}
        self._unauthenticated_count = 0
        self._max_clients = self._max_per_address = self._max_unauthenticated = 0
        #: How many clients the other proxies of the cluster have, which count for maxclients.
        #: A thread of the bus writes it, without the lock.
        self.elsewhere = 0

    def limit(self, *, clients: int, per_address: int, unauthenticated: int) -> None:
        """Set the limits; 0 means no limit.  Clients that are in stay."""
        with self._lock:
            self._max_clients, self._max_per_address = clients, per_address
            self._max_unauthenticated = unauthenticated

    def enter(self, address: str, *, guarded: bool) -> Slot | str:
        """Let a client in and return its slot, or the reason why it may not come in.

        Each slot must be given back with ``leave``.  A *guarded* client, which has to
        log in, counts as unauthenticated until ``mark_authenticated``.  When there are
        too many of these, the oldest one of the address that has most of them makes room
        for a client of an address that has at least two fewer.  So no address alone can
        keep the others out.
        """
        slot = Slot(network_of(address))
        return self._enter(slot, guarded=guarded) or slot

    def expect(self) -> Slot | str:
        """Let in a client whose address is not known yet; as ``enter``, ``arrive`` does the rest.

        It counts for maxclients alone.
        """
        slot = Slot("")
        with self._lock:
            if problem := self._is_full():
                return problem
            self._slots.add(slot)
        return slot

    def arrive(self, slot: Slot, address: str, *, guarded: bool) -> str:
        """Count the expected client of *slot* at its *address*; return why it must go, or ""."""
        slot.network = network_of(address)
        return self._enter(slot, guarded=guarded)

    def _enter(self, slot: Slot, *, guarded: bool) -> str:
        """Count *slot*; return the reason why it may not come in, or ""."""
        network, rival = slot.network, None
        try:
            with self._lock:
                clients, here = len(self._slots), len(self._addresses.get(network, ()))
                if slot not in self._slots and (problem := self._is_full()):
                    return problem
                if 0 < self._max_per_address <= here:
                    return f"{here} clients of this address are connected (maxperaddress)"
                if guarded and 0 < self._max_unauthenticated <= self._unauthenticated_count:
                    rival = self._rival(network)
                    if rival is None:
                        count = self._unauthenticated_count
                        return f"{count} clients have not logged in (authlimit)"
                    self._count_as_authenticated(rival)
                self._slots.add(slot)
                self._addresses.setdefault(network, set()).add(slot)
                if guarded:
                    self._count_as_unauthenticated(slot)
            if not (clients + 1) % STEP:
                INTERPRETER.note_clients(clients + 1)
            if rival is not None:
                rival.end("made room for another address without having logged in (authlimit)")
        except BaseException:  # no memory, perhaps
            self.leave(slot)
            raise
        return ""

    def mark_authenticated(self, slot: Slot) -> None:
        """Note that the client of *slot* has logged in or given the proxy key."""
        with self._lock:
            if slot.unauthenticated:
                self._count_as_authenticated(slot)

    def mark_unauthenticated(self, slot: Slot) -> None:
        """Note that the client of *slot* has failed to log in: it is a stranger again.

        Its authtimeout runs anew.  Where there are too many strangers one of them makes
        room as for ``enter``; where none has to, this client has to go.
        """
        doomed: Slot | None = None
        with self._lock:
            if slot.unauthenticated:
                return
            if 0 < self._max_unauthenticated <= self._unauthenticated_count:
                doomed = self._rival(slot.network) or slot
            if doomed is not slot:
                if doomed is not None:
                    self._count_as_authenticated(doomed)
                self._count_as_unauthenticated(slot)
        if doomed is not None:
            doomed.end("had to make room without having logged in (authlimit)")

    def leave(self, slot: Slot) -> None:
        """Take *slot* back, as far as it was counted: its client has left.  Needs no memory."""
        with self._lock:
            self._slots.discard(slot)
            here = self._addresses.get(slot.network)
            if here is not None:
                here.discard(slot)
                if not here:
                    del self._addresses[slot.network]
            if slot.unauthenticated:
                self._count_as_authenticated(slot)
        count = len(self._slots)
        if count and not count % STEP:
            INTERPRETER.note_clients(count)

    @property
    def clients(self) -> int:
        """Number of clients that have entered and not left."""
        return len(self._slots)

    def count_by_listener(self) -> Counter[str]:
        """Return how many clients have come in at each listener, by its name."""
        return Counter(each.listener for each in self.slots())

    def slots(self) -> tuple[Slot, ...]:
        """Return those of the clients that are in."""
        with self._lock:
            return tuple(self._slots)

    @property
    def most_clients(self) -> int:
        """How many may be in at once, 0: no limit."""
        return self._max_clients

    @property
    def strangers(self) -> int:
        """How many of them have still to log in."""
        return self._unauthenticated_count

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered of any client."""
        with self._lock:
            return not (self._slots or self._addresses or self._unauthenticated)

    # -- the caller holds the lock ---------------------------------------------------------

    def _is_full(self) -> str:
        """Return why there is no room for one more client, "" if there is."""
        assert self._lock.locked()
        clients = len(self._slots) + self.elsewhere
        if not 0 < self._max_clients <= clients:
            return ""
        where = " to the cluster" if self.elsewhere else ""
        return f"{clients} clients are connected{where} (maxclients)"

    def _rival(self, network: str) -> Slot | None:
        """Return the slot that has to make room for a client of *network*, if one has to."""
        assert self._lock.locked()
        most = max(self._unauthenticated.values(), key=len, default=None)
        if most is None or len(most) <= len(self._unauthenticated.get(network, ())) + 1:
            return None
        return next(iter(most))

    def _count_as_unauthenticated(self, slot: Slot) -> None:
        assert self._lock.locked()
        slot.entered = time.monotonic()
        self._unauthenticated.setdefault(slot.network, {})[slot] = None
        self._unauthenticated_count += 1
        slot.unauthenticated = True

    def _count_as_authenticated(self, slot: Slot) -> None:
        assert self._lock.locked()
        slot.unauthenticated = False
        self._unauthenticated_count -= 1
        there = self._unauthenticated[slot.network]
        del there[slot]
        if not there:
            del self._unauthenticated[slot.network]

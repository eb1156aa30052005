# SPDX-License-Identifier: GPL-2.0-or-later
"""Admission: how many clients there are, and whether one more may come in."""

from __future__ import annotations

import threading
from typing import Callable

from amiproxy.access.lockout import network_of


class Place:
    """One client among all: what ``Admission.enter`` gives, and ``leave`` takes back.

    *end* lets the client go; its thread notices by itself.
    """

    def __init__(self, network: str, *, stranger: bool) -> None:
        self.network = network
        self.stranger = stranger  # guarded by Admission's lock
        self.end: Callable[[str], None] = _stay


def _stay(_reason: str) -> None:
    """There is no client yet who could go."""


class Admission:
    """How many clients there are: in all, of one address, and not logged in.

    Addresses of IPv6 count by /64: who has one has them all.
    """

    def __init__(self) -> None:
        # Guards the counts, limits and places; held for bookkeeping only.
        self._lock = threading.Lock()
        self._clients = 0
        self._addresses: dict[str, int] = {}
        # Those who have not logged in, by address, oldest first.
        self._strangers: dict[str, dict[Place, None]] = {}
        self._stranger_count = 0
        self._most = self._most_of_address = self._most_strangers = 0

    def limit(self, *, clients: int, of_address: int, strangers: int) -> None:
        """Set the limits; 0 is none.  Who is in stays."""
        with self._lock:
            self._most, self._most_of_address = clients, of_address
            self._most_strangers = strangers

    def enter(self, address: str, *, guarded: bool) -> Place | str:
        """Let a client in and return its place, or why not.

        Who is let in must ``leave`` in the end; a guarded client is a stranger
        until ``known``.  Where there are too many strangers, the oldest of the
        address that has most of them makes room for one whose address has fewer:
        nobody can keep the others out alone.
        """
        network = network_of(address)
        rival: Place | None = None
        with self._lock:
            here = self._addresses.get(network, 0)
            if self._most and self._clients >= self._most:
                return f"{self._clients} clients are connected (maxclients)"
            if self._most_of_address and here >= self._most_of_address:
                return f"{here} clients of this address are connected (maxperaddress)"
            if guarded and self._most_strangers and self._stranger_count >= self._most_strangers:
                rival = self._rival(network)
                if rival is None:
                    return f"{self._stranger_count} clients have not logged in (authlimit)"
                self._forget_stranger(rival)
            self._clients += 1
            self._addresses[network] = here + 1
            place = Place(network, stranger=guarded)
            if guarded:
                self._strangers.setdefault(network, {})[place] = None
                self._stranger_count += 1
        if rival is not None:
            rival.end("made room for another address without having logged in (authlimit)")
        return place

    def known(self, place: Place) -> None:
        """A guarded client has logged in, or left without."""
        with self._lock:
            self._forget_stranger(place)

    def leave(self, place: Place) -> None:
        """A client has left."""
        with self._lock:
            self._forget_stranger(place)
            self._clients -= 1
            left = self._addresses[place.network] - 1
            if left:
                self._addresses[place.network] = left
            else:
                del self._addresses[place.network]

    def _rival(self, network: str) -> Place | None:
        """Return who has to make room for a client of *network*, None: nobody."""
        most = max(self._strangers.values(), key=len, default=None)
        if most is None or len(most) <= len(self._strangers.get(network, ())) + 1:
            return None
        return next(iter(most))

    def _forget_stranger(self, place: Place) -> None:
        if not place.stranger:
            return
        place.stranger = False
        self._stranger_count -= 1
        there = self._strangers[place.network]
        del there[place]
        if not there:
            del self._strangers[place.network]

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return self._clients

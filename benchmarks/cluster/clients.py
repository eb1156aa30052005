# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that keep a stream of events, and go on at another proxy when theirs is lost."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cluster.view import View
from benchmarks.torture.innocent import block

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESET = struct.pack("ii", 1, 0)
#: Seconds without a word until a client asks, and until it leaves.
_ASKS, _LEAVES = 1.0, 3.0
#: Seconds that a client stays, at least and at most, when nothing happens.
_STAYS = 3.0, 15.0
_USER = {"Username": "board", "Secret": "secret"}


class Door(NamedTuple):
    """Where a proxy listens."""

    name: str
    port: int
    host: str = "127.0.0.1"


class Gone(Exception):
    """The connection has ended, or is given up."""


class StreamClient(threading.Thread):
    """Follows the events of all servers; *hops*: it also changes the proxy when it likes.

    What it was told is in its view, which the judge reads when it has ended.
    """

    def __init__(
        self, name: str, doors: Sequence[Door], servers: tuple[str, ...], seed: int, home: int = 0
    ) -> None:
        super().__init__(name=name)
        self.view = View(servers)
        self.ready = threading.Event()
        #: Set where it is to stay from now on.
        self.closing = threading.Event()
        #: Set once nothing more is sent, to the last event of each server.
        self.goals: dict[str, int] | None = None
        self.lives = 0
        #: Set to have it leave at once.
        self.over = threading.Event()
        self._doors, self._chance, self._at = doors, random.Random(seed), home
        self._sock: socket.socket
        self._is_resumed = False

    @property
    def has_all(self) -> bool:
        """Whether it has been sent the last event of each server."""
        goals = self.goals
        return goals is not None and all(self.view.last[k] >= n for k, n in goals.items())

    def run(self) -> None:
        """Connect, read, and connect again, until it has all."""
        while not (self.over.is_set() or self.has_all):
            try:
                self._live()
            except (Gone, OSError):
                self._at = self._chance.randrange(len(self._doors))
                self.over.wait(self._chance.uniform(0.02, 0.2))

    def _live(self) -> None:
        door = self._doors[self._at]
        with socket.create_connection((door.host, door.port), 2) as self._sock:
            self._sock.settimeout(0.1)
            self.view.came(door.name)
            self._is_resumed = False
            self.lives += 1
            self._send(Action="Login", **_USER, Events="off", ActionID="login")
            self._go_on()
            try:
                self._stay(time.monotonic() + self._chance.uniform(*_STAYS))
            finally:
                if self._chance.random() < 0.5:
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _go_on(self) -> None:
        """Ask for what comes behind the last id; without one, for an id."""
        if self.view.id:
            self._send(ProxyAction="Resume", Since=self.view.id, ActionID="resume")
        else:
            self._send(ProxyAction="SetEventIDs", EventIDs="on", ActionID="ids")

    def _send(self, **headers: str) -> None:
        with contextlib.suppress(ConnectionError):  # it is read what came before
            self._sock.sendall(block("standard", **headers))

    def _stay(self, until: float) -> None:
        heard, has_asked = time.monotonic(), False
        while not (self.over.is_set() or self.has_all):
            now = time.monotonic()
            if now > until and not self.closing.is_set():
                raise Gone
            if now - heard > _LEAVES:
                raise Gone
            if now - heard > _ASKS and not has_asked:
                self._send(ProxyAction="Uptime", ActionID="uptime")
                has_asked = True
            if self._read():
                heard, has_asked = time.monotonic(), False

    def _read(self) -> bool:
        """Read once; return whether anything came."""
        try:
            data = self._sock.recv(1 << 18)
        except (TimeoutError, socket.timeout):  # the second in Python 3.9
            return False
        if not data:
            raise Gone
        for answer in self.view.feed(data):
            self._take(answer)
        return True

    def _take(self, answer: dict[str, str]) -> None:
        """Read an answer.  Raises Gone where the connection is of no use."""
        which, view = answer.get("ActionID"), self.view
        said = answer.get("Response") or answer.get("ProxyResponse")
        if "ProxyMessage" in answer or which == "uptime":
            return
        if which == "ids" and said == "Success":
            view.id = answer["ProxyEventID"]
            self._go_on()
        elif which == "resume":
            if said == "Success":
                view.id = answer["ProxyEventID"]
                self.ready.set()
            else:
                view.id = ""
                view.tell_all("Refused", answer.get("Message", ""))
                self._go_on()
        elif which != "login" or said != "Success":
            view.faults.append(f"{view.proxy} answered {answer}")
            raise Gone

# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that ask actions all the time, each with a token, and note what became of each."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.cluster.asterisk import END, ITEMS
from benchmarks.cluster.clients import Gone
from benchmarks.torture.innocent import block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.cluster.clients import Door

#: Actions unanswered at once; more are not read by the proxy, and were never asked.
_MOST = 24
_USER = {"Username": "actor", "Secret": "secret"}


class Asked:
    """One action: when it was asked where, and how it ended."""

    __slots__ = ("asked", "ended", "items", "outcome", "proxy", "server", "text")

    def __init__(self, server: str, proxy: str) -> None:
        self.server, self.proxy = server, proxy
        self.asked, self.ended = time.monotonic(), 0.0
        #: done, no, perhaps (as CarriedOut says), refused (an error without it), lost (the
        #: connection of who asked); "": not answered.
        self.outcome = ""
        self.text = ""
        self.items = -1


class Actor(threading.Thread):
    """Asks *rate* actions a second at one proxy after the other; *home* is where it begins."""

    def __init__(
        self,
        name: str,
        doors: Sequence[Door],
        servers: Sequence[str],
        seed: int,
        home: int,
        rate: float,
    ) -> None:
        super().__init__(name=name)
        #: All actions, by token.
        self.asked: dict[str, Asked] = {}
        self.faults: list[str] = []
        #: Set where no more is to be asked; it ends when all is answered, or a minute later.
        self.closing = threading.Event()
        self._doors, self._servers, self._at = doors, servers, home
        self._chance, self._pause = random.Random(seed), 1 / rate
        self._waiting: set[str] = set()
        self._sock: socket.socket
        self._unread = b""

    def run(self) -> None:
        """Ask until it is told to end, and everything is answered."""
        while not self.closing.is_set():
            try:
                self._live(self._doors[self._at])
            except (Gone, OSError):
                self._at = self._chance.randrange(len(self._doors))
                time.sleep(0.05)
            finally:
                for token in self._waiting:
                    self._end(token, "lost")
                self._waiting.clear()

    def _live(self, door: Door) -> None:
        with socket.create_connection((door.host, door.port), 2) as self._sock:
            self._sock.settimeout(0.02)
            self._unread = b""
            self._send(Action="Login", **_USER, Events="off", ActionID="login")
            due, deadline = time.monotonic(), 0.0
            while self._waiting or not self.closing.is_set():
                now = time.monotonic()
                if self.closing.is_set():
                    deadline = deadline or now + 60
                    if now > deadline:
                        break
                elif now >= due and len(self._waiting) < _MOST:
                    self._ask(door)
                    due = max(due + self._pause, now - 1)
                self._read()
            for token in self._waiting:  # never answered
                self.asked[token].ended = time.monotonic()
            self._waiting.clear()

    def _ask(self, door: Door) -> None:
        token = f"{self.name}-{len(self.asked)}"
        server = self._chance.choice(self._servers)
        self.asked[token] = asked = Asked(server, door.name)
        self._waiting.add(token)
        what = self._chance.choice(("put", "put", "slow", "tree"))
        headers = {"Family": "trial", "Key": token, "Server": server, "ActionID": token}
        if what == "tree":
            asked.items = 0
            self._send(Action="DBGetTree", **headers)
        else:
            self._send(Action="DBPut", **headers, Val=what)

    def _send(self, **headers: str) -> None:
        with contextlib.suppress(ConnectionError):  # it is read what came before
            self._sock.sendall(block("standard", **headers))

    def _read(self) -> None:
        try:
            data = self._sock.recv(1 << 16)
        except (TimeoutError, socket.timeout):  # the second in Python 3.9
            return
        if not data:
            raise Gone
        *messages, self._unread = (self._unread + data).split(END)
        for message in messages:
            lines = message.decode("latin-1").split("\r\n")
            pairs = (line.partition(": ") for line in lines)
            self._take({name: value for name, _, value in pairs})

    def _take(self, message: dict[str, str]) -> None:
        token, said = message.get("ActionID", ""), message.get("Response", "")
        if "ProxyMessage" in message or message.get("Event") == "FullyBooted":
            return
        if token in self._waiting:
            self._take_answer(token, said, message)
            if self.asked[token].outcome:
                self._waiting.discard(token)
        elif token != "login":
            self.faults.append(f"{self.name}: answered twice, or not asked: {message}")
        elif said != "Success":
            self.faults.append(f"{self.name}: a log-in was answered with {message}")
            raise Gone

    def _take_answer(self, token: str, said: str, message: dict[str, str]) -> None:
        asked = self.asked[token]
        if said == "Error":
            self._end(token, message.get("CarriedOut", "refused"), message.get("Message", ""))
        elif message.get("Server") != asked.server:
            self.faults.append(f"{self.name}: {asked.server} was asked: {message}")
        elif said == "Success" and asked.items < 0:
            self._end(token, "done")
        elif message.get("Event") == "DBGetTreeResponse":
            asked.items += 1
        elif message.get("EventList") == "Complete":
            if asked.items != ITEMS:
                self.faults.append(f"{self.name}: a list of {asked.items} items: {message}")
            self._end(token, "done")
        elif said != "Success":
            self.faults.append(f"{self.name}: no answer to {token}: {message}")

    def _end(self, token: str, outcome: str, text: str = "") -> None:
        asked = self.asked[token]
        asked.outcome, asked.text, asked.ended = outcome, text, time.monotonic()

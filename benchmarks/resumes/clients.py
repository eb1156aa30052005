# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that are cut off again and again, and come back to where they were."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.routing.eventids import read_id
from benchmarks.ends import close
from benchmarks.resumes.reading import READERS, Message, Wrong
from benchmarks.resumes.told import CONNECTED, LOST, NO_ID, Gap, Life, Notice, Place
from benchmarks.torture.innocent import block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.resumes.asterisk import NumberedAsterisk
    from benchmarks.resumes.kinds import Kind

#: How a client is cut off.
WAYS = ("reset", "half-closed", "in a message", "in the replay", "at once")
#: Seconds that it stays, that it stays away, and that it may take to get all in the end.
_STAYS, _AWAY, PATIENCE = 1.4, 0.5, 60.0
_SLOW = 4096, 0.025  # bytes at a time, seconds for them
_PING_EVERY = 0.3
_OF_SNAPSHOTS = ("ProxyServer", "ProxySnapshotComplete")
#: Why an action may fail: there is no server; it is no model that is measured.
_MAY_FAIL = (" connected", "state = yes")


class Proxy(NamedTuple):
    """Where the proxy listens: a port for each format, in plain text and TLS.

    *reload* gives it another value of ``replay``.
    """

    ports: Mapping[tuple[str, bool], int]
    tls: ssl.SSLContext
    reload: Callable[[str], object]


class Cut(Exception):
    """The client was to be cut off here."""


class Client(threading.Thread):
    """One client, which counts how often it was cut off, and notes what it was told.

    *asterisks* by their names; *count* is called for each time that it was cut off, with the way.
    """

    def __init__(
        self,
        kind: Kind,
        proxy: Proxy,
        asterisks: Mapping[str, NumberedAsterisk],
        count: Callable[[str], object],
        seed: int,
    ) -> None:
        super().__init__(name=kind.name)
        self.kind = kind
        self.lives: list[Life] = []
        self.faults: list[str] = []
        self.busy = self.snapshots = 0
        #: Set where it is to be cut off no more.
        self.closing = threading.Event()
        #: Set once nothing more is sent, to the last events that the client is to see.
        self.goals: dict[str, int] | None = None
        self.ready = threading.Event()
        self._proxy, self._asterisks, self._count = proxy, asterisks, count
        self._random = random.Random(seed)
        self._reader = READERS[kind.form](asterisks)
        self._last: dict[str, int] = {}
        self._id = ""
        self._sock: socket.socket
        self._life = Life()
        self._unread = b""
        self._budget = 0  # bytes until it is cut off; 0: no limit

    def run(self) -> None:
        """Come, be cut off, and come back, until it has all."""
        try:
            if self.kind.has_ids:
                self._begin()
            while not self._has_all():
                stays = self.kind.is_steady or self.closing.is_set()
                way = "" if stays else self._random.choice(WAYS)
                self._live(way)
                if way:
                    self._count(way)
                    time.sleep(self._random.random() * _AWAY * 2)
        except (Wrong, OSError, EOFError) as error:
            self.faults.append(f"{type(error).__name__}: {error}")
        finally:
            self.ready.set()

    def _has_all(self) -> bool:
        goals = self.goals
        return goals is not None and all(
            self._last.get(name, 0) >= number for name, number in goals.items()
        )

    # -- one connection -------------------------------------------------------------------------

    def _begin(self) -> None:
        """Ask for ids, before anything is sent."""
        self._connect("off")
        with contextlib.closing(self._sock):
            self._send(ProxyAction="SetEventIDs", EventIDs="on")
            while not self._id:
                for message in self._read(10.0):
                    self._id = message.get("ProxyEventID") or self._id
        self.ready.set()

    def _live(self, way: str) -> None:
        """Connect, go on behind the last id, and be cut off in a *way*."""
        self._life, self._budget = Life(), 0
        with contextlib.suppress(Cut):
            try:
                early = self.kind.is_early and not self.closing.is_set()
                self._connect("on" if early or not self.kind.has_ids else "off")
                self.ready.set()
                self._stay(way)
            finally:
                close(self._sock)
                self._keep()

    def _keep(self) -> None:
        """Note what was told, and where that ends."""
        found = read_id(self._id)
        self._life.places = found.numbers if found is not None else {}
        self.lives.append(self._life)

    def _connect(self, events: str) -> None:
        kind = self.kind
        sock = socket.socket()
        if kind.is_slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", self._proxy.ports[kind.form, kind.tls]))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = self._proxy.tls.wrap_socket(sock) if kind.tls else sock
        self._unread = b""
        self._send(Action="Login", Username=kind.user, Secret="secret", Events=events)

    def _send(self, **headers: str) -> None:
        with contextlib.suppress(ConnectionError):  # it is read what came before
            self._sock.sendall(block(self.kind.form, **headers))

    def _stay(self, way: str) -> None:
        if self.kind.is_early:
            self._listen(time.monotonic() + self._random.random() * 0.1)
        if self.kind.has_ids:
            self._send(ProxyAction="Resume", Since=self._id, EventMask=self.kind.mask)
        if way == "at once":
            return
        if way == "in the replay":
            self._budget = self._random.choice((1000, 20_000, 300_000))
        end = time.monotonic() + self._random.random() * _STAYS * 2
        if not way:
            end = time.monotonic() + PATIENCE * 10
        self._listen(end)
        if way == "in a message":
            self._budget = self._random.randrange(1, 400)
            self._listen(time.monotonic() + 1.0)
        elif way == "half-closed":
            self._half_close()

    def _half_close(self) -> None:
        """Say that nothing more comes, and read to the end."""
        sock = self._sock
        if isinstance(sock, ssl.SSLSocket):
            return
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Cut):
            self._listen(time.monotonic() + 20.0)
        return

    def _listen(self, end: float) -> None:
        """Read until the moment *end*, or until there is all.

        Raises:
            Cut: the connection has ended, or it is time.

        """
        pinged = time.monotonic()
        began_closing = 0.0
        while (now := time.monotonic()) < end:
            if self.goals is not None:
                began_closing = began_closing or now
                if self._has_all():
                    return
                if now > began_closing + PATIENCE:
                    raise Wrong(f"not all within {PATIENCE:g} s: {self._last} of {self.goals}")
            if now > pinged + _PING_EVERY and self._life.has_resumed:
                pinged = now
                if self.kind.asks:
                    self._send(ProxyAction="Snapshot", Of="queues")
                else:
                    self._send(Action="Ping", ActionID=f"ping-{self.name}")
            for message in self._read(min(0.1, end - now)):
                self._take(message)

    def _read(self, seconds: float) -> list[Message]:
        """Return the messages that come, whole ones only.

        Raises:
            Cut: the connection has ended, or it was to be cut off behind that many bytes.

        """
        size = 262144
        if self.kind.is_slow and not self.closing.is_set():
            size, pause = _SLOW
            time.sleep(pause)
        if self._budget:
            size = min(size, self._budget)
        self._sock.settimeout(max(0.001, seconds))
        try:
            data = self._sock.recv(size)
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):  # the second in Python 3.9
            return []
        except (ConnectionError, ssl.SSLError) as error:
            raise Cut from error
        if not data:
            raise Cut
        messages, self._unread = self._reader.messages(self._unread + data)
        if self._budget:
            self._budget -= len(data)
            if self._budget <= 0:
                for message in messages:
                    self._take(message)
                raise Cut
        return messages

    # -- what it is told ------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        name = message.get("Event")
        if name in _OF_SNAPSHOTS or (name == "FullyBooted" and not message.get("Server")):
            self.snapshots += name == "ProxySnapshotComplete"
            return  # the proxy's own, behind a log-in
        if not name:
            self._take_answer(message)
            return
        life, server = self._life, message.get("Server")
        event_id = message.get("ProxyEventID")
        if bool(event_id) != life.has_resumed:
            raise Wrong(f"with ids: {life.has_resumed}, but not {message.raw!r}")
        place = _place(event_id) if event_id else NO_ID
        if name == "ProxyGap":
            missed = message.get("Missed")
            number = None if missed == "unknown" else int(missed)
            life.note(server, Gap(number, message.get("Reason")))
        elif name in (LOST, CONNECTED):
            life.note(server, Notice(name, place))
        else:
            number = self._reader.number(message)
            life.event(server, number, place)
            if life.has_resumed or not self.kind.has_ids:
                self._last[server] = max(self._last.get(server, 0), number)
        self._id = event_id or self._id

    def _take_answer(self, message: Message) -> None:
        if message.get("ProxyEventID"):
            self._life.has_resumed = True
        elif "busy" in message.get("Message"):
            self.busy += 1
            raise Cut
        elif message.get("Response") != "Success" and not any(
            text in message.get("Message") for text in _MAY_FAIL
        ):
            raise Wrong(f"an answer: {message.raw!r}")


def _place(event_id: str) -> Place:
    """Return the place of the event itself in *event_id*."""
    pairs = event_id.split(".")
    last = pairs[-1] if pairs[-1] != "+" else pairs[-2]
    epoch, _, number = last.partition("-")
    return int(epoch, 36), int(number, 36)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall board of samples/ as a process, what cuts it off, and which calls there really are."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

from simulator.calls import Call
from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk

#: Seconds that a call which is over may still be in a picture: the way from the Asterisk to it.
LATE = 1.5


class Relay:
    """A way to a port that can be cut: what goes through it is handed on as it is."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads[1:]:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def cut(self) -> None:
        """End all connections."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:  # nobody is there
                client.shutdown(socket.SHUT_RDWR)
                continue
            self._sockets.append(server)
            for pair in ((client, server), (server, client)):
                self._threads.append(threading.Thread(target=self._pass_on, args=pair))
                self._threads[-1].start()

    def _pass_on(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        for sock in (source, to):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Board:
    """A wall board of *user* that connects to *port*; all its pictures."""

    def __init__(self, port: int, user: str, kept: Path) -> None:
        self._command = [sys.executable, str(ROOT / "samples/wallboard.py")]
        self._command.append(f"127.0.0.1:{port}")
        self._environment = {**os.environ, "PROXY_USER": user, "WALLBOARD": str(kept)}
        #: What it has shown.
        self.pictures: list[dict[str, Any]] = []
        self.start()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._read, args=(self._process,))
        self._thread.start()

    def again(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # it was killed in the middle of a line
                    self.pictures.append(json.loads(line))

    def wait_for(self, wanted: Callable[[dict[str, Any]], object], what: str = "") -> None:
        """Wait for a picture from now on that is *wanted*; *what*: which one that is."""
        seen = len(self.pictures)
        wait_until(lambda: any(wanted(one) for one in self.pictures[seen:]), 60, what)


class Truth:
    """What really goes on at *asterisk*, which messages call *name*."""

    def __init__(self, asterisk: SimulatedAsterisk, name: str) -> None:
        self.asterisk, self.name = asterisk, name
        self._publish = asterisk.exchange.publish
        asterisk.exchange.publish = self._note
        #: When each call's first channel came, and when its last one went; by its key.
        self.begun: dict[str, float] = {}
        self.over: dict[str, float] = {}
        #: How many of what the board counts were told.
        self.counts: dict[str, int] = {}
        #: The calls that were in a queue.
        self.queued: set[str] = set()

    def _note(self, *messages: bytes) -> None:
        """Note the events *messages*, and tell them."""
        there = self.calls()
        now = time.time()
        for key in there:
            self.begun.setdefault(key, now)
        for message in messages:
            event = dict(
                line.split(": ", 1) for line in message.decode().split("\r\n") if ": " in line
            )
            what = {"QueueCallerJoin": "came", "Join": "came", "QueueCallerAbandon": "gave up"}
            if event["Event"] in what:
                self.queued.add(event["Uniqueid"])
                told = f"{self.name} {event['Queue']} {what[event['Event']]}"
                self.counts[told] = self.counts.get(told, 0) + 1
            if event["Event"] == "Newchannel":
                self.begun.setdefault(event.get("Linkedid", event["Uniqueid"]), now)
        self._publish(*messages)
        for key in self.begun.keys() - there.keys():
            self.over.setdefault(key, time.time())

    def calls(self) -> dict[str, str]:
        """Return the state of each call by its key."""
        exchange = self.asterisk.exchange
        found: dict[str, list[Any]] = {}
        for channel in exchange.channels:
            assert isinstance(channel.call, Call)
            found.setdefault(channel.call._values["u1"], []).append(channel)  # noqa: SLF001
        return {key: self._state(channels) for key, channels in found.items()}

    def calls_of_queue(self) -> dict[str, str]:
        """Return those that are or were in the queue."""
        return {key: state for key, state in self.calls().items() if key in self.queued}

    def calls_of_phone(self) -> dict[str, str]:
        """Return those that PJSIP/101 began."""
        channels = self.asterisk.exchange.channels
        own = {one.headers.get("Linkedid") for one in channels if one.name.startswith("PJSIP/101-")}
        return {key: state for key, state in self.calls().items() if key in own}

    def _state(self, channels: list[Any]) -> str:
        present = self.asterisk.exchange.present
        if any(present.waits(one.uniqueid) for one in channels):
            return "waiting"
        bridges = [one.bridge for one in channels if one.bridge]
        if len(bridges) > len(set(bridges)) or any(one.peer for one in channels):
            return "talking"
        if any(one.headers["ChannelState"] == "5" for one in channels):
            return "ringing"
        # That of a phone which Originate calls: Asterisk has no other word for it.
        return "dialling" if channels[0].application == "AppDial2" else "application"

    def begin(self, rate: float) -> None:
        """Begin calls, *rate* a second."""
        self.asterisk.exchange.keep_calling(rate)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Have nothing happen; what is due happens later."""
        reached, over = threading.Event(), threading.Event()

        def hold() -> None:
            reached.set()
            over.wait()

        self.asterisk.exchange.schedule.plan(0.0, hold)
        assert reached.wait(10)
        try:
            yield
        finally:
            over.set()

    def stop(self) -> None:
        """End the Asterisk, and its calls, without a word."""
        self.asterisk.stop(reset=True)
        for key in self.begun:
            self.over.setdefault(key, time.time())

    def start(self) -> None:
        """Start it again."""
        self.asterisk.start()
        self.asterisk.wait_for_session()


def shown(picture: dict[str, Any], server: str) -> dict[str, str]:
    """Return the state of each call at *server* in *picture*, by its key."""
    return {
        row["Key"]: row["State"]
        for row in picture["rows"]
        if row["Event"] == "ProxyCall" and row["Server"] == server and row["State"] != "ended"
    }


def standing(picture: dict[str, Any], server: str) -> str:
    """Return how *server* is in *picture*."""
    return "".join(
        row["State"]
        for row in picture["rows"]
        if row["Event"] == "ProxyServer" and row["Server"] == server
    )


def wrong(picture: dict[str, Any], truth: Truth) -> list[str]:
    """Return what is wrong in *picture*: calls that were over, or never were."""
    if standing(picture, truth.name) != "live" or picture["problem"]:
        return []
    at = picture["at"]
    return [
        f"{key} at {at}: from {truth.begun.get(key)} to {truth.over.get(key)}"
        for key in shown(picture, truth.name)
        if key not in truth.begun or truth.over.get(key, at) < at - LATE
    ]

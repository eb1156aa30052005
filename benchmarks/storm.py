# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.storm``: many agents that log in after a power cut, as a process.

Each has an address and a user of its own.  In turn they give the secret, or answer a
challenge by MD5.  They begin when a line comes on stdin, evenly within some seconds or all
at once, and read what they are sent until stdin ends.  A line on stdout tells when all are
answered, and how long that took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import selectors
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.connecting import trusting
from benchmarks.ends import check_connected
from benchmarks.figures import latency
from benchmarks.processes import PATIENCE, Child, Failed
from benchmarks.subjects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = 262144  # bytes
_ACCEPTED = b"Message: Authentication accepted"
_CHALLENGE = re.compile(rb"Challenge: ([0-9]+)\r\n")
#: Agents of one network that addresses are taken from.
_PER_NETWORK = 200
#: The client ends of real agents have processors of their own: these leave them to the others.
_NICE = 19


def user(number: int) -> str:
    """Return the name of the agent *number*."""
    return f"agent{number}"


def secret(number: int) -> str:
    """Return the secret of the agent *number*."""
    return f"secret-{user(number)}"


class Agent:
    """One agent, who logs in."""

    def __init__(self, number: int, port: int, tls: ssl.SSLContext | None) -> None:
        self.number = number
        self.began = time.monotonic()
        self.answered = 0.0
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        network, host = divmod(number, _PER_NETWORK)
        self.sock.bind((f"127.1.{network}.{host + 1}", 0))
        self.sock.connect_ex(("127.0.0.1", port))
        self._tls = tls
        self._heard = b""
        self._asking = self._steps()

    def go_on(self) -> None:
        """Do what can be done now: the socket is ready.

        Raises:
            Failed: the agent is not let in, or has lost the connection.

        """
        data = b""
        try:
            if isinstance(self.sock, ssl.SSLSocket) and not self.sock.version():
                self.sock.do_handshake()
            data = self.sock.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise Failed(f"{user(self.number)} was cut off: {error}") from error
        if not data:
            raise Failed(f"{user(self.number)} was closed, having heard {self._heard!r}")
        if not self.answered:
            self._heard += data
            next(self._asking, None)

    def connected(self) -> None:
        """Note that the connection is there; with TLS, begin to shake hands."""
        check_connected(self.sock)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, do_handshake_on_connect=False)

    def _steps(self) -> Iterator[None]:
        """Say what is to be said, each time something has come."""
        while b"\n" not in self._heard:
            yield
        if self.number % 2:
            self._say("Action: Challenge\r\nAuthType: MD5")
            while (found := _CHALLENGE.search(self._heard)) is None:
                yield
            text = found[1] + secret(self.number).encode()
            key = hashlib.md5(text, usedforsecurity=False).hexdigest()
            self._say(
                f"Action: Login\r\nAuthType: MD5\r\nUsername: {user(self.number)}\r\nKey: {key}"
            )
        else:
            self._say(
                f"Action: Login\r\nUsername: {user(self.number)}\r\nSecret: {secret(self.number)}"
            )
        while _ACCEPTED not in self._heard:
            if b"Response: Error" in self._heard:
                raise Failed(f"{user(self.number)} was refused: {self._heard!r}")
            yield
        self.answered = time.monotonic()

    def _say(self, block: str) -> None:
        self.sock.send(block.encode() + b"\r\n\r\n")


class Agents:
    """All agents of a storm."""

    def __init__(self, port: int, count: int, tls: ssl.SSLContext | None) -> None:
        self._port = port
        self._count = count
        self._tls = tls
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self.all: list[Agent] = []

    def come(self, seconds: float) -> None:
        """Log all agents in, begun evenly within *seconds*."""
        began = time.monotonic()
        unanswered: set[Agent] = set()
        while len(self.all) < self._count or unanswered:
            passed = time.monotonic() - began
            if passed > seconds + PATIENCE * 4:
                raise Failed(f"{len(unanswered)} agents are not answered")
            due = self._count if passed >= seconds else int(self._count * passed / seconds)
            while len(self.all) < due:
                agent = Agent(len(self.all), self._port, self._tls)
                self._selector.register(agent.sock, selectors.EVENT_WRITE, agent)
                self.all.append(agent)
                unanswered.add(agent)
            unanswered -= self._serve(0.005 if len(self.all) < self._count else 1.0)

    def stay(self) -> None:
        """Read what comes, until stdin ends."""
        while True:
            self._serve(1.0)

    def _serve(self, wait: float) -> set[Agent]:
        """Serve whose socket is ready; return those that have been answered."""
        answered = set()
        for key, events in self._selector.select(wait):
            agent = key.data
            if agent is None:
                if not os.read(0, 1000):
                    raise EOFError
            elif events & selectors.EVENT_WRITE:
                self._selector.unregister(agent.sock)
                agent.connected()
                if isinstance(agent.sock, ssl.SSLSocket):
                    self._begin(agent.sock)
                self._selector.register(agent.sock, selectors.EVENT_READ, agent)
            else:
                agent.go_on()
                if agent.answered:
                    answered.add(agent)
        return answered

    @staticmethod
    def _begin(sock: ssl.SSLSocket) -> None:
        """Send the first message of the handshake."""
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            return


class Storm(Child):
    """Starts such a process, for *count* agents at *port*."""

    def __init__(self, port: int, count: int, seconds: float, *, tls: bool = False) -> None:
        command = [sys.executable, "-m", "benchmarks.storm", str(port), str(count), str(seconds)]
        super().__init__([*command, *(["--tls"] if tls else [])], cwd=ROOT, stdin=subprocess.PIPE)
        self.wait_line(b"ready")

    def begin(self) -> None:
        """Have them come."""
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), b"go\n")

    def wait_answered(self) -> dict[str, float]:
        """Wait until all are answered; return the figures of that."""
        line = self.wait_line(b"answered")
        found: dict[str, float] = json.loads(line.partition(b" ")[2])
        return found


def main() -> int:
    """Run the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    os.nice(_NICE)
    agents = Agents(options.port, options.count, trusting() if options.tls else None)
    print("ready", flush=True)
    if not os.read(0, 1000):
        return 1
    began = time.monotonic()
    try:
        agents.come(options.seconds)
        figures = {
            "answered_s": max(agent.answered for agent in agents.all) - began,
            **latency([agent.answered - agent.began for agent in agents.all]),
        }
        print("answered", json.dumps(figures), flush=True)
        agents.stay()
    except EOFError:
        return 0
    except Failed as error:
        print("failed", error, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())

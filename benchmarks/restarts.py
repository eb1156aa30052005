# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.restarts``: what clients notice of restarts by day.

Twenty clients, some in TLS, read 500 events a second, ping, and connect again whenever their
connection ends.  None may be refused or reset, none may read half a message, and each must
be told.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from benchmarks.connecting import make_certificate
from benchmarks.processes import Failed
from benchmarks.restarters import Inherited, InPlace, Service, ServiceInPlace
from benchmarks.subjects import free_port
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 20
#: Every so many-th speaks TLS.
TLS_EACH = 4
RATE = 500
#: Seconds between two pings of a client, and of load between two restarts.
PING_EVERY = 0.05
BETWEEN = 0.3
_GOODBYE = b"ProxyMessage: Proxy Shutting Down\r\n"
_EVENT = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: Load\r\nN: %d\r\nX: %s\r\n\r\n"


class Client(threading.Thread):
    """Connects, pings and reads, again and again, until it is *over*; counts what goes wrong."""

    def __init__(
        self, address: tuple[str, int], tls: ssl.SSLContext | None, over: threading.Event
    ) -> None:
        super().__init__()
        self._address, self._tls, self._over = address, tls, over
        self.refused = self.reset = self.half = self.untold = self.errors = 0
        self.connections = self.pongs = 0
        #: Seconds from the last answer before each end to the first one after it.
        self.gaps: list[float] = []
        self._served = 0  # the connection that was answered last, and when
        self._last = 0.0

    def run(self) -> None:
        """Go on until it is over."""
        while not self._over.is_set():
            try:
                sock = self._connect()
            except OSError:
                self.refused += 1
                time.sleep(0.05)
                continue
            self.connections += 1
            with sock:
                self._stay(sock)

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(self._address, 20)
        if self._tls is None:
            return sock
        return self._tls.wrap_socket(sock, suppress_ragged_eofs=False)

    def _stay(self, sock: socket.socket) -> None:
        """Ping and read until the connection ends."""
        sock.settimeout(PING_EVERY)
        rest, last = b"", b""
        try:
            while not self._over.is_set():
                with contextlib.suppress(BrokenPipeError):  # what was sent can still be read
                    sock.sendall(b"Action: Ping\r\nActionID: p\r\n\r\n")
                end = time.monotonic() + PING_EVERY
                while time.monotonic() < end:
                    try:
                        data = sock.recv(65536)
                    except TimeoutError:
                        break
                    if not data:
                        self.half += bool(rest)
                        self.untold += not last.startswith(_GOODBYE)
                        return
                    *messages, rest = (rest + data).split(b"\r\n\r\n")
                    last = messages[-1] + b"\r\n" if messages else last
                    self._count(messages)
        except OSError:
            self.reset += 1

    def _count(self, messages: list[bytes]) -> None:
        for message in messages:
            if b"\r\nPing: Pong" in message:
                now = time.monotonic()
                if self.pongs and self._served != self.connections:
                    self.gaps.append(now - self._last)
                self._last, self._served = now, self.connections
                self.pongs += 1
            elif message.startswith(b"Response: Error"):
                self.errors += 1


def load(asterisk: SimulatedAsterisk, over: threading.Event) -> None:
    """Send RATE events a second until it is *over*."""
    number, start = 0, time.monotonic()
    while not over.is_set():
        asterisk.send(b"".join(_EVENT % (number + each, b"x" * 300) for each in range(10)))
        number += 10
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))


def measure(make: Callable[[Path, int], InPlace], restarts: int) -> bool:
    """Print the figures of so many *restarts* of what *make* starts; return whether all is well."""
    over = threading.Event()
    with prepared() as (directory, port, asterisk, tls):
        subject = make(directory, port)
        clients = [
            Client(subject.address, tls if not number % TLS_EACH else None, over)
            for number in range(CLIENTS)
        ]
        threads: list[threading.Thread] = [
            *clients, threading.Thread(target=load, args=(asterisk, over)),
        ]  # fmt: skip
        asterisk.wait_for_session(timeout=20)
        try:
            for thread in threads:
                thread.start()
            for _ in range(restarts):
                time.sleep(BETWEEN)
                subject.restart()
                asterisk.wait_for_session(timeout=20)
            time.sleep(1.0)
        finally:
            over.set()
            for thread in threads:
                thread.join()
            subject.stop()
        cut = [raw for raw in asterisk.received if not raw.endswith(b"\r\n\r\n")]
    return report(subject.name, restarts, clients, len(cut))


def report(name: str, restarts: int, clients: list[Client], cut: int) -> bool:
    """Print what *clients* have counted; return whether nobody was refused or cut."""
    gaps = sorted(gap for client in clients for gap in client.gaps)
    if not gaps:
        raise Failed("no client has connected again")
    totals = {
        text: sum(getattr(client, text) for client in clients)
        for text in ("connections", "pongs", "refused", "reset", "half", "untold", "errors")
    }
    print(f"{name}: {restarts} restarts, {CLIENTS} clients, {RATE} events/s")
    print(f"  {', '.join(f'{count} {text}' for text, count in totals.items())}; {cut} cut upstream")
    print(
        f"  without service: p50 {gaps[len(gaps) // 2] * 1000:.0f} ms,"
        f" p99 {gaps[len(gaps) * 99 // 100] * 1000:.0f} ms, max {gaps[-1] * 1000:.0f} ms",
        flush=True,
    )
    return not (cut or any(totals[text] for text in ("refused", "reset", "half", "untold")))


@contextlib.contextmanager
def prepared() -> Iterator[tuple[Path, int, SimulatedAsterisk, ssl.SSLContext]]:
    """Give a directory with all files, a port, an Asterisk, and what trusts the certificate."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-restarts-") as name:
        directory = Path(name)
        directory.chmod(0o777)
        certificate = directory / "proxy.pem"
        make_certificate(certificate)
        certificate.chmod(0o644)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        port = free_port()
        with SimulatedAsterisk(behaviour=Behaviour(write_timeout=30.0)) as asterisk:
            lines = [
                f"host = 127.0.0.1, {asterisk.port}, ampuser, AmpSecret, on, off",
                "listenaddress = 127.0.0.1",
                f"listenport = {port}",
                f"logfile = {directory}/log",
                f"controlsocket = {directory}/control.sock",
                "acceptencryptedconnection = yes",
                f"certfile = {certificate}",
                "autofilter = unique",
                "clientwritetimeout = 20000",
                *(["proc_user = nobody"] if os.geteuid() == 0 else []),
            ]
            (directory / "conf").write_text("".join(f"{line}\n" for line in lines))
            (directory / "users").write_text("")
            yield directory, port, asterisk, context


def main() -> int:
    """Restart in both ways; return 0 if nobody was refused or cut."""
    parser = argparse.ArgumentParser(prog="benchmarks.restarts", description=__doc__)
    parser.add_argument("--restarts", type=int, default=100, help="how many (100)")
    parser.add_argument(
        "--service",
        action="store_true",
        help="of astmanproxy.service on this machine, which is stopped",
    )
    options = parser.parse_args()
    ways = (Service, ServiceInPlace) if options.service else (InPlace, Inherited)
    try:
        good = [measure(make, options.restarts) for make in ways]
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

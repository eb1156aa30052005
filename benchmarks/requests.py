# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows about requests and answers: AMI actions, HTTP requests.

Each client asks, waits for its own answer, and asks again.  The row fails if a
client gets another client's answer where that must not be.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.ends import Ends, check_connected, close, open_socket
from benchmarks.figures import Figures, Meter, latency
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from benchmarks.subjects import Running

_END = b"\r\n\r\n"


@dataclass
class Asker:
    """One client of this module, and what it waits for."""

    number: int
    sock: socket.socket
    unread: bytes = b""
    asked: int = 0  # requests sent
    answered: int = 0
    since: float = 0.0


def round_trips(
    running: Running, clients: int, depth: int, seconds: float, *, alone: bool
) -> Figures:
    """Let *clients* ping, each with *depth* actions in one write.

    *alone*: an answer must reach only the client that asked.
    """
    if running.name == "proxy":
        _wait_served(running, b"Action: Ping\r\n\r\n")
    with Ends() as ends:
        ends.connect(running.address, clients)
        if running.login:
            ends.exchange(lambda _: running.login, b"Fully Booted\r\n\r\n")
        askers = [Asker(end.number, end.sock) for end in ends.all]
        if clients == 1:
            return _one(running, askers[0], depth, seconds, alone=alone)
        return _many(running, ends, askers, depth, seconds, alone=alone)


def _wait_served(running: Running, request: bytes) -> None:
    """Wait until *request* succeeds, because the proxy has logged in upstream.

    The proxy listens before that, and answers that there is no server.
    """
    deadline = time.monotonic() + PATIENCE
    heard = b""
    while time.monotonic() < deadline:
        heard = b""
        with contextlib.suppress(OSError), socket.create_connection(running.address, 5) as sock:
            sock.sendall(request)
            while b"Response: " not in heard and (data := sock.recv(65536)):
                heard += data
        if b"Response: Success" in heard:
            return
        time.sleep(0.02)
    raise Failed(f"no answer to a first request, but {heard[-300:]!r}")


def ask(asker: Asker, depth: int) -> None:
    """Send *depth* pings in one write."""
    numbers = range(asker.asked, asker.asked + depth)
    asker.asked += depth
    data = b"".join(
        b"Action: Ping\r\nActionID: c%d-%d\r\n\r\n" % (asker.number, number) for number in numbers
    )
    asker.since = time.monotonic()
    if asker.sock.send(data) != len(data):
        raise Failed("a client's actions were not sent whole")


def take(asker: Asker, data: bytes, *, alone: bool) -> bool:
    """Match *data* with what was asked; return whether all is answered."""
    *blocks, asker.unread = (asker.unread + data).split(_END)
    for block in blocks:
        if b"\r\nActionID: c%d-%d\r\n" % (asker.number, asker.answered) in block:
            asker.answered += 1
        elif alone:
            raise Failed(f"client {asker.number} got another client's answer: {block[:300]!r}")
    return asker.answered == asker.asked


def _one(running: Running, asker: Asker, depth: int, seconds: float, *, alone: bool) -> Figures:
    # Without a selector, whose time would be measured too.
    asker.sock.settimeout(PATIENCE)
    times: list[float] = []
    meter = Meter(running.pid)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ask(asker, depth)
        done = False
        while not done:
            data = asker.sock.recv(262144)
            if not data:
                raise Failed("the client was closed")
            done = take(asker, data, alone=alone)
        times.append(time.monotonic() - asker.since)
    return _figures(meter, 1, asker.answered, times)


def _many(
    running: Running,
    ends: Ends,
    askers: list[Asker],
    depth: int,
    seconds: float,
    *,
    alone: bool,
) -> Figures:
    for asker in askers:
        ends.selector.modify(asker.sock, selectors.EVENT_READ, asker)
    times: list[float] = []
    meter = Meter(running.pid)
    deadline = time.monotonic() + seconds
    for asker in askers:
        ask(asker, depth)
    waiting = len(askers)
    while waiting:
        for key, _ in _select(ends.selector, deadline + PATIENCE):
            asker = key.data
            data = asker.sock.recv(262144)
            if not data:
                raise Failed("a client was closed")
            was_waiting = asker.answered < asker.asked
            if take(asker, data, alone=alone) and was_waiting:
                now = time.monotonic()
                times.append(now - asker.since)
                if now < deadline:
                    ask(asker, depth)
                else:
                    waiting -= 1
    return _figures(meter, len(askers), sum(asker.answered for asker in askers), times)


def _figures(meter: Meter, clients: int, answered: int, times: list[float]) -> Figures:
    cpu, elapsed = meter.read()
    return {
        "clients": clients,
        "requests": answered,
        "rate": answered / elapsed,
        "cpu_us": cpu / answered * 1e6,
        "cpu_share": cpu / elapsed,
        **latency(times),
    }


def _select(
    selector: selectors.BaseSelector, deadline: float
) -> list[tuple[selectors.SelectorKey, int]]:
    found = selector.select(1.0)
    if not found and time.monotonic() > deadline:
        raise Failed(f"no answer in {PATIENCE:g} s")
    return found


def http(running: Running, clients: int, seconds: float, *, keep_alive: bool) -> Figures:
    """Let *clients* send GET requests, over kept connections or a new one for each."""
    _wait_served(running, b"GET /?Action=Ping HTTP/1.1\r\nHost: bench\r\n\r\n")
    times: list[float] = []
    askers: list[Asker] = []
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        stack.callback(_close_all, askers)
        meter = Meter(running.pid)
        deadline = time.monotonic() + seconds
        for number in range(clients):
            asker = Asker(number, open_socket(running.address, number))
            askers.append(asker)
            asker.since = time.monotonic()
            selector.register(asker.sock, selectors.EVENT_WRITE, asker)
        waiting = clients
        while waiting:
            for key, _ in _select(selector, deadline + PATIENCE):
                asker = key.data
                if asker.asked == asker.answered:
                    _get(asker, selector, keep_alive=keep_alive)
                    continue
                if not _answered(asker):
                    continue
                now = time.monotonic()
                times.append(now - asker.since)
                asker.answered += 1
                asker.unread = b""
                asker.since = now
                if now > deadline:
                    selector.unregister(asker.sock)
                    waiting -= 1
                elif keep_alive:
                    _get(asker, selector, keep_alive=True)
                else:
                    selector.unregister(asker.sock)
                    close(asker.sock)
                    asker.sock = open_socket(running.address, asker.number)
                    selector.register(asker.sock, selectors.EVENT_WRITE, asker)
        return _figures(meter, clients, sum(asker.answered for asker in askers), times)


def _close_all(askers: list[Asker]) -> None:
    for asker in askers:
        close(asker.sock)


def _get(asker: Asker, selector: selectors.BaseSelector, *, keep_alive: bool) -> None:
    check_connected(asker.sock)
    asker.asked += 1
    data = (
        b"GET /?Action=Ping&ActionID=c%d-%d HTTP/1.1\r\nHost: bench\r\nConnection: %s\r\n\r\n"
        % (asker.number, asker.answered, b"keep-alive" if keep_alive else b"close")
    )
    try:
        sent = asker.sock.send(data)
    except OSError as error:
        raise Failed(f"a request failed: {error}") from error
    if sent != len(data):
        raise Failed("a request was not sent whole")
    selector.modify(asker.sock, selectors.EVENT_READ, asker)


def _answered(asker: Asker) -> bool:
    """Read; return whether the answer is whole.

    Raises:
        Failed: it is not the answer to the last request.

    """
    try:
        data = asker.sock.recv(65536)
    except BlockingIOError:
        return False
    except OSError as error:
        raise Failed(f"a request failed: {errno.errorcode.get(error.errno or 0)}") from error
    asker.unread += data
    head, blank, body = asker.unread.partition(_END)
    if blank:
        length = _content_length(head)
        if len(body) == length:
            if not head.startswith(b"HTTP/1.1 200 ") or body.count(b"ActionID: ") != 1:
                raise Failed(f"a wrong answer: {asker.unread[:500]!r}")
            if b"ActionID: c%d-%d\r\n" % (asker.number, asker.answered) not in body:
                raise Failed(f"another client's answer: {body[:300]!r}")
            return True
    if not data:
        raise Failed(f"closed in the middle of an answer: {asker.unread[:300]!r}")
    return False


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise Failed(f"an answer without Content-Length: {head[:300]!r}")

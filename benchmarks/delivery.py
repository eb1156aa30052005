# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows about events: at full speed, at a fixed rate, with a client that does not read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

from benchmarks.ends import BANNER, End, Ends, Opening
from benchmarks.events import Event, call_events
from benchmarks.figures import Figures, Meter, latency
from benchmarks.processes import Failed, status
from benchmarks.views import WIRES, View, event_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.subjects import Running

#: Limit of bytes on the way to each client, so that its socket takes them all.
_WINDOW = 600_000
#: The same for all clients together, which the kernel has to hold.
_WINDOW_OF_ALL = 200_000_000
#: Batches (of 244 KB) on the way, if each client gets little of them.
_WINDOW_OF_LITTLE = 8
#: Batches (of 244 KB) that overfill the socket of a client that does not read, which
#: takes up to 4 MB, and leave room in a backlog of 8 MB.
_FILL_BATCHES = 20


@dataclass(frozen=True)
class Reader:
    """A user of the proxy, or several with the same rules, and the events they must see."""

    name: str
    sees: Callable[[Event], bool]
    users: int = 1

    def user(self, number: int) -> str:
        """Return the name of one of the users."""
        return self.name if self.users == 1 else f"{self.name}-{number % self.users}"


@dataclass(frozen=True)
class Delivery:
    """What is delivered to whom."""

    clients: int
    form: str = "standard"
    #: The clients log in as these users, in turn; empty: no client logs in, and all see
    #: everything.
    readers: Sequence[Reader] = field(default=())
    #: What each client of the proxy asks first, and how the answer to that ends.
    request: bytes = b""
    answered: bytes = b""
    #: What its clients say before they are greeted, if they must.
    opening: Opening = BANNER
    #: Whether most clients get only a little of each batch, so that more may be on the way.
    little: bool = False

    @property
    def calls(self) -> int:
        """How many calls a batch is made of: about 2.4 KB each."""
        return 100 if self.clients <= 100 or self.little else 20


def secret(name: str) -> str:
    """Return the secret of the user *name*."""
    return f"secret-{name}"


def prepare(running: Running, ends: Ends, delivery: Delivery) -> list[View]:
    """Connect, log in and warm up; return the views of the clients."""
    events = call_events(delivery.calls)
    running.upstream.order("calls", delivery.calls)
    ends.connect(running.address, delivery.clients, opening=delivery.opening)
    readers = delivery.readers if running.name == "proxy" else ()
    if readers:
        ends.exchange(
            lambda end: login_as(
                readers[end.number % len(readers)].user(end.number // len(readers))
            ),
            b"accepted",
        )
    elif running.login:
        ends.exchange(lambda _: running.login, b"accepted")
    if delivery.request:
        ends.exchange(lambda _: delivery.request, delivery.answered)
    sees: list[Callable[[Event], bool]] = [reader.sees for reader in readers] or [lambda _: True]
    views = []
    wire = WIRES[delivery.form if running.name == "proxy" else "standard"]
    for sight in sees:
        indices = [index for index, event in enumerate(events) if sight(event)]
        size = sum(
            event_size(events[index].raw, server_header=running.adds_server) for index in indices
        )
        views.append(View(wire, indices, size if wire.plain and not delivery.request else 0))
    ends.assign(views)
    running.upstream.order("credit", 1)
    ends.warm_up()
    return views


def login_as(name: str) -> bytes:
    """Return the log-in of the user *name*."""
    return f"Action: Login\r\nUsername: {name}\r\nSecret: {secret(name)}\r\n\r\n".encode()


def as_fast_as_it_goes(running: Running, delivery: Delivery, seconds: float) -> Figures:
    """Send batches as fast as every client takes them."""
    with Ends() as ends:
        before = status(running.pid)["rss"]
        views = prepare(running, ends, delivery)
        batch_bytes = sum(len(event.raw) for event in call_events(delivery.calls))
        window = min(_WINDOW, _WINDOW_OF_ALL // delivery.clients) // batch_bytes or 1
        if delivery.little:
            window = _WINDOW_OF_LITTLE
        upstream = running.upstream
        deadline = time.monotonic() + seconds

        def more() -> int:
            if time.monotonic() > deadline:
                return 0
            upstream.order("credit", 1)
            return 1

        meter = Meter(running.pid)
        upstream.order("credit", window)
        ends.receive(window, more)
        cpu, elapsed = meter.read()
        events = sum(view.events * view.clients for view in views)
        sent = ends.complete * len(call_events(delivery.calls))
        return {
            "clients": delivery.clients,
            "events": events,
            "cpu_us": cpu / events * 1e6,
            "cpu_ns_per_byte": cpu / ends.received * 1e9,
            "seen": events / (sent * delivery.clients),
            "cpu_us_per_examined": cpu / (sent * delivery.clients) * 1e6,
            "rate": events / elapsed,
            "came_rate": sent / elapsed,
            "cpu_us_came": cpu / sent * 1e6,
            "mb_per_s": ends.received / elapsed / 1e6,
            "cpu_share": cpu / elapsed,
            "rss_mb": status(running.pid)["rss"] / 1024,
            "rss_kb_per_client": (status(running.pid)["rss"] - before) / delivery.clients,
            **latency(ends.latencies),
        }


def of_what_came(running: Running, delivery: Delivery, seconds: float) -> Figures:
    """Do the same; the figures are for each event that came, not for each delivered."""
    figures = as_fast_as_it_goes(running, delivery, seconds)
    matches = figures["seen"] * figures["clients"]
    came = {"rate": figures["came_rate"], "cpu_us": figures["cpu_us_came"], "matches": matches}
    return {**figures, **came}


def at_a_pace(running: Running, delivery: Delivery, rate: int, seconds: float) -> Figures:
    """Send *rate* single events a second."""
    with Ends() as ends:
        views = prepare(running, ends, delivery)
        return pace(running, ends, views, rate, seconds)


def pace(
    running: Running,
    ends: Ends,
    views: list[View],
    rate: int,
    seconds: float,
    *,
    tick: Callable[[float], None] | None = None,
) -> Figures:
    """Send *rate* single events a second to the clients of *views*."""
    for view in views:
        view.expect_singles()
    ends.latencies.clear()
    count = max(1, round(rate * seconds))
    received = sum(view.events * view.clients for view in views)
    meter = Meter(running.pid)
    running.upstream.order("paced", rate, count)
    ends.receive(count, tick=tick)
    cpu, elapsed = meter.read()
    events = sum(view.events * view.clients for view in views) - received
    return {
        "clients": len(ends.all),
        "events": events,
        "cpu_us": cpu / events * 1e6,
        "rate": events / elapsed,
        "cpu_share": cpu / elapsed,
        **latency(ends.latencies),
    }


def beside_a_bad_client(
    running: Running, delivery: Delivery, rate: int, seconds: float, bytes_per_second: int
) -> Figures:
    """Send at a fixed rate, first to good clients only, then with one that reads too little.

    That one reads *bytes_per_second*.  The figures are those of the good clients with
    it; ``alone_*`` are those without it.
    """
    with Ends() as ends:
        views = prepare(running, ends, delivery)
        alone = pace(running, ends, views, rate, seconds)
        with Ends() as others:
            bad = others.connect(running.address, 1, receive_buffer=4096)[0]
            others.forget(bad)
            if running.login:
                bad.sock.send(running.login)
            _fill(running, ends, views)
            sip = _sipping(bad, bytes_per_second)
            beside = pace(running, ends, views, rate, seconds, tick=sip)
            beside["dropped"] = float(_was_dropped(bad))
        names = ("p50_us", "p99_us", "max_us", "cpu_us")
        return {**beside, **{f"alone_{name}": alone[name] for name in names}}


def _fill(running: Running, ends: Ends, views: list[View]) -> None:
    """Send more than the kernel buffers for one client, so that a bad one is stuck at once."""
    for view in views:
        view.expect_batches()
    for _ in range(_FILL_BATCHES):
        running.upstream.order("credit", 1)
        ends.receive(1)


def _sipping(bad: End, bytes_per_second: int) -> Callable[[float], None]:
    """Return a tick function that makes *bad* read its share."""
    last = time.monotonic()

    def sip(now: float) -> None:
        nonlocal last
        share = int((now - last) * bytes_per_second)
        if share < 500:
            return
        last = now
        try:
            bad.sock.recv(share)
        except OSError:
            return

    return sip


def _was_dropped(bad: End) -> bool:
    """Read what is left for *bad*; return whether its connection has ended."""
    try:
        while bad.sock.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def hold(running: Running, clients: int) -> Figures:
    """Hold *clients* idle clients, then send one event to all."""
    with Ends() as ends:
        running.upstream.order("calls", 1)
        before = status(running.pid)
        started = time.monotonic()
        meter = Meter(running.pid)
        ends.connect(running.address, clients, at_once=200)
        connect_cpu, _ = meter.read()
        elapsed = time.monotonic() - started
        after = status(running.pid)
        if running.login:
            ends.exchange(lambda _: running.login, b"accepted")
        view = View(WIRES["standard"], range(len(call_events(1))))
        ends.assign([view])
        running.upstream.order("credit", 1)
        ends.warm_up()
        held = after["files"] - before["files"]
        # One less: the check that the subject is up may have been counted before.
        if held < clients - 1:
            raise Failed(f"holds only {held} connections")
        pace(running, ends, [view], 1, 1)
        return {
            "clients": clients,
            "held": clients,
            **latency(ends.latencies),
            "connect_s": elapsed,
            "connect_cpu_us": connect_cpu / clients * 1e6,
            "rss_kb_per_client": (after["rss"] - before["rss"]) / clients,
            "rss_mb": after["rss"] / 1024,
            "threads": after["threads"],
        }

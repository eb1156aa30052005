# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows about a mass log-in: how long events wait for who is there while many log in.

The client ends, the agents and the upstream have the same processors as the proxy: some of
a delay is theirs.  So for each client of the proxy there is one without a proxy, in the same
process, and each event's delay at both is compared: what the proxy adds is its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.connecting import trusting
from benchmarks.delivery import secret
from benchmarks.ends import End, Ends
from benchmarks.events import call_events
from benchmarks.figures import Figures, Meter, latency
from benchmarks.processes import status
from benchmarks.storm import Storm
from benchmarks.storm import secret as agents_secret
from benchmarks.storm import user as agents_user
from benchmarks.views import WIRES, View

if TYPE_CHECKING:
    import ssl

    from benchmarks.subjects import Running

#: Who is there: so many clients of the proxy, who see everything, and as many without one.
_THERE = 3
_WATCHER = "watcher"
#: The number in the first agent's channel.
_FIRST = 1000
#: Seconds that events go on, at the least, when all have come: until all are answered, as a rule.
_AFTER = 1.0


def users_file(agents: int) -> str:
    """Return the users file for who is there, and for so many *agents* with a channel each."""
    lines = [f"{_WATCHER}={secret(_WATCHER)}"]
    lines += [
        f"{agents_user(number)}={agents_secret(number)},PJSIP/{_FIRST + number}"
        for number in range(agents)
    ]
    return "\n".join(lines) + "\n"


class Watchers(Ends):
    """Those who are there, with the delay of each event: behind the proxy, and without it."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: dict[View, dict[int, float]] = {}

    def _take(self, end: End, view: View, data: bytes) -> int:
        first = end.events
        complete = super()._take(end, view, data)
        now, delays = time.monotonic(), self.delays.setdefault(view, {})
        for number in range(first, end.events):
            # The last of the clients counts.
            delays[number] = now - view.bounds[number].sent
        return complete


def beside_logins(
    running: Running, *, agents: int, within: float, rate: int, seconds: float, tls: bool = False
) -> Figures:
    """Send *rate* events a second, first alone, then while so many *agents* log in.

    They begin evenly *within* that many seconds; 0: all at once.  The latencies are those of
    who is there meanwhile, ``alone_*`` those without agents, ``direct_*`` those of clients
    without a proxy meanwhile, and ``own_*`` what the proxy adds to these, for each event.
    """
    ends = Watchers()
    with ends, Storm(running.address[1], agents, within, tls=tls) as storm:
        proxied, direct = _prepare(running, ends, agents, trusting() if tls else None)
        _send(running, ends, rate, seconds)
        alone = latency(list(ends.delays[proxied].values()))
        ends.delays.clear()
        rss, meter = status(running.pid)["rss"], Meter(running.pid)
        storm.begin()
        _send(running, ends, rate, within + _AFTER + seconds)
        answers = storm.wait_answered()
        cpu, elapsed = meter.read()
        behind, beside = ends.delays[proxied], ends.delays[direct]
        own = latency([behind[number] - beside[number] for number in behind])
        without = latency(list(beside.values()))
        return {
            "clients": agents,
            "answered_s": answers["answered_s"],
            "answer_p99_ms": answers["p99_us"] / 1e3,
            "cpu_share": cpu / elapsed,
            "rss_kb_per_client": (status(running.pid)["rss"] - rss) / agents,
            **latency(list(behind.values())),
            **{f"alone_{name}": alone[name] for name in ("p99_us", "max_us")},
            **{f"direct_{name}": without[name] for name in ("p99_us", "max_us")},
            **{f"own_{name}": own[name] for name in ("p99_us", "max_us")},
        }


def _prepare(
    running: Running, ends: Watchers, agents: int, tls: ssl.SSLContext | None
) -> tuple[View, View]:
    """Connect and log in who is there; return what they see, behind the proxy and without it."""
    upstream, count = running.upstream, len(call_events(agents))
    upstream.order("calls", agents)
    for _ in range(_THERE):
        ends.connect(running.address, 1, tls=tls)
        ends.connect(upstream.address, 1)
    login = f"Action: Login\r\nUsername: {_WATCHER}\r\nSecret: {secret(_WATCHER)}\r\n\r\n".encode()
    ends.exchange(lambda _: login, b"accepted")
    proxied, direct = (View(WIRES["standard"], range(count)) for _ in range(2))
    ends.assign([proxied, direct])
    upstream.order("credit", 1)
    ends.warm_up()
    proxied.expect_singles()
    direct.expect_singles()
    return proxied, direct


def _send(running: Running, ends: Ends, rate: int, seconds: float) -> None:
    """Send *rate* events a second for so many *seconds*, and receive them."""
    count = round(rate * seconds)
    running.upstream.order("paced", rate, count)
    ends.receive(count)

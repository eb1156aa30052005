# SPDX-License-Identifier: GPL-2.0-or-later
"""The row about snapshots: how long one takes, and how long events wait meanwhile."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.delivery import Delivery, pace, prepare
from benchmarks.ends import Ends
from benchmarks.processes import PATIENCE, Failed, status

if TYPE_CHECKING:
    from benchmarks.figures import Figures
    from benchmarks.subjects import Running

_ASK = b"ProxyAction: Snapshot\r\nOf: %s\r\n\r\n"
#: How a snapshot ends.
COMPLETE = b"Event: ProxySnapshotComplete"
#: Seconds between two snapshots.
_APART = 0.1


class Asker(threading.Thread):
    """A client that asks for snapshots, one after the other, until it is *over*."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        self.over = threading.Event()
        self.times: list[float] = []
        self.failure = ""
        self._sock = socket.create_connection(address, PATIENCE)
        # It is to see no event.
        self._sock.sendall(b"Action: Events\r\nEventMask: off\r\n\r\n")

    def run(self) -> None:
        """Ask, and note how long it takes."""
        try:
            while not (self.times and self.over.wait(_APART)):
                began = time.monotonic()
                self.ask(b"channels")
                self.times.append(time.monotonic() - began)
        except OSError as error:
            self.failure = str(error) or type(error).__name__
        finally:
            self._sock.close()

    def ask(self, of: bytes) -> int:
        """Ask for a snapshot of some kinds; return how many items it has.

        Raises:
            OSError: it does not come.

        """
        self._sock.sendall(_ASK % of)
        last = b""
        while COMPLETE not in last or not last.endswith(b"\r\n\r\n"):
            data = self._sock.recv(1 << 20)
            if not data:
                raise ConnectionError("the proxy has ended the connection")
            last = last[-1000:] + data
        return int(last.rpartition(b"ListItems: ")[2].split(b"\r\n")[0])


def beside_snapshots(running: Running, channels: int, rate: int, seconds: float) -> Figures:
    """Send *rate* events a second, first alone, then beside snapshots of so many *channels*.

    A client asks for one after the other.  The figures are those of the events with it;
    ``alone_*`` are those without it.
    """
    asker = Asker(running.address)
    asker.ask(b"queues")  # from now on there is a model
    running.upstream.order("channels", channels)
    deadline = time.monotonic() + PATIENCE
    while asker.ask(b"channels") < channels:
        if time.monotonic() > deadline:
            raise Failed(f"no snapshot has {channels} channels")
        time.sleep(0.1)
    with Ends() as ends:
        views = prepare(running, ends, Delivery(10))
        alone = pace(running, ends, views, rate, seconds)
        asker.start()
        try:
            beside = pace(running, ends, views, rate, seconds)
        finally:
            asker.over.set()
            asker.join()
    if asker.failure or not asker.times:
        raise Failed(f"no snapshot: {asker.failure or 'it took too long'}")
    return {
        **beside,
        "snapshot_ms": statistics.median(asker.times) * 1e3,
        "alone_p99_us": alone["p99_us"],
        "alone_max_us": alone["max_us"],
        "rss_mb": status(running.pid)["rss"] / 1024,
    }

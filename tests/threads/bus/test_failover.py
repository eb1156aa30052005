# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy that dies or hangs, as a process: another one takes its servers, and when."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from amiproxy.bus import clock, membership
from amiproxy.bus.members import slot_text
from tests.support import ROOT, wait_until
from tests.threads.bus.keepers import LENGTH, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer
    from tests.threads.bus.keepers import Proxy


@pytest.fixture
def cluster(redis: RedisServer) -> Iterator[Cluster]:
    """Proxies at one Redis."""
    with Cluster(redis) as found:
        yield found


class Holder:
    """A proxy in a process of its own, which has the server "a"."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.slot = int(self.line())
        assert self.line().startswith("granted ")

    def line(self) -> str:
        """Return the next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def answer(self) -> str:
        """Return its next line that says whether its tenure is valid."""
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return next(line for line in iter(self.line, "") if line.startswith("valid"))

    def signal(self, signum: signal.Signals) -> None:
        """Send it *signum*."""
        self.process.send_signal(signum)


@contextmanager
def holder(redis: RedisServer, length: float = LENGTH) -> Iterator[Holder]:
    """Give a proxy that has the server "a"."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.threads.bus.holder", redis.url, str(length), "a"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield Holder(process)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def knows(proxy: Proxy, one: Holder) -> bool:
    """Return whether *proxy* knows that *one* has the server."""
    return proxy.keeper.holder("a") == one.slot and len(proxy.keeper.members()) == 2


def test_the_servers_of_a_proxy_that_was_killed_are_taken(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its lease is over, and little later; what it has left in Redis is removed."""
    monkeypatch.setattr(membership, "_FORGOTTEN", 1.0)
    with holder(cluster.redis) as one:
        heir = cluster.proxy("a")
        wait_until(lambda: knows(heir, one))
        left = [f"astmanproxy:{name}" for name in (f"answers:{slot_text(one.slot)}:a",
                f"orders:{slot_text(one.slot)}")]  # fmt: skip
        for key in left:
            cluster.redis.command("XADD", key, "*", "b", "x")

        one.signal(signal.SIGKILL)
        began = clock.now()

        taken = wait_until(lambda: heir.servers["a"].told)[0].at - began
        assert 0.5 * LENGTH < taken < LENGTH + 0.5
        wait_until(lambda: len(heir.keeper.members()) == 1)
        wait_until(lambda: not cluster.redis.command("EXISTS", *left))
        assert cluster.redis.command("SMEMBERS", "astmanproxy:proxies") == [
            slot_text(heir.me.slot).encode()
        ]


def test_a_proxy_that_hung_knows_that_its_time_is_over(cluster: Cluster) -> None:
    """At the moment that it goes on, before it has heard anything of anybody."""
    with holder(cluster.redis) as one:
        heir = cluster.proxy("a")
        wait_until(lambda: knows(heir, one))
        assert one.answer() == "valid True"

        one.signal(signal.SIGSTOP)
        wait_until(lambda: heir.servers["a"].tenure)
        one.signal(signal.SIGCONT)

        assert one.answer() == "valid False"
        assert heir.servers["a"].tenure is not None
